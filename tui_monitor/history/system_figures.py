"""What a training process and its machine used at one moment, as its run says."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tui_monitor.run_log.strict_json import number


@dataclass(frozen=True)
class GpuFigures:
    """One GPU, all its processes included; None where the driver does not say."""

    utilisation_percent: float | None = None
    memory_bytes: float | None = None
    memory_total_bytes: float | None = None


@dataclass(frozen=True)
class SystemFigures:
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
    gpus: tuple[GpuFigures, ...] = ()


def system_figures(event: Mapping[str, Any]) -> SystemFigures | None:
    """Return what a `system` event says, or None where it says no figure of the process."""
    gpus = event.get("gpus")
    figures = SystemFigures(
        cpu_percent=_amount(event, "cpu_percent"),
        cores=_amount(event, "cores"),
        memory_bytes=_amount(event, "memory_bytes"),
        machine_cpu_percent=_amount(event, "machine_cpu_percent"),
        machine_memory_percent=_amount(event, "machine_memory_percent"),
        gpus=tuple(_gpu(gpu) for gpu in gpus if isinstance(gpu, Mapping)) if isinstance(gpus, list) else (),
    )
    return None if figures.cpu_percent is None and figures.memory_bytes is None else figures


def _gpu(content: Mapping[str, Any]) -> GpuFigures:
    return GpuFigures(
        utilisation_percent=_amount(content, "utilisation_percent"),
        memory_bytes=_amount(content, "memory_bytes"),
        memory_total_bytes=_amount(content, "memory_total_bytes"),
    )


def _amount(content: Mapping[str, Any], name: str) -> float | None:
    value = number(content.get(name))
    return value if value is not None and 0 <= value < float("inf") else None
