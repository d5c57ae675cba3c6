"""How busy and how full the GPUs are that this process may use, by NVIDIA's own library; none where it is missing."""

import importlib
import os
from typing import Any


class GpuReader:
    """Asks the driver through `nvidia-ml-py` (extra `gpu`), which opens no device for computing."""

    def __init__(self, library: Any = None, visible: str | None = None) -> None:
        """Find the GPUs; without the library, a driver or a GPU there are none. Never raises.

        Args:
            library: with the functions of `pynvml`; imported when left out.
            visible: as in `CUDA_VISIBLE_DEVICES`, from there when left out: numbers or UUIDs of the GPUs to read.
        """
        self._handles: list[Any] = []
        try:
            self._library = library or importlib.import_module("pynvml")
            self._library.nvmlInit()
            self._handles = _handles(
                self._library, os.environ.get("CUDA_VISIBLE_DEVICES") if visible is None else visible
            )
        except Exception:  # the driver's absence has many shapes
            self._handles = []

    def read(self) -> list[dict[str, Any]]:
        """Return what is used of each GPU, by all its processes; a value the driver keeps to itself is None."""
        return [self._read_one(handle) for handle in self._handles]

    def _read_one(self, handle: Any) -> dict[str, Any]:
        return {
            "utilisation_percent": self._ask("nvmlDeviceGetUtilizationRates", handle, "gpu"),
            "memory_bytes": self._ask("nvmlDeviceGetMemoryInfo", handle, "used"),
            "memory_total_bytes": self._ask("nvmlDeviceGetMemoryInfo", handle, "total"),
        }

    def _ask(self, function: str, handle: Any, name: str) -> int | None:
        try:
            return int(getattr(getattr(self._library, function)(handle), name))
        except Exception:  # not every GPU answers every question
            return None


def _handles(library: Any, visible: str | None) -> list[Any]:
    if visible is None:
        return [library.nvmlDeviceGetHandleByIndex(index) for index in range(library.nvmlDeviceGetCount())]
    handles = []
    for name in filter(None, (part.strip() for part in visible.split(","))):
        if name.startswith("-"):
            break
        is_number = name.isdigit()
        handles.append(
            library.nvmlDeviceGetHandleByIndex(int(name)) if is_number else library.nvmlDeviceGetHandleByUUID(name)
        )
    return handles
