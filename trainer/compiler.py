"""PyTorch's compiler, put off until somebody asks for it: 150 MB, and a second and more of each process that trains.

Optimisers import `torch._dynamo` at their first use, for two functions that do nothing outside of a compiled net, and
`import torchvision` imports `torch._dynamo.utils` for one that it may never call: 1.0 of 2.2 s of the processor, and
1.5 of 3.8 s (torch 2.14.1, torchvision 0.29.1). The fork server would pay that once for all of its workers; a worker
that is started cold, whoever reads a data set and whoever looks at a net's layers pay it each. Nothing here is
compiled; a net that compiles itself wakes the real one.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch

COMPILER, UTILS = "torch._dynamo", "torch._dynamo.utils"


class _Asleep(ModuleType):
    """Stands in for a module of the compiler; asked for anything else than what it has, it gives place to the real
    one."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") and (self.__name__, name) != (COMPILER, "__path__"):
            raise AttributeError(name)  # `inspect` looks at every module; only who imports a part asks for the path
        return getattr(_real(self.__name__), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_real(self.__name__), name, value)


class _Compiler(_Asleep):
    @staticmethod
    def graph_break(*_: Any, **__: Any) -> None:
        """Divides what is compiled: there is nothing."""

    @staticmethod
    def disable(function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        """Keeps a function from being compiled: it isn't."""
        return function


class _Utils(_Asleep):
    @staticmethod
    def is_compile_supported(device: Any) -> Any:
        return _real(UTILS).is_compile_supported(device)


def _real(name: str) -> ModuleType:
    for one in (COMPILER, UTILS):
        if isinstance(sys.modules.get(one), _Asleep):
            del sys.modules[one]
    return importlib.import_module(name)  # which is put into its parent as well


def put_off() -> None:
    """Call before the first optimiser is made, and before torchvision is imported."""
    if COMPILER not in sys.modules:
        sys.modules[COMPILER] = torch._dynamo = _Compiler(COMPILER)  # type: ignore[assignment,unused-ignore]
        sys.modules[UTILS] = _Utils(UTILS)
