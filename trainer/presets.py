"""Ready experiments: what they ask, their recipe, and what its source published."""

from typing import Any

from trainer.entries import Preset, Published

SEEDS = (1, 2, 3, 4, 5)

_FOUR_WAYS: dict[str, list[Any]] = {
    "model": ["fc", "cnn"],
    "pixel_order": ["original", "shuffled"],
    "seed": list(SEEDS),
}

PRESETS = (
    Preset(
        name="mnist-fc-vs-cnn",
        title="MNIST, pixels in order and shuffled",
        question="Does a CNN need pixels in order?",
        description="A fully connected net and a CNN of the same size learn MNIST for one epoch, "
        "once with the pixels in order and once shuffled. The tutorial's recipe.",
        base={
            "dataset": "mnist",
            "epochs": 1,
            "batch_size": 64,
            "optimizer": {"name": "sgd", "lr": 0.01, "momentum": 0.5},
        },
        grid=_FOUR_WAYS,
        published=(
            Published({"model": "fc", "pixel_order": "original"}, {"test/accuracy": 0.8683, "test/loss": 0.4533}),
            Published({"model": "fc", "pixel_order": "shuffled"}, {"test/accuracy": 0.8810, "test/loss": 0.4099}),
        ),
        source="The tutorial whose recipe this is; it prints no figure for the CNN.",
    ),
    Preset(
        name="digits-fc-vs-cnn",
        title="Digits, pixels in order and shuffled",
        question="The same, without a download",
        description="The small digits that come with scikit-learn, placed at random positions: "
        "ten epochs show the same effect within a minute or two.",
        base={
            "dataset": "digits",
            "epochs": 10,
            "batch_size": 64,
            "optimizer": {"name": "sgd", "lr": 0.05, "momentum": 0.5},
        },
        grid=_FOUR_WAYS,
    ),
    Preset(
        name="fashion-learning-rates",
        title="Fashion-MNIST, learning rates",
        question="Which learning rate?",
        description="A CNN on clothes instead of digits, at four learning rates: "
        "where training is slow, and where it breaks.",
        base={"dataset": "fashion-mnist", "model": "cnn", "epochs": 1, "batch_size": 64},
        grid={"optimizer.lr": [0.001, 0.01, 0.1, 1.0], "seed": list(SEEDS)},
    ),
    Preset(
        name="cifar10-95",
        title="CIFAR-10, over 95%",
        question="How good is a modern recipe?",
        description="ResNet-18 with crops, flips, cutout, label smoothing and one cycle of the learning rate, 60 "
        "epochs: made to pass 95%, as the leader boards that the tutorial points at. It wants a GPU; on a CPU it takes "
        "hours.",
        base={
            "dataset": "cifar10",
            "model": {"name": "resnet", "depth": "resnet18"},
            "epochs": 60,
            "batch_size": 128,
            "crop_padding": 4,
            "flip": "horizontal",
            "cutout": 12,
            "label_smoothing": 0.1,
            "schedule": "one-cycle",
            "precision": "auto",
            "optimizer": {"name": "sgd", "lr": 0.1, "momentum": 0.9, "nesterov": "on", "weight_decay": 0.0005},
        },
        grid={"seed": [1]},
    ),
    Preset(
        name="fashion-fc-vs-cnn",
        title="Fashion-MNIST, pixels in order and shuffled",
        question="And on clothes instead of digits?",
        description="The same two nets and the same question on pictures of clothes, three epochs.",
        base={
            "dataset": "fashion-mnist",
            "epochs": 3,
            "batch_size": 64,
            "optimizer": {"name": "sgd", "lr": 0.02, "momentum": 0.9},
        },
        grid=_FOUR_WAYS,
    ),
    Preset(
        name="cifar10-net",
        title="CIFAR-10, a small net",
        question="How far does LeNet's structure get on photographs?",
        description="The tutorial's recipe: pixels normalised to -1..1, Adam, ten epochs.",
        base={
            "dataset": "cifar10",
            "model": "cifar-net",
            "epochs": 10,
            "batch_size": 64,
            "normalization": "half",
            "optimizer": {"name": "adam", "lr": 0.001},
        },
        grid={"seed": list(SEEDS)},
        published=(Published({"model": "cifar-net"}, {"test/accuracy": 0.64}),),
        source="The tutorial whose recipe this is.",
    ),
    Preset(
        name="cifar10-vgg",
        title="CIFAR-10, VGG",
        question="How much further does a deep net get?",
        description="The tutorial's recipe: VGG-11 with batch norm, random crops and flips, Adam, ten epochs. "
        "Without a GPU it takes a quarter of an hour or more.",
        base={
            "dataset": "cifar10",
            "model": {"name": "vgg", "channels": "vgg11"},
            "epochs": 10,
            "batch_size": 128,
            "crop_padding": 4,
            "flip": "horizontal",
            "precision": "auto",
            "optimizer": {"name": "adam", "lr": 0.001},
        },
        grid={"seed": [1]},
        published=(Published({"model": "vgg"}, {"test/accuracy": 0.8457}),),
        source="The tutorial whose recipe this is.",
    ),
    Preset(
        name="shuffled-cifar10",
        title="CIFAR-10, pixels in order and shuffled",
        question="Does a VGG lose as much by shuffled pixels?",
        description="VGG-11 and a small fully connected net on photographs, five epochs each, in order and shuffled. "
        "Without a GPU a VGG run takes ten minutes or more.",
        base={
            "dataset": "cifar10",
            "epochs": 5,
            "batch_size": 128,
            "precision": "auto",
            "optimizer": {"name": "adam", "lr": 0.001},
        },
        grid={"model": ["fc", "vgg"], "pixel_order": ["original", "shuffled"], "seed": [1]},
    ),
)
