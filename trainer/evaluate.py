"""Loss and accuracy on a test set."""

from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn import functional

from trainer.data.loaded import LoadedData

BATCH_SIZE = 1000


def evaluate(model: nn.Module, data: LoadedData) -> Iterator[tuple[float, float] | None]:
    """Yield None after each batch, then (mean loss in nats, accuracy as a fraction)."""
    model.eval()
    loss = torch.zeros((), dtype=torch.float64, device=data.device)
    correct = torch.zeros((), dtype=torch.int64, device=data.device)
    for start in range(0, len(data.test_labels), BATCH_SIZE):
        with torch.inference_mode():
            images, labels = data.test_batch(slice(start, start + BATCH_SIZE))
            output: Tensor = model(images)
            loss += functional.nll_loss(output, labels, reduction="sum").double()
            correct += (output.argmax(dim=1) == labels).sum()
        yield None
    model.train()
    size = len(data.test_labels)
    yield float(loss) / size, int(correct) / size
