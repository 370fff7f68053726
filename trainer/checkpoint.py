"""Checkpoints: all that training changes, so that it goes on exactly where it stopped.

A file is one line with the SHA-256 of the rest, and the rest as `torch.save` writes it. It is written beside its place,
synced and renamed, and read with `weights_only=True` after its checksum was compared. The two newest are kept.
"""

import hashlib
import io
import os
from pathlib import Path
from typing import Any

import torch

from trainer.loop import State

KEPT = 2
NOT_ITS_FAULT = ("CUDA", "DefaultCPUAllocator", "out of memory")
"""In an error that is met while a checkpoint is read: it will do once there is memory, or the device works."""


class Damaged(Exception):
    """A checkpoint that can't be trusted; str() says which and why."""


def save(folder: Path, state: State) -> Path:
    """Write a checkpoint of the state at its step. Raises OSError (a full disk); older checkpoints are then intact."""
    content, device = io.BytesIO(), state.measured.device
    torch.save(
        {
            "model": state.model.state_dict(),
            "optimizer": state.optimizer.state_dict(),
            "scaler": state.scaler.state_dict(),
            "step": state.step,
            "epochs_tested": state.epochs_tested,
            "best": (state.best_accuracy, state.best_epoch, state.best_weights),
            "seconds": state.measured.seconds,
            "rng": torch.get_rng_state(),
            "cuda_rng": torch.cuda.get_rng_state(device) if device.type == "cuda" else None,
        },
        content,
    )
    data = content.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    path = _path(folder, state.step)
    beside = path.with_suffix(".part")
    try:
        with beside.open("wb") as file:
            file.write(hashlib.sha256(data).hexdigest().encode() + b"\n" + data)
            file.flush()
            os.fsync(file.fileno())
        beside.rename(path)
        _sync(folder)  # before the older ones go
    finally:
        beside.unlink(missing_ok=True)
    for older in stored(folder)[KEPT:]:
        older.unlink(missing_ok=True)
    return path


def _sync(folder: Path) -> None:
    """Have the names in it on the disk, its own, and its parent's: they may be new."""
    for directory in (folder, *folder.parents[:2]):
        opened = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def load(path: Path, state: State) -> None:
    """Bring a fresh state to where the checkpoint was taken.

    Raises Damaged, whatever of it does not fit; the state is then of no use any more. Lack of memory, or a device that
    fails, is not the checkpoint's fault and is raised as it is.
    """
    checksum, _, data = path.read_bytes().partition(b"\n")
    if hashlib.sha256(data).hexdigest().encode() != checksum:
        raise Damaged(f"{path.name} is damaged (its checksum differs)")
    try:
        _take(torch.load(io.BytesIO(data), weights_only=True, map_location="cpu"), state)
    except Exception as error:  # another version of PyTorch or of the net wrote it: each refuses in its own way
        if isinstance(error, MemoryError) or any(said in str(error) for said in NOT_ITS_FAULT):
            raise
        raise Damaged(f"{path.name} does not fit this version ({type(error).__name__})") from error


def _take(kept: dict[str, Any], state: State) -> None:
    state.model.load_state_dict(kept["model"])
    state.scaler.load_state_dict(kept["scaler"])
    state.optimizer.load_state_dict(kept["optimizer"])
    state.step, state.epochs_tested = kept["step"], kept["epochs_tested"]
    state.best_accuracy, state.best_epoch, state.best_weights = kept.get("best", (-1.0, 0, None))
    state.measured.go_on_from(kept["seconds"])
    torch.set_rng_state(kept["rng"])
    if isinstance(kept["cuda_rng"], torch.Tensor) and state.measured.device.type == "cuda":
        torch.cuda.set_rng_state(kept["cuda_rng"], state.measured.device)


def stored(folder: Path) -> list[Path]:
    """The checkpoints in a folder, newest first."""
    return sorted(folder.glob("checkpoint-*.pt"), reverse=True)


def step_of(path: Path) -> int:
    return int(path.stem.rpartition("-")[2])


def _path(folder: Path, step: int) -> Path:
    return folder / f"checkpoint-{step:012}.pt"
