"""Which devices there are, and making PyTorch repeatable on one."""

import os
from typing import Any

import torch

from trainer import catalog, hardware
from trainer.spec import RunSpec


def available() -> list[dict[str, Any]]:
    """Name, description and memory in bytes (None: the machine's) of each device, best first; of a GPU also its UUID,
    by which NVIDIA's tools know it."""
    found: list[dict[str, Any]] = []
    for index in range(torch.cuda.device_count()):
        properties = torch.cuda.get_device_properties(index)
        device = {"name": f"cuda:{index}", "title": properties.name, "memory": properties.total_memory}
        found.append({**device, "uuid": f"GPU-{properties.uuid}"})
    return [*found, hardware.cpu()]


def choose(wanted: str) -> torch.device:
    """The device that `auto`, `cuda`, `cuda:N` or `cpu` stands for; a GPU is PyTorch's current one from then on.

    Raises ValueError naming those that are there. A process that asks for the CPU touches no GPU.
    """
    if wanted == "cpu":
        return torch.device("cpu")
    device = _found(wanted)
    if device.type == "cuda":
        torch.cuda.set_device(device)  # else streams, events and pinned memory are those of the first
    return device


def _found(wanted: str) -> torch.device:
    names = [device["name"] for device in available()]
    if wanted == "auto":
        return torch.device(names[0])
    name = "cuda:0" if wanted == "cuda" else wanted
    if name not in names:
        raise ValueError(f"device is {wanted!r}: there is no such device; choose auto or {' or '.join(names)}")
    return torch.device(name)


def settle(spec: RunSpec, device: torch.device, before: str | None = None) -> RunSpec:
    """The spec with the precision that `auto` stands for on this device, or that the run had `before`."""
    if spec.precision != "auto":
        return spec
    return spec.model_copy(update={"precision": before or ("bfloat16" if _has_bfloat16(device) else "float32")})


def _has_bfloat16(device: torch.device) -> bool:
    """The device has instructions for it; without them bfloat16 is slower than float32."""
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    return any(there for name, there in torch.cpu.get_capabilities().items() if name.endswith("bf16"))


def described(device: torch.device) -> dict[str, str]:
    """The device's description as `device_title`; of a GPU also the versions of CUDA, cuDNN and the driver."""
    if device.type != "cuda":
        return {"device_title": hardware.cpu()["title"]}
    cudnn = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    versions = {"cuda": torch.version.cuda, "cudnn": cudnn and str(cudnn), "driver": _driver()}
    title = torch.cuda.get_device_properties(device).name
    return {"device_title": title, **{name: version for name, version in versions.items() if version}}


def _driver() -> str | None:
    """Version of NVIDIA's driver; None: it does not say."""
    import pynvml

    try:
        pynvml.nvmlInit()
        return str(pynvml.nvmlSystemGetDriverVersion())
    except pynvml.NVMLError:
        return None


def make_repeatable(spec: RunSpec, threads: int | None = None) -> int:
    """Choose deterministic algorithms and a number of threads that fits the net; return that number.

    Convolutions give other last bits on another number of threads, so a run that goes on has to be given its own.
    """
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS is deterministic only with a workspace set
    torch.set_deterministic_debug_mode("error")  # use_deterministic_algorithms() would import the compiler as well
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = False
    # float32 means float32: PyTorch lets cuDNN round what it convolves to TF32, 10 bits of a mantissa. The older of the
    # settings comes first: without it torch 2.11 goes on rounding, and to read it is an error in 2.14
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.fp32_precision = "ieee"  # type: ignore[attr-defined]
    torch.set_num_threads(threads or catalog.threads(spec.model.name, spec.parameters))
    return torch.get_num_threads()
