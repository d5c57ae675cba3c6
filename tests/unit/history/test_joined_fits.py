"""Successive fits of one model can be seen as one, whose epochs count on."""

from pathlib import Path

from tui_monitor.history.joined_fits import fits_of_one_model, joined
from tui_monitor.history.load import load
from tui_monitor.run_log.events.progress import EpochBegan, EpochEnded
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.view.fit_names import fit_name
from tui_monitor.view.view_state import ViewState

MODELS = (1, 2, 2, 2, 3, 2)


def _run(folder: Path) -> None:
    with RunWriter(folder, RunInfo("run"), heartbeat_seconds=None) as writer:
        for number, instance in enumerate(MODELS):
            model = {"name": f"model{instance}", "instance": instance, "learning_rate": 0.1 if number < 2 else 0.01}
            writer.begin_fit(["loss"], epochs=1, model=model, fit={"batch_size": 8})
            writer.event(EpochBegan(epoch=1))
            for batch in range(2):
                writer.batch(1, 4, [10.0 * number + batch])
            writer.event(EpochEnded(epoch=1, logs={"loss": 10.0 * number}, batches=2, samples=8))


def test_fits_of_one_model_that_follow_each_other_are_one_curve(tmp_path: Path) -> None:
    """Batches, epochs and their numbers go on from fit to fit; fits of other models stay apart."""
    _run(tmp_path / "run")
    snapshot = load(tmp_path / "run")
    groups = [[fit.info.index for fit in fits_of_one_model(snapshot.fits, number)] for number in range(1, 7)]
    assert groups == [[1], [2, 3, 4], [2, 3, 4], [2, 3, 4], [5], [6]]
    one = joined(fits_of_one_model(snapshot.fits, 3))
    assert list(one.series["loss"].values()) == [10, 11, 20, 21, 30, 31]
    assert (one.epoch_starts, one.epoch_numbers, one.epoch) == ((0, 2, 4), (1, 2, 3), 3)
    assert [(row.epoch, row.metrics["loss"]) for row in one.epochs] == [(1, 10.0), (2, 20.0), (3, 30.0)]


def test_a_view_joins_fits_or_shows_each_alone(tmp_path: Path) -> None:
    """The same object comes back while nothing has changed: nothing is put together anew for each panel."""
    _run(tmp_path / "run")
    snapshot = load(tmp_path / "run")
    assert ViewState(fit=3).fit_of(snapshot) is snapshot.fits[2]
    shown = ViewState(fit=3, joins=True).fit_of(snapshot)
    assert shown is ViewState(fit=2, joins=True).fit_of(snapshot)
    assert shown is not None
    assert len(shown.epochs) == 3
    assert ViewState(joins=True).fit_of(snapshot) is snapshot.fits[5]


def test_a_fit_is_named_by_what_it_alone_has(tmp_path: Path) -> None:
    """Its number, its model, and what not all fits share; what all share is left out."""
    _run(tmp_path / "run")
    fits = load(tmp_path / "run").fits
    assert fit_name(fits, 2) == "fit 2 of 6: model2, learning rate 0.1"
    assert fit_name(fits, 6) == "fit 6 of 6: model2, learning rate 0.01"
