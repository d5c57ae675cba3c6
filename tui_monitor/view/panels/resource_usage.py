"""What the training uses of its machine, in a few words and to the precision worth reading."""

from collections.abc import Sequence

from tui_monitor.run_log.events.usage import GpuUsage, ResourceUsage

_GIB = 2**30


def usage_words(usage: ResourceUsage | None) -> str:
    """Return it as in `CPU 143 % · 0.6 GiB · GPU 35 % 2.1/8.0 GiB`; empty where nothing is known."""
    return " · ".join(part for part in (cpu_words(usage), memory_words(usage), _gpu_words(usage)) if part)


def cpu_words(usage: ResourceUsage | None) -> str:
    """Return the process's processor use, in percent of one core."""
    return "" if usage is None or usage.cpu_percent is None else f"CPU {usage.cpu_percent:.0f} %"


def memory_words(usage: ResourceUsage | None) -> str:
    """Return the process's resident memory."""
    return "" if usage is None or usage.memory_bytes is None else f"{usage.memory_bytes / _GIB:.1f} GiB"


def _gpu_words(usage: ResourceUsage | None) -> str:
    """Return the mean utilisation of the GPUs and their memory together."""
    if usage is None or not usage.gpus:
        return ""
    gpus = usage.gpus
    busy = _known([gpu.utilisation_percent for gpu in gpus])
    said = [f"{sum(busy) / len(busy):.0f} %" if busy else "", _gpu_memory(gpus)]
    name = "GPU" if len(gpus) == 1 else f"{len(gpus)} GPUs"
    return " ".join((name, *filter(None, said))) if any(said) else ""


def _gpu_memory(gpus: Sequence[GpuUsage]) -> str:
    used, total = _known([gpu.memory_bytes for gpu in gpus]), _known([gpu.memory_total_bytes for gpu in gpus])
    if len(used) < len(gpus) or len(total) < len(gpus):
        return ""
    return f"{sum(used) / _GIB:.1f}/{sum(total) / _GIB:.1f} GiB"


def _known(values: Sequence[float | None]) -> list[float]:
    return [value for value in values if value is not None]
