"""The fully connected net of the tutorial."""

import math

from torch import Tensor, nn


class FC2Layer(nn.Module):
    """Two hidden layers of `n_hidden` units with ReLU; gives log-probabilities, shape (batch, classes)."""

    def __init__(self, shape: tuple[int, int, int], classes: int, n_hidden: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Flatten(),
            nn.Linear(math.prod(shape), n_hidden),
            nn.ReLU(),
            nn.Linear(n_hidden, n_hidden),
            nn.ReLU(),
            nn.Linear(n_hidden, classes),
            nn.LogSoftmax(dim=1),
        )

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self.layers(images)
        return output
