"""Layers of nets, traced in a process of its own: one at a time, and never twice."""

import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from trainer import layers as tracing
from trainer.layers import TraceError, layers

CNN: dict[str, Any] = {"model": "cnn", "knobs": {"n_features": 3}, "shape": (1, 28, 28), "classes": 10}


def test_who_asks_the_same_at_the_same_time_waits_for_one_trace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    run = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda *args, **more: started.append(args) or run(*args, **more))
    with ThreadPoolExecutor(3) as pool:
        first, *others = pool.map(lambda _: layers(**CNN, folder=tmp_path), range(3))
    assert others == [first, first]
    assert len(started) == 1
    assert first[0].title == "conv 5 × 5, 1 → 3"


def test_a_net_that_can_not_be_traced_stands_in_nobodys_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(TraceError, match=r"cnn could not be traced .*n_features"):
        layers(**{**CNN, "knobs": {}}, folder=tmp_path)
    monkeypatch.setattr(tracing, "_tracing", held := threading.Lock())
    monkeypatch.setattr(tracing, "PATIENCE_SECONDS", 0.01)
    with held, pytest.raises(TraceError, match="many others are before it"):
        layers(**CNN, folder=tmp_path)
    assert layers(**CNN, folder=tmp_path)[-1].output == (10,)
