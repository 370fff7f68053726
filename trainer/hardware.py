"""What can be said of this machine's devices without importing torch."""

import contextlib
import os
import platform
import resource
from pathlib import Path
from typing import Any

import psutil

GPU_FILES = ("nvidiactl", "nvidia0", "dxg", "kfd", "nvhost-ctrl", "nvmap")
"""Under /dev, what drivers of GPUs leave: NVIDIA's, Windows' for its Linux, AMD's, NVIDIA's on Jetson."""


def may_have_gpu() -> bool:
    """False only where no driver of a GPU is there: then PyTorch, which takes seconds, need not be asked."""
    return any(Path("/dev", name).exists() for name in GPU_FILES)


def cpu() -> dict[str, Any]:
    """The processor, as a device: name, description, memory (None: the machine's)."""
    return {"name": "cpu", "title": f"{platform.machine()}, {os.cpu_count()} cores", "memory": None}


LEAST_MEMORY = 2 * 2**30
CGROUP = Path("/sys/fs/cgroup/memory.max")
"""What a container may take, where it is limited; else the word max."""


def bound_memory(most: int | None = None) -> int:
    """Let this process take no more memory than `most` bytes, which it returns: half of what is free now, 2 GiB at
    least. Whatever asks for more meets lack of memory, and the machine is spared."""
    if most is None:
        free = psutil.virtual_memory().available
        with contextlib.suppress(OSError, ValueError):
            free = min(free, int(CGROUP.read_text()))
        most = max(LEAST_MEMORY, free // 2)
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    resource.setrlimit(resource.RLIMIT_DATA, (most, hard))
    return most
