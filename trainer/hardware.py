"""What can be said of this machine's devices without importing torch."""

import os
import platform
from pathlib import Path
from typing import Any

GPU_FILES = ("nvidiactl", "nvidia0", "dxg", "kfd", "nvhost-ctrl", "nvmap")
"""Under /dev, what drivers of GPUs leave: NVIDIA's, Windows' for its Linux, AMD's, NVIDIA's on Jetson."""


def may_have_gpu() -> bool:
    """False only where no driver of a GPU is there: then PyTorch, which takes seconds, need not be asked."""
    return any(Path("/dev", name).exists() for name in GPU_FILES)


def cpu() -> dict[str, Any]:
    """The processor, as a device: name, description, memory (None: the machine's)."""
    return {"name": "cpu", "title": f"{platform.machine()}, {os.cpu_count()} cores", "memory": None}
