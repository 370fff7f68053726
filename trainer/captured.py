"""A step on a GPU as one CUDA graph.

A small net's step is a hundred kernels of a few microseconds, and to start them one by one from Python takes longer
than they do (PyTorch's documentation: CUDA Graphs).
"""

from collections.abc import Callable

import torch
from torch import Tensor

from trainer import catalog
from trainer.spec import RunSpec

EAGER_STEPS = 3
"""Before the graph is captured: they make what libraries and optimisers make at their first use."""


def can_capture(spec: RunSpec, device: torch.device) -> bool:
    """Whether a step is the same kernels on the same memory each time, so that it can be captured.

    Not of float16, whose scaler looks at the gradients, nor of a net that doesn't say so of itself: a graph would keep
    what its Python code decided at the captured step.
    """
    return device.type == "cuda" and spec.precision != "float16" and catalog.MODELS[spec.model.name].static


def can_capture_update(spec: RunSpec) -> bool:
    """Whether the optimiser's part can be captured with the rest: its learning rate would stay that of the captured
    step, and RMSprop counts its steps outside of the GPU."""
    return spec.schedule == "constant" and not spec.warmup_epochs and spec.optimizer.name != "rmsprop"


class CapturedStep:
    """A step for `batch_size` images that are given by their indices; the same bits as `step` gives."""

    def __init__(
        self, step: Callable[[Tensor], Tensor], optimizer: torch.optim.Optimizer, batch_size: int, device: torch.device
    ) -> None:
        """Captures `step`, which takes indices (batch_size,) and returns what was measured; takes no step itself."""
        self._indices = torch.zeros(batch_size, dtype=torch.int64, device=device)
        self._weights = [weights for group in optimizer.param_groups for weights in group["params"]]
        self._graph = torch.cuda.CUDAGraph()
        optimizer.zero_grad()
        before = [group.get("capturable") for group in optimizer.param_groups]
        for group in optimizer.param_groups:
            if "capturable" in group:  # the fused optimisers are: they count their steps on the GPU
                group["capturable"] = True
        with torch.cuda.graph(self._graph, capture_error_mode="thread_local"):
            self._measured = step(self._indices)
        for group, capturable in zip(optimizer.param_groups, before, strict=True):
            if capturable is not None:
                group["capturable"] = capturable
        self._gradients = [weights.grad for weights in self._weights]

    def __call__(self, indices: Tensor) -> Tensor:
        self._indices.copy_(indices)
        self._graph.replay()
        return self._measured.clone()

    def restore_gradients(self) -> None:
        """Let the weights' gradients be the graph's own again, after a step was taken without it."""
        for weights, gradient in zip(self._weights, self._gradients, strict=True):
            weights.grad = gradient
