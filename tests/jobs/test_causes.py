"""Errors of a training as causes that a person can act on."""

import pytest
import torch

from app.jobs.causes import of_exception

SPEC = {"batch_size": 4096, "dataset": "digits", "optimizer": {"lr": 0.1}}
NO_GPU_MEMORY = "out of GPU memory at batch size 4096: choose a smaller one"
NO_MEMORY = "out of memory at batch size 4096: choose a smaller one"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB."), NO_GPU_MEMORY),
        (RuntimeError("CUDA error: out of memory\nCompile with `TORCH_USE_CUDA_DSA`."), NO_GPU_MEMORY),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), NO_GPU_MEMORY),
        (MemoryError(), NO_MEMORY),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate"), NO_MEMORY),
        (
            RuntimeError("CUDA error: device-side assert triggered"),
            "RuntimeError: CUDA error: device-side assert triggered",
        ),
    ],
    ids=["allocator", "context", "cuBLAS", "Python", "CPU", "another"],
)
def test_lack_of_memory_is_told_as_such_wherever_it_was_met(error: BaseException, cause: str) -> None:
    assert of_exception(error, SPEC) == cause


def test_a_tensor_that_no_memory_holds_raises_what_is_known_as_lack_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**52)
    assert of_exception(caught.value, SPEC) == NO_MEMORY


@pytest.mark.mend("B8")
def test_a_cause_has_every_line_of_its_error() -> None:
    error = RuntimeError(
        "CUDA error: an illegal memory access was encountered\n\n  CUDA kernel errors might be late.\n"
    )
    assert of_exception(error, SPEC) == (
        "RuntimeError: CUDA error: an illegal memory access was encountered CUDA kernel errors might be late."
    )
    assert len(of_exception(ValueError("much to say\n" * 1000), SPEC)) == 500
