"""PyTorch's compiler is not loaded for a training, and is there for whoever asks for it."""

import subprocess
import sys

import pytest

START = """
import sys, torch
from trainer import loop, spec
from trainer.trace import trace
for name in ("sgd", "adam", "adamw"):
    state = loop.start(spec.parse({"model": "fc", "optimizer": {"name": name}}), torch.device("cpu"))
    state.model(torch.zeros(2, 1, 28, 28)).sum().backward()
    state.optimizer.step()
    state.optimizer.load_state_dict(state.optimizer.state_dict())
trace("fc", {"n_hidden": 8}, (1, 28, 28), 10)
loaded = "torch._dynamo.eval_frame" in sys.modules"""
ASKS = [
    "assert torch.compile(lambda x: x + 1, backend='eager')(torch.ones(1)).item() == 2; asked = torch._dynamo",
    "import torch._dynamo as asked; from torch._dynamo.utils import counters",
]


@pytest.mark.parametrize("ask", ASKS)
def test_it_comes_only_when_asked_for(ask: str) -> None:
    script = f"{START}; assert not loaded; {ask}; assert asked.config.suppress_errors in (False, True)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
