"""What every recorded `fit` must show, whichever Keras and whichever way of running its steps."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from tui_monitor.history.snapshot import Snapshot


def assert_recorded(snapshot: Snapshot, history: Mapping[str, Sequence[float]], samples: int, batch: int) -> None:
    """Check batches against reported epochs, epochs against the history, and each ledger's sum.

    Args:
        snapshot: of a run whose newest fit is the fit.
        history: values of each epoch as Keras reports them, loss and accuracy among them.
        samples: trained on in each epoch.
        batch: samples of each batch but the last.
    """
    assert not [entry.text for entry in snapshot.timeline if entry.text.startswith("Recording stopped")]
    fit = snapshot.fit
    assert fit is not None
    sizes = np.array([min(batch, samples - start) for start in range(0, samples, batch)])
    epochs, steps = len(history["loss"]), sizes.size
    assert [(row.batches, row.samples) for row in fit.epochs] == [(steps, samples)] * epochs
    for epoch in range(epochs):
        assert dict(fit.epochs[epoch].metrics) == {name: values[epoch] for name, values in history.items()}
        for name in ("loss", "accuracy"):
            values = fit.series[name].values()[epoch * steps : (epoch + 1) * steps].astype(np.float64)
            assert float((values * sizes).sum() / samples) == pytest.approx(history[name][epoch], abs=1e-5)
    explained = [entry.content for entry in fit.explanations if entry.batch is None]
    assert len(explained) == epochs
    for content, reported in zip(explained, history["loss"], strict=True):
        assert content["reported"]["loss"] == reported
        for metric in ("loss", "accuracy"):
            total = sum(term["effect"] or 0.0 for term in content[metric]["terms"])
            assert total == pytest.approx(content[metric]["gap"], abs=1e-9)
