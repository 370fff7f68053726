"""The convolutional net of the tutorial."""

from torch import Tensor, nn

from trainer.catalog import after_convolutions


class CNN(nn.Module):
    """Two 5x5 convolutions of `n_features` maps, each with ReLU and 2x2 max-pool, then 50 units with ReLU.

    Gives log-probabilities, shape (batch, classes).
    """

    def __init__(self, shape: tuple[int, int, int], classes: int, n_features: int) -> None:
        super().__init__()
        channels, height, width = shape
        self.layers = nn.Sequential(
            nn.Conv2d(channels, n_features, kernel_size=5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(n_features, n_features, kernel_size=5),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(n_features * after_convolutions(height) * after_convolutions(width), 50),
            nn.ReLU(),
            nn.Linear(50, classes),
            nn.LogSoftmax(dim=1),
        )

    def forward(self, images: Tensor) -> Tensor:
        output: Tensor = self.layers(images)
        return output
