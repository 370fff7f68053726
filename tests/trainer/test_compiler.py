"""PyTorch's compiler is not loaded for a training or a data set, and is there for whoever asks for it."""

import subprocess
import sys

from trainer.prepared import Places

SCRIPT = """
import inspect, os, sys, torch
from trainer import downloads, loop, spec
from trainer.trace import trace
for name in ("sgd", "adam", "adamw", "rmsprop"):
    state = loop.start(spec.parse({"model": "fc", "optimizer": {"name": name}}), torch.device("cpu"))
    state.model(torch.zeros(2, 1, 28, 28)).sum().backward()
    state.optimizer.step()
    state.optimizer.load_state_dict(state.optimizer.state_dict())
trace("fc", {"n_hidden": 8}, (1, 28, 28), 10)
downloads.torchvision_datasets()
trace("googlenet", {"dropout": 0.2}, (3, 64, 64), 10)
inspect.getmodule(inspect.currentframe())  # which looks at every module
assert "torch._dynamo.eval_frame" not in sys.modules

def compiled():
    assert torch.compile(lambda x: x + 1, backend="eager")(torch.ones(1)).item() == 2
    return torch._dynamo

def imported():
    import torch._dynamo as asked
    from torch._dynamo.utils import counters
    return asked

def only_a_part():
    from torch._dynamo.utils import counters, is_compile_supported
    assert is_compile_supported("cpu") in (False, True)
    return torch._dynamo

for ask in (compiled, imported, only_a_part):
    child = os.fork()
    if not child:
        assert ask().config.suppress_errors in (False, True)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0, ask
"""


def test_it_comes_only_when_asked_for() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


TRAINS_COMPILED = """
import dataclasses, pathlib, sys, torch
from trainer import catalog, devices, loop
from trainer.loaded import LoadedData
from trainer.prepared import Places, load
from trainer.spec import parse

def losses():
    spec = parse({"model": "cnn", "dataset": "digits", "batch_size": 200, "epochs": 1, "precision": "float32"})
    device = torch.device("cpu")
    devices.make_repeatable(spec)
    state = loop.start(spec, device)
    data = LoadedData(spec, load("digits", Places(pathlib.Path(), pathlib.Path(sys.argv[1]))), device)
    return [each.value for each in loop.train(spec, data, state) if each]

before = losses()
cnn = catalog.MODELS["cnn"]
build = lambda *shape, **knobs: torch.compile(cnn.build(*shape, **knobs), backend="eager")
catalog.MODELS["cnn"] = dataclasses.replace(cnn, build=build)
assert losses() == before
assert "torch._dynamo.eval_frame" in sys.modules
"""


def test_a_net_that_is_compiled_trains(places: Places) -> None:
    command = [sys.executable, "-c", TRAINS_COMPILED, str(places.prepared)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
