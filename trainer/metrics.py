"""What is measured, declared: what a series is called, in which unit, what of it is better, and how often it comes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

Better = Literal["more", "less"]
Per = Literal["step", "part", "test", "second", "run"]


@dataclass(frozen=True)
class Metric:
    """A series that a training yields. Nothing is concluded from its name."""

    name: str
    title: str
    unit: str = ""
    """`fraction` is shown as a percentage, its differences as points; any other stands behind the number."""
    better: Better | None = None
    """Which of two values is better; None: neither, so that it is drawn and not judged."""
    per: Per = "step"
    """What it is measured for, which is what a resumed run drops of it: of `step` and of `part` (of an epoch) what lies
    beyond the checkpoint, of `test` what lies beyond the last finished test, of `second` and `run` nothing."""

    @property
    def in_a_sentence(self) -> str:
        """Its title where it does not stand first: `test accuracy`; one of capitals stays as it is."""
        return self.title if self.title[1:2].isupper() else self.title[:1].lower() + self.title[1:]


TRAIN_LOSS = Metric("train/loss", "Training loss", "nats", "less", "step")
GRADIENT_NORM = Metric("train/gradient_norm", "Gradient norm", per="step")
TEST_LOSS = Metric("test/loss", "Test loss", "nats", "less", "test")
TEST_ACCURACY = Metric("test/accuracy", "Test accuracy", "fraction", "more", "test")
VALIDATION_LOSS = Metric("validation/loss", "Validation loss", "nats", "less", "test")
VALIDATION_ACCURACY = Metric("validation/accuracy", "Validation accuracy", "fraction", "more", "test")
SHORT_EPOCHS = 2
"""A run of at most so many is tested on some images within its epochs as well."""
TRAINING = (TRAIN_LOSS, GRADIENT_NORM, TEST_LOSS, TEST_ACCURACY)
"""What `trainer.loop.train` yields in any case."""
VALIDATION = (VALIDATION_LOSS, VALIDATION_ACCURACY)
"""And where training images are held out."""
EARLY_ACCURACY = Metric("early/accuracy", "Early accuracy", "fraction", per="part")
"""And within an epoch, of a run too short to have a curve of its tests. Which is better is not said: it judges none."""
CORES = Metric("system/cores", "Processor cores in use", "cores", per="second")
MEMORY = Metric("system/memory", "Memory of the process", "MB", per="second")
GPU = Metric("system/gpu", "GPU utilization", "fraction", per="second")
GPU_MEMORY = Metric("system/gpu_memory", "GPU memory of the process", "MB", per="second")
POWER = Metric("system/gpu_power", "GPU power", "W", per="second")
TEMPERATURE = Metric("system/gpu_temperature", "GPU temperature", "°C", per="second")
MACHINE = (CORES, MEMORY, GPU, GPU_MEMORY, POWER, TEMPERATURE)
"""What the server samples while a run trains (app/jobs/usage.py)."""
KNOWN = {metric.name: metric for metric in (*TRAINING, *VALIDATION, EARLY_ACCURACY)}


def of_training(*, epochs: int, validation: int) -> tuple[Metric, ...]:
    """What a training of so many epochs yields, with so many images held out."""
    early = (EARLY_ACCURACY,) if epochs <= SHORT_EPOCHS else ()
    return (*TRAINING, *(VALIDATION if validation else ()), *early)


def assumed(name: str) -> Metric:
    """Of a series that nobody declared: drawn and listed under its name, not judged.

    What a machine says of itself (`system/…`) goes on beside the training; anything else belongs to its steps.
    """
    return KNOWN.get(name) or Metric(name, name, per="second" if name.startswith("system/") else "step")


class Declared(Protocol):
    """What is said of a series, here or over the API."""

    @property
    def per(self) -> str: ...


def is_of_machine(name: str, declared: Mapping[str, Declared]) -> bool:
    """Of a series: it says what a run uses of the machine, and nothing of its training. `declared`: what is said of
    each, by name."""
    return (declared.get(name) or assumed(name)).per == "second"
