"""What a training takes of its machine, and where the time of its steps goes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from tui_monitor.run_log.format.strict_json import number, text


@dataclass(frozen=True)
class GpuUsage:
    """One GPU, all its processes included; None where the driver does not say."""

    utilisation_percent: float | None = None
    memory_bytes: float | None = None
    memory_total_bytes: float | None = None


@dataclass(frozen=True)
class ResourceUsage:
    """Means over the seconds before; None for what is not known."""

    cpu_percent: float | None = None
    """Of one core, of the training process with all its threads: 150 is one and a half cores."""
    cores: float | None = None
    """Of the machine."""
    memory_bytes: float | None = None
    """Resident memory of the training process."""
    machine_cpu_percent: float | None = None
    """Of all cores, all processes."""
    machine_memory_percent: float | None = None
    gpus: tuple[GpuUsage, ...] = ()


@dataclass(frozen=True)
class UsageSampled:
    """What the process and its machine used, or why that can't be known."""

    kind: ClassVar[str] = "system"
    usage: ResourceUsage | None
    """None where nothing is known of the process."""
    failure: str = ""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event; an amount that makes no sense is None."""
        gpus = fields.get("gpus")
        usage = ResourceUsage(
            cpu_percent=_amount(fields, "cpu_percent"),
            cores=_amount(fields, "cores"),
            memory_bytes=_amount(fields, "memory_bytes"),
            machine_cpu_percent=_amount(fields, "machine_cpu_percent"),
            machine_memory_percent=_amount(fields, "machine_memory_percent"),
            gpus=tuple(_gpu(gpu) for gpu in gpus if isinstance(gpu, Mapping)) if isinstance(gpus, list) else (),
        )
        is_known = usage.cpu_percent is not None or usage.memory_bytes is not None
        return cls(usage if is_known else None, text(fields.get("failure")))

    def fields(self) -> dict[str, Any]:
        """Return what the line holds: the amounts side by side, those that are not known left out."""
        amounts = vars(self.usage or ResourceUsage())
        gpus = [_said(vars(gpu)) for gpu in amounts["gpus"]]
        return _said({**amounts, "gpus": gpus, "failure": self.failure})


@dataclass(frozen=True)
class StepsTimed:
    """Where one worker's time went since the last such event, in seconds over all its batches."""

    kind: ClassVar[str] = "worker"
    batches: float
    fetching: float
    """From the end of one exchange of gradients until it has the next data: callbacks and the input pipeline."""
    computing: float
    """From the data to the gradients."""
    waiting: float
    """Until the other workers are as far."""

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Self | None:
        """Return the event; an amount that makes no sense is 0."""
        amounts = (_amount(fields, name) for name in ("batches", "fetching", "computing", "waiting"))
        return cls(*(0.0 if amount is None else amount for amount in amounts))


def _said(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value not in (None, "", [])}


def _gpu(content: Mapping[str, Any]) -> GpuUsage:
    return GpuUsage(
        utilisation_percent=_amount(content, "utilisation_percent"),
        memory_bytes=_amount(content, "memory_bytes"),
        memory_total_bytes=_amount(content, "memory_total_bytes"),
    )


def _amount(content: Mapping[str, Any], name: str) -> float | None:
    recorded = content.get(name)
    value = number(recorded)
    if value is None or not 0 <= value < float("inf"):
        return None
    return recorded if isinstance(recorded, int) else value
