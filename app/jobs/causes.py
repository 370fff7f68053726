"""Why a run ended, in one line that a person can act on."""

import signal
from collections.abc import Mapping
from pathlib import Path
from typing import Any

VANISHED = "its worker vanished while no server watched: it was killed, or the machine restarted"
DEVICE_GONE = "device is {device!r}: there is no such device here; choose {choices}"
LONGEST = 500


def of_exception(error: BaseException, spec: Mapping[str, Any]) -> str:
    """The cause of a run whose training raised."""
    name = type(error).__name__
    if name == "OutOfMemoryError":
        return f"out of GPU memory at batch size {spec['batch_size']}: choose a smaller one"
    if isinstance(error, MemoryError):
        return f"out of memory at batch size {spec['batch_size']}: choose a smaller one"
    text = (str(error).strip().splitlines() or [""])[-1]
    if name == "Diverged":
        return f"{text}: choose a lower learning rate than {spec['optimizer']['lr']:g}"
    if name in ("DataError", "SpecError"):
        return text[:LONGEST]
    return f"{name}: {text}"[:LONGEST] if text else name


def of_exit(code: int, log: Path) -> str:
    """The cause of a run whose worker left without a word; `code` as subprocess gives it, negative for a signal."""
    if code < 0:
        hint = " (the system may be out of memory)" if -code == signal.SIGKILL else ""
        return f"killed by signal {-code}{hint}"
    last = _last_line(log)
    return f"the worker ended with exit code {code}" + (f": {last}" if last else "")


def _last_line(path: Path) -> str:
    try:
        lines = path.read_text(errors="replace")[-4000:].strip().splitlines()
    except OSError:
        return ""
    return lines[-1][:LONGEST] if lines else ""
