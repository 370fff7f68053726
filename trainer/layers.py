"""The layers of a net for who has no torch: traced in a process of its own, kept in a file.

NumPy-free and torch-free: the server asks here.
"""

import dataclasses
import hashlib
import inspect
import json
import subprocess
import sys
import tempfile
import threading
from importlib import metadata
from pathlib import Path

from trainer import catalog
from trainer.entries import Knobs, Layer, Shape

PATIENCE_SECONDS, LONGEST_SECONDS = 30.0, 120.0
_tracing = threading.Lock()
"""One at a time: each is a process that imports torch."""


class TraceError(Exception):
    """A net that could not be traced; str() says why."""


def layers(model: str, knobs: Knobs, shape: Shape, classes: int, folder: Path) -> list[Layer]:
    """The net's layers; kept in `folder` for the next time. Takes seconds when they are not there yet.

    Raises TraceError.
    """
    asked = {"model": model, "knobs": dict(knobs), "shape": list(shape), "classes": classes}
    path = folder / f"{model}-{_fingerprint(asked)}.json"
    if (kept := _kept(path)) is not None:
        return kept
    if not _tracing.acquire(timeout=PATIENCE_SECONDS):
        raise TraceError(f"{model} could not be traced yet: many others are before it; try again in a minute")
    try:
        if (kept := _kept(path)) is not None:  # somebody else asked for the same
            return kept
        found = _traced(asked)
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=folder, prefix=".", suffix=".part", delete=False) as beside:
            json.dump([dataclasses.asdict(one) for one in found], beside)
        Path(beside.name).rename(path)
        return found
    finally:
        _tracing.release()


def _kept(path: Path) -> list[Layer] | None:
    """None: not there, or not whole."""
    try:
        return [_layer(one) for one in json.loads(path.read_text())]
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _traced(asked: dict[str, object]) -> list[Layer]:
    command = [sys.executable, "-m", "trainer", "layers", json.dumps(asked)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST_SECONDS)
    except subprocess.TimeoutExpired:
        raise TraceError(f"{asked['model']} could not be traced within {LONGEST_SECONDS:g} s") from None
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [f"ended with exit code {done.returncode}"])[-1]
        raise TraceError(f"{asked['model']} could not be traced ({last})")
    return [_layer(one) for one in json.loads(done.stdout)]


def _layer(one: dict[str, object]) -> Layer:
    return Layer(**{**one, "output": tuple(one["output"])})  # type: ignore[arg-type]


def _fingerprint(asked: dict[str, object]) -> str:
    """Of the question, and of what could change its answer: the model's own file and torch's version."""
    source = inspect.getsourcefile(catalog.MODELS[str(asked["model"])].build)
    content = Path(source).read_bytes() if source else b""
    said = json.dumps([asked, metadata.version("torch")], sort_keys=True).encode()
    return hashlib.sha256(said + content).hexdigest()[:16]
