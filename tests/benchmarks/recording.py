"""What recording every batch costs a training, switched on and off inside one process of the question's model."""

import contextlib
import functools
import mmap
import struct
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from tests.benchmarks.loggers import EveryBatch, Logger
from tests.benchmarks.measuring import Ratio, ratios_in_turns, ratios_of_medians
from tests.benchmarks.training_turns import BATCHES_A_TURN, GraphEnds, Training, fitted, question_model
from tui_monitor.run_log.format.layout import RunInfo
from tui_monitor.run_log.write.writer import RunWriter
from tui_monitor.training.probe.budget import ProbeBudget
from tui_monitor.training.record.recorded_fit import RecordedFit, recorded_fit
from tui_monitor.training.record.session import Session
from tui_monitor.training.step.instrument import Receiver, instrument_of
from tui_monitor.training.step.replicas import PAYLOAD

GROUPS = 400
FIT_GROUPS = 20
RECORD_BYTES = 24

Build = Callable[[], keras.Model]
"""Makes one more model of a kind."""


@dataclass(frozen=True)
class Cost:
    """What recording costs one kind of training. Times are medians a batch, in microseconds."""

    wall: Ratio
    """Recorded over bare."""
    cpu: Ratio
    step: float
    """Of a bare batch, callbacks included."""
    own: float
    """All that is ours between the end of a step's graph and the return of its function."""
    spared: float
    """What Keras' own callbacks take less after a recorded step than after a bare one."""
    disk: float
    """Bytes a batch."""


def recording_cost(build: Build = question_model, groups: int = GROUPS) -> Cost:
    """Return what recording costs with probes off.

    Args:
        build: makes the models that are compared.
        groups: of four turns.
    """
    bare = Training(build(), [])
    with _recorded(build()) as (recorded, writer):
        _warm_up(recorded, bare)
        wall, cpu = ratios_in_turns(recorded.turn, bare.turn, groups)
        own, spared = _median(recorded.own), _median(bare.after) - _median(recorded.after)
        step = _median([bare.turn()[0] / BATCHES_A_TURN for _ in range(10)])
        writer.close()
        disk = (writer.folder / "batches.bin").stat().st_size / (len(recorded.own) + BATCHES_A_TURN)
    return Cost(wall, cpu, step, own, spared, disk)


def probing_cost(build: Build = question_model, groups: int = FIT_GROUPS) -> tuple[Ratio, Ratio, float]:
    """Return wall and CPU of whole fits recorded and probed at the default budget over bare ones.

    A turn is a fit of some epochs with their validation, since probes come at an epoch's end; of its parts the medians
    are added up, as a fit of seconds is never free of the machine's other work. The last value is the fraction of
    training time that measuring took, by the budget's own account.

    Args:
        build: makes the models that are compared.
        groups: of four fits.
    """
    bare, recorded = build(), build()
    with tempfile.TemporaryDirectory() as folder, RunWriter(Path(folder) / "run", RunInfo(name="run")) as writer:
        session = Session(writer, writer.folder)
        fit = functools.partial(_recorded_fit, recorded, session)
        for one in (fit, bare.fit):
            fitted(one)
        wall, cpu = ratios_of_medians(lambda: fitted(fit), lambda: fitted(bare.fit), groups)
        return wall, cpu, session.budget.spent / session.training_seconds


def least_cost(turns: int = GROUPS // 4) -> tuple[float, float]:
    """Return `Cost.own`, and beside it the same of what nobody can do without, taken in turns, in microseconds.

    That is to read the one tensor that holds a batch's values, and to put a record into memory shared with the system.

    Args:
        turns: of each.
    """
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(tempfile.TemporaryFile())
        file.truncate(mmap.PAGESIZE)
        memory = stack.enter_context(mmap.mmap(file.fileno(), mmap.PAGESIZE))
        read = struct.Struct(f"={RECORD_BYTES // 4}f").unpack_from
        put = struct.Struct(f"={RECORD_BYTES // 4}f").pack_into

        def take(logs: Any) -> Any:
            put(memory, 0, *read(logs[PAYLOAD]["packed"]))
            return {}

        ours, _ = stack.enter_context(_recorded(question_model()))
        least, _ = stack.enter_context(_recorded(question_model(), take))
        _warm_up(ours, least)
        for _ in range(turns):
            ours.turn()
            least.turn()
        return _median(ours.own), _median(least.own)


def logging_cost(logger: Logger, groups: int = GROUPS // 16) -> tuple[Ratio, float]:
    """Return what another logger costs the question's model: wall time over bare, and median microseconds a batch.

    Args:
        logger: gets every batch.
        groups: of four turns.
    """
    with tempfile.TemporaryDirectory() as folder, logger(Path(folder)) as log:
        own: list[float] = []

        def timed(step: int, metrics: Mapping[str, float]) -> None:
            begun = time.perf_counter()
            log(step, metrics)
            own.append(time.perf_counter() - begun)

        logged, bare = Training(question_model(), [EveryBatch(timed)]), Training(question_model(), [])
        _warm_up(logged, bare)
        wall, _ = ratios_in_turns(logged.turn, bare.turn, groups)
        return wall, _median(own)


def _recorded_fit(model: keras.Model, session: Session, *args: Any, **kwargs: Any) -> Any:
    return recorded_fit(model.fit, model, session, args, kwargs)


@contextlib.contextmanager
def _recorded(model: keras.Model, take: Receiver | None = None) -> Iterator[tuple[Training, RunWriter]]:
    """Yield a training that is recorded with probes off, and what writes its run.

    Args:
        model: that trains.
        take: what is done with each step in place of recording it.
    """
    with contextlib.ExitStack() as stack:
        run = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "run"
        writer = stack.enter_context(RunWriter(run, RunInfo(name="run")))
        recorded = RecordedFit(model, Session(writer, run, ProbeBudget(fraction=0.0)))
        ends = GraphEnds(model)
        recorded.begin(model.fit, (), {})
        stack.callback(recorded.end)
        training = Training(model, [], ends)
        # The first step finds its recorder, whatever else is recorded later.
        training.turn()
        training.forget()
        if take is not None:
            instrument = instrument_of(model.train_function)
            assert instrument is not None
            instrument.receive = take
        yield training, writer


def _warm_up(*trainings: Training) -> None:
    for training in trainings:
        training.turn()
        training.forget()


def _median(seconds: list[float]) -> float:
    """Return the median in microseconds."""
    return 1e6 * float(np.median(seconds))
