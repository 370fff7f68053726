"""PyTorch's compiler, put off until somebody asks for it: half of the time that a process needs to begin training.

Optimisers import `torch._dynamo` at their first use, for two functions that do nothing outside of a compiled net:
1.0 of 2.2 s of the processor and 150 MB (torch 2.14.1). Nothing here is compiled.
"""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch

NAME = "torch._dynamo"


class _Asleep(ModuleType):
    """Stands in for the compiler; asked for anything else, as by `torch.compile`, it gives place to the real one."""

    @staticmethod
    def graph_break(*_: Any, **__: Any) -> None:
        """Divides what is compiled: there is nothing."""

    @staticmethod
    def disable(function: Callable[..., Any], *_: Any, **__: Any) -> Callable[..., Any]:
        """Keeps a function from being compiled: it isn't."""
        return function

    def __getattr__(self, name: str) -> Any:
        return getattr(_real(), name)

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(_real(), name, value)


def _real() -> ModuleType:
    if isinstance(sys.modules.get(NAME), _Asleep):
        del sys.modules[NAME]
    return importlib.import_module(NAME)  # which is put into `torch` as well


def put_off() -> None:
    """Call before the first optimiser is made."""
    if NAME not in sys.modules:
        sys.modules[NAME] = torch._dynamo = _Asleep(NAME)  # type: ignore[assignment,unused-ignore]
