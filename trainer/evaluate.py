"""Loss and accuracy on a test set."""

from collections.abc import Iterator

import torch
from torch import nn

from trainer import forward
from trainer.loaded import LoadedData
from trainer.spec import RunSpec

BATCH_SIZE = 1000
LARGE_BATCH_SIZE = 200  # of a net that takes long: a batch is how soon a stop is seen
LARGE = 1_000_000  # parameters


def evaluate(spec: RunSpec, model: nn.Module, data: LoadedData) -> Iterator[tuple[float, float] | None]:
    """Yield None after each batch, then (mean loss in nats, accuracy as a fraction)."""
    model.eval()
    loss = torch.zeros((), dtype=torch.float64, device=data.device)
    correct = torch.zeros((), dtype=torch.int64, device=data.device)
    batch_size = BATCH_SIZE if spec.parameters < LARGE else LARGE_BATCH_SIZE
    for start in range(0, len(data.test_labels), batch_size):
        with torch.inference_mode():
            images, labels = data.test_batch(slice(start, start + batch_size))
            given = forward.outputs(spec, model, images)
            loss += forward.loss(spec, given, labels, "sum").double()
            correct += (given.argmax(dim=1) == labels).sum()
        yield None
    model.train()
    size = len(data.test_labels)
    yield float(loss) / size, int(correct) / size
