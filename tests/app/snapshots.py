"""Runs as snapshots, with the values of a real one, and a source that emits them."""

import threading
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from tui_monitor.history.batches.series import BatchSeries
from tui_monitor.history.snapshot import EpochRow, ExplanationAt, FitSnapshot, Snapshot
from tui_monitor.run_log.events.distributions import (
    Calibration,
    Confusion,
    Distributions,
    Losses,
    LossSpread,
    Reliability,
)
from tui_monitor.run_log.events.explanation import (
    Baseline,
    Classes,
    Cost,
    Explanation,
    Finding,
    MistakeEffects,
    Mistakes,
    RecordedExplanation,
    SideMistakes,
    explanation_to_json,
)
from tui_monitor.run_log.events.ledger import Cause, Ledger, Term, Verdict
from tui_monitor.run_log.events.opened import (
    ChannelMoments,
    CopiedSample,
    CopyPlaces,
    FoundLeak,
    Histogram,
    InputScale,
    MovedClass,
    MovedClasses,
    OpenedEvidence,
    SampleOrder,
)
from tui_monitor.run_log.format.layout import BASE_COLUMNS, FitInfo, RunInfo, State

STEPS = 335
REPORTED = (
    (0.7134, 0.6012, 0.7911, 0.7604),
    (0.6484, 0.5207, 0.8304, 0.7863),
    (0.6322, 0.5190, 0.8330, 0.7880),
    (0.6251, 0.5148, 0.8344, 0.7893),
    (0.6198, 0.5133, 0.8351, 0.7890),
    (0.6160, 0.5121, 0.8359, 0.7901),
)
_MEASURED_LOSS = (
    (Cause.IN_EPOCH_AVERAGING, 0.003, 0.001, 0.005, Verdict.RULED_OUT),
    (Cause.TRAIN_MODE_LAYERS, 0.0, -0.001, 0.001, Verdict.RULED_OUT),
    (Cause.SAMPLE_WEIGHTS, 0.189, 0.183, 0.195, Verdict.MAIN),
    (Cause.BATCH_AVERAGING, 0.0, 0.0, 0.0, Verdict.RULED_OUT),
    (Cause.CLASS_MIX, -0.058, -0.062, -0.054, Verdict.OFFSETS),
    (Cause.WITHIN_CLASS, -0.021, -0.040, 0.0, Verdict.CANNOT_TELL),
    (Cause.MEASUREMENT, 0.0, 0.0, 0.0, Verdict.RULED_OUT),
)
_MEASURED_ACCURACY = (
    (Cause.IN_EPOCH_AVERAGING, -0.0014, -0.003, 0.0002, Verdict.RULED_OUT),
    (Cause.TRAIN_MODE_LAYERS, -0.0003, -0.001, 0.0004, Verdict.RULED_OUT),
    (Cause.SAMPLE_WEIGHTS, 0.0, 0.0, 0.0, Verdict.RULED_OUT),
    (Cause.BATCH_AVERAGING, 0.0, 0.0, 0.0, Verdict.RULED_OUT),
    (Cause.CLASS_MIX, 0.0382, 0.0351, 0.0413, Verdict.MAIN),
    (Cause.WITHIN_CLASS, 0.0085, -0.004, 0.021, Verdict.CANNOT_TELL),
    (Cause.MEASUREMENT, 0.0, 0.0, 0.0, Verdict.RULED_OUT),
)


_TRAIN_CONFIDENCE = (0,) * 10 + (23, 26, 74, 152, 657, 1020, 11, 11, 29, 45)
_VALIDATION_CONFIDENCE = (0,) * 10 + (25, 38, 55, 142, 540, 1793, 11, 17, 33, 46)


def _reliability(counts: tuple[int, ...], accuracy: float, error: float) -> Reliability:
    sure = tuple((i + 0.5) / 20 if n else None for i, n in enumerate(counts))
    right = tuple(min(1.0, (i + 1.2) / 20) if n else None for i, n in enumerate(counts))
    return Reliability(counts, sure, right, 0.754, accuracy, error, 0.013)


def _spread(right: tuple[float, ...], wrong: tuple[float, ...], mean: float) -> LossSpread:
    every = tuple(r + w for r, w in zip(right, wrong, strict=True))
    mass = (0.0, 0.01, 0.05, 0.4, 0.5, 0.04)
    return LossSpread(right, wrong, every, mass, 2048, 0, mean, 0.4, 0.276, 1.404, 1.494, 1.62, 0.032)


DISTRIBUTIONS = Distributions(
    confusion=Confusion(("0", "1"), ((1628.2, 10.2), (331.6, 78.0)), ((2000.0, 25.0), (547.0, 128.0))),
    calibration=Calibration(
        _reliability(_TRAIN_CONFIDENCE, 0.832, 0.079), _reliability(_VALIDATION_CONFIDENCE, 0.788, 0.038)
    ),
    losses=Losses(
        (0.1, 0.178, 0.316, 0.562, 1.0),
        _spread((0.01, 0.02, 0.6, 0.2, 0.0, 0.0), (0.0, 0.0, 0.0, 0.01, 0.1, 0.06), 0.465),
        _spread((0.01, 0.03, 0.56, 0.2, 0.0, 0.0), (0.0, 0.0, 0.0, 0.01, 0.12, 0.07), 0.51),
    ),
    train_samples=10_708,
    validation_samples=2_700,
)


OPENED = OpenedEvidence(
    leak=FoundLeak(
        52, 2700, 10_708, 1.0, 0.0193, 0.0193, 0.0193, 0, 1e-90, 1.0,
        tuple(CopiedSample(40 * n + 3, 1, 4 + n, 12 + n) for n in range(20)),
    ),
    scale=InputScale(
        "x / 255", "run from 0 to 255 where training's run from 0 to 1",
        (ChannelMoments(0, 0, 0.42, 0.21, 106.0, 54.2), ChannelMoments(0, 2, 0.51, 0.2, 129.9, 51.0)), 3, 3,
        Histogram(
            tuple(21.25 * n for n in range(13)),
            (1.0, *(0.0,) * 11),
            (0.01, 0.03, 0.08, 0.14, 0.2, 0.18, 0.14, 0.1, 0.06, 0.04, 0.015, 0.005),
        ),
    ),
    copies=CopyPlaces(2700, (*(0.9 if 9 <= n < 12 else 0.05 if n % 11 == 0 else 0.0 for n in range(47)), None)),
    moved=MovedClasses(
        (MovedClass("0", "1", 0.01, 0.99, 0.97, 0.03), MovedClass("1", "0", 0.12, 0.88, 0.86, 0.14)), 0.06, 0.95
    ),
    order=SampleOrder(
        2700, tuple(0.4 + 0.01 * n + 0.02 * (n % 3) for n in range(24)), (0.02,) * 24, ("0", "1"),
        (tuple(0.75 + 0.02 * (n % 5) for n in range(24)), tuple(0.25 - 0.02 * (n % 5) for n in range(24))),
    ),
)  # fmt: skip


def explanation(epoch: int = 3, **changes: Any) -> Explanation:
    """Return the explanation of an epoch of the class-weights run."""
    loss, val_loss, accuracy, val_accuracy = REPORTED[epoch - 1]
    whole = Explanation(
        run="class-weights",
        epoch=epoch,
        evidence="probe",
        reported={"loss": loss, "val_loss": val_loss, "accuracy": accuracy, "val_accuracy": val_accuracy},
        paradox=True,
        loss=Ledger(0.1132, 0.098, 0.128, False, tuple(Term(*term) for term in _MEASURED_LOSS)),
        accuracy=Ledger(0.045, 0.026, 0.064, False, tuple(Term(*term) for term in _MEASURED_ACCURACY)),
        mistakes=Mistakes(
            train=SideMistakes(0.171, 0.231, 1.594),
            validation=SideMistakes(0.212, 0.236, 1.571),
            effects=MistakeEffects(-0.0552, -0.004, 0.0044),
        ),
        classes=Classes(
            labels=("0", "1"),
            train_share=(0.8, 0.2),
            validation_share=(0.75, 0.25),
            p_value=2e-9,
            train_recall=(0.99, 0.20),
            validation_recall=(0.988, 0.19),
            train_precision=(0.832, 0.83),
            validation_precision=(0.785, 0.84),
        ),
        baseline=Baseline(0.5004, 0.8, 0.5623, 0.75),
        penalty=0.0,
        samples={"train": 2048, "validation": 2700},
        cost=Cost(0.41, 0.014, 1.9, 0.02),
        verdict="val_loss is 0.113 lower while val_accuracy is 4.5 points lower: both are real.",
        headline=(
            "Class weights raise only the training loss (+0.189), and validation holds more of class 1 "
            "(25 % against 20 %), which costs it 3.8 points of accuracy."
        ),
        distributions=DISTRIBUTIONS,
        opened=OPENED,
        next_step="Compare the unweighted training loss, 0.443, with val_loss; stratify the split.",
        findings=(
            Finding(
                "sample_weights",
                "main",
                "Class weights raise the training loss by 0.189 [0.183, 0.195]; val_loss is not weighted.",
                "Compare val_loss with the unweighted training loss.",
            ),
            Finding(
                "class_mix",
                "main",
                "Validation holds 25 % of class 1, training 20 %: that costs 3.8 points of accuracy.",
                "Split with stratify=y.",
            ),
        ),
    )
    return replace(whole, **changes)


def recorded_at(number: int) -> RecordedExplanation:
    """Return the explanation of an epoch as a run holds it."""
    return RecordedExplanation(explanation_to_json(explanation(min(number, len(REPORTED)))))


def fit(
    *,
    epochs: int = 3,
    batch: int = 140,
    planned: int | None = 10,
    explained: bool = True,
    validated: bool = True,
    metrics: tuple[str, ...] = ("loss", "accuracy"),
    index: int = 1,
    fit: dict[str, Any] | None = None,
) -> FitSnapshot:
    """Return a fit with some epochs ended and one under way."""
    rng = np.random.default_rng(7)
    begun = epochs + (1 if batch else 0)
    total = epochs * STEPS + batch
    at = np.arange(total) / STEPS
    curves = {
        "loss": 0.61 + 0.32 * np.exp(-at * 2.2) + rng.normal(0, 0.075, total) + (at < 0.01) * 0.8,
        "accuracy": np.clip(0.836 - 0.19 * np.exp(-at * 2.5) + rng.normal(0, 0.05, total), 0, 1),
        "mae": 0.3 + 0.2 * np.exp(-at) + rng.normal(0, 0.02, total),
    }
    rows = []
    for number in range(1, epochs + 1):
        loss, val_loss, accuracy, val_accuracy = REPORTED[min(number, len(REPORTED)) - 1]
        row = {"loss": loss, "accuracy": accuracy, "mae": loss / 2}
        if validated:
            row |= {"val_loss": val_loss, "val_accuracy": val_accuracy, "val_mae": val_loss / 2}
        kept = {name: value for name, value in row.items() if name.removeprefix("val_") in metrics}
        rows.append(EpochRow(number, kept, 6.4 + 0.3 * number, STEPS, 10_708, 0.001))
    held = [
        ExplanationAt(
            number,
            None,
            6.7 * number,
            RecordedExplanation(explanation_to_json(explanation(min(number, len(REPORTED))))),
        )
        for number in range(1, epochs + 1)
        if explained
    ]
    columns = (*BASE_COLUMNS, *((name, "<f4") for name in metrics))
    return FitSnapshot(
        info=FitInfo(index, columns, f"batches-{index}.bin", planned, 0, STEPS, {"name": "lstm"}, fit or {}),
        series={name: BatchSeries.of(curves[name]) for name in metrics},
        epoch_starts=tuple(number * STEPS for number in range(begun)),
        first_epoch=1,
        epochs=tuple(rows),
        explanations=tuple(held),
        batches=total,
    )


OUTPUT = (
    "2031-11-22 14:59:03 loading 13 408 reviews",
    'Model: "sequential", 1 409 parameters',
    "class weights {0: 1.0, 1: 1.75}",
    "train 10 708 samples, validation 2 700 samples",
    "epoch 1: 7.0 s",
    "epoch 2: 7.3 s",
    "epoch 3: 7.6 s, checkpoint written to model.keras",
)


def snapshot(state: State = State.TRAINING, *fits: FitSnapshot, revision: int = 1, **changes: Any) -> Snapshot:
    """Return a run under way in its fourth epoch, changed as asked for."""
    whole = Snapshot(
        revision=revision,
        run=RunInfo("class-weights", ("python", "train.py"), "gpu-01", 4321),
        state=state,
        fits=fits or (fit(),),
        seconds=29.4,
        batches_per_second=52.3,
        seconds_left=245.0,
        output=OUTPUT,
        output_lines=len(OUTPUT),
    )
    return replace(whole, **changes)


class ListSource:
    """Emits prepared snapshots, one a poll."""

    def __init__(self, snapshots: Iterable[Snapshot]) -> None:
        self._waiting = list(snapshots)
        self.closed = threading.Event()

    def poll(self) -> Snapshot | None:
        """Return the next snapshot, or None when all are out."""
        return self._waiting.pop(0) if self._waiting else None

    def add(self, added: Snapshot) -> None:
        """Let one more arrive."""
        self._waiting.append(added)

    def close(self) -> None:
        """Remember that the reader was closed."""
        self.closed.set()
