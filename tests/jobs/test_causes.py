"""Errors of a training as causes that a person can act on."""

import resource
from pathlib import Path

import numpy as np
import pytest
import torch

from app.jobs import worker
from app.jobs.causes import DISK_FULL, NOT_EVEN_LOGGED, of_exception, of_exit
from app.store.predictions import Predictions
from trainer import checkpoint, loop
from trainer.spec import parse

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
        (RuntimeError("std::bad_alloc"), NO_MEMORY),
        (OSError(12, "Cannot allocate memory"), NO_MEMORY),
        (RuntimeError("[enforce fail at alloc_cpu.cpp:127] err == 0. DefaultCPUAllocator: can't allocate"), NO_MEMORY),
        (
            RuntimeError("CUDA error: device-side assert triggered"),
            "RuntimeError: CUDA error: device-side assert triggered",
        ),
    ],
    ids=["allocator", "context", "cuBLAS", "Python", "C++", "system", "CPU", "another"],
)
def test_lack_of_memory_is_told_as_such_wherever_it_was_met(error: BaseException, cause: str) -> None:
    assert of_exception(error, SPEC) == cause


def test_a_tensor_that_no_memory_holds_raises_what_is_known_as_lack_of_memory() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**52)
    assert of_exception(caught.value, SPEC) == NO_MEMORY


@pytest.mark.mend("B8")
@pytest.mark.parametrize("what", ["weights", "filters", "predictions", "checkpoint"])
def test_a_full_disk_is_told_as_such_whatever_is_written(tmp_path: Path, what: str) -> None:
    """A limit on the size of files stands for it: torch and NumPy then say other things of their own."""
    spec = parse({"model": "cnn", "dataset": "digits"})
    state = loop.start(spec, torch.device("cpu"))
    answers = Predictions(np.zeros(9999), np.zeros(9999), np.zeros(9999))
    write = {
        "weights": lambda: worker._keep_weights(tmp_path / "run-1" / "weights.pt", state.model.state_dict()),
        "filters": lambda: worker._keep_filters(tmp_path / "run-1" / "filters.npy", spec, state.model),
        "predictions": lambda: worker._keep_predictions(tmp_path / "run-1" / "predictions.npz", answers),
        "checkpoint": lambda: checkpoint.save(tmp_path / "run-1", state),
    }[what]
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (256, before[1]))
    try:
        with pytest.raises(OSError, match="File too large") as caught:
            write()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert of_exception(caught.value, SPEC) == DISK_FULL
    assert not [path for path in tmp_path.rglob("*.*") if path.suffix != ".part"]


@pytest.mark.mend("B8")
def test_what_a_full_disk_has_no_room_for_is_not_logged_and_its_cause_is_known(tmp_path: Path) -> None:
    with open("/dev/full", "wb", buffering=0) as full:
        print("an epoch is over", file=worker._forgiving(full.fileno()), flush=True)
    (tmp_path / "log").write_text("Traceback (most recent call last):\n")
    assert of_exit(NOT_EVEN_LOGGED, tmp_path / "log") == DISK_FULL


@pytest.mark.mend("B8")
def test_a_cause_has_every_line_of_its_error() -> None:
    error = RuntimeError(
        "CUDA error: an illegal memory access was encountered\n\n  CUDA kernel errors might be late.\n"
    )
    assert of_exception(error, SPEC) == (
        "RuntimeError: CUDA error: an illegal memory access was encountered CUDA kernel errors might be late."
    )
    assert len(of_exception(ValueError("much to say\n" * 1000), SPEC)) == 500
