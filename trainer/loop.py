"""The training loop, in reading order: what is measured, how losses come off the device, one run."""

import math
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from trainer import captured, catalog, compiler, convolution, forward, metrics, pooling, schedule
from trainer.evaluate import Tested, evaluate
from trainer.loaded import LoadedData, Part
from trainer.spec import RunSpec


class Measurement(NamedTuple):
    """One point of one series."""

    name: str  # of one of `metrics.KNOWN`
    step: int  # optimiser updates done, from 1
    time: float  # seconds of training when it was taken
    value: float  # in the metric's unit


class Diverged(ArithmeticError):
    """The loss is no longer a number that can be trained on."""

    def __init__(self, loss: Measurement) -> None:
        self.step = loss.step
        which = {metrics.TEST_LOSS.name: "test loss", metrics.VALIDATION_LOSS.name: "validation loss"}.get(
            loss.name, "loss"
        )
        what = "NaN" if math.isnan(loss.value) else "infinite"
        super().__init__(f"{which} became {what} at step {loss.step}")


BLOCK = 64  # steps whose values come off a GPU together
BLOCK_SECONDS = 0.1  # or all there are, when that takes longer


@dataclass
class StepBuffer:
    """What each step measured, on its way off the device; whoever takes it meets Diverged at the first loss that is no
    number.

    On a GPU the values gather there and are copied in blocks, and a block is read when the next one is sent: the GPU
    never waits for the recording of its losses. On the CPU a value is there at once.
    """

    device: torch.device
    in_blocks: bool | None = None
    """None: on a GPU."""
    before: float = 0.0  # seconds of training of earlier attempts
    began: float = field(default_factory=time.perf_counter)
    _gathered: list[tuple[int, float, Tensor]] = field(default_factory=list)
    _sent: list[tuple[int, float]] = field(default_factory=list)
    _copy: Tensor | None = None
    _event: "torch.cuda.Event | None" = None
    _sent_at: float = 0.0

    def __post_init__(self) -> None:
        if self.in_blocks is None:
            self.in_blocks = self.device.type == "cuda"

    @property
    def seconds(self) -> float:
        """Seconds of training so far, those before a resume included."""
        return self.before + time.perf_counter() - self.began

    def go_on_from(self, seconds: float) -> None:
        """Count on from so many seconds."""
        self.before, self.began = seconds, time.perf_counter()

    def add(self, step: int, values: Tensor) -> None:
        """A step's value of each metric of `OF_A_STEP`, in that order, shape (metrics,)."""
        self._gathered.append((step, self.seconds, values))

    def ready(self) -> Iterator[Measurement]:
        """What has come off by now; nothing most of the time on a GPU."""
        if not self.in_blocks:
            yield from self.flush()
        elif len(self._gathered) >= BLOCK or self.seconds - self._sent_at > BLOCK_SECONDS:
            arrived = self._arrived()
            self._send()
            yield from _measured(arrived)

    def flush(self) -> Iterator[Measurement]:
        """All that was added; waits for the device."""
        gathered, self._gathered = self._gathered, []
        rest = [(step, seconds, values.tolist()) for step, seconds, values in gathered]
        yield from _measured(self._arrived() + rest)

    def _send(self) -> None:
        """Let what has gathered come off, all together."""
        gathered, self._gathered = self._gathered, []
        self._sent = [(step, seconds) for step, seconds, _ in gathered]
        values = torch.stack([of_step for _, _, of_step in gathered])
        if values.is_cuda:
            self._copy = torch.empty(values.shape, pin_memory=True).copy_(values, non_blocking=True)
            self._event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            self._event.record(torch.cuda.current_stream(self.device))
        else:
            self._copy = values
        self._sent_at = self.seconds

    def _arrived(self) -> "list[tuple[int, float, list[float]]]":
        """Step, seconds and values of what was sent, at most once; waits for it."""
        if self._copy is None:
            return []
        if self._event is not None:
            self._event.synchronize()
        sent, values = self._sent, self._copy.tolist()
        self._sent, self._copy, self._event = [], None, None
        return [(*when, of_step) for when, of_step in zip(sent, values, strict=True)]


OF_A_STEP = (metrics.TRAIN_LOSS.name, metrics.GRADIENT_NORM.name)


def _measured(steps: Iterable[tuple[int, float, list[float]]]) -> Iterator[Measurement]:
    """The measurements of each step, its loss first. Raises Diverged at the first loss that is no number."""
    for step, seconds, values in steps:
        for name, value in zip(OF_A_STEP, values, strict=True):
            found = Measurement(name, step, seconds, value)
            yield _finite(found) if name == metrics.TRAIN_LOSS.name else found


@dataclass
class State:
    """What training changes: all that must be kept to go on exactly where it stopped."""

    model: nn.Module
    optimizer: torch.optim.Optimizer
    scaler: torch.amp.GradScaler
    """Keeps small gradients from vanishing in float16; does nothing in other precisions."""
    measured: StepBuffer
    step: int = 0
    epochs_tested: int = 0
    tested: Tested | None = None
    """What the net said of the test set after the last epoch; None before one, and just after a resume."""
    best_accuracy: float = -1.0
    """Of the images that are held out, where there are any; else of the test set."""
    best_epoch: int = 0
    """From 1; the first of those with the best accuracy."""
    best_weights: dict[str, Tensor] | None = None
    """Of that epoch, on the CPU, where the spec keeps them."""

    def __post_init__(self) -> None:
        self.weights = list(self.model.parameters())  # to collect them takes as long as a tenth of a tiny net's step


OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "sgd": partial(torch.optim.SGD, fused=True),
    "adam": partial(torch.optim.Adam, fused=True),
    "adamw": partial(torch.optim.AdamW, fused=True),
    "rmsprop": torch.optim.RMSprop,
}


def build(spec: RunSpec) -> nn.Module:
    """The spec's net with PyTorch's own initial weights from `spec.seed`, on the CPU: the same for every device."""
    compiler.put_off()
    torch.manual_seed(spec.seed)
    model, dataset = catalog.MODELS[spec.model.name], catalog.DATASETS[spec.dataset]
    built = model.build(dataset.shape, len(dataset.classes), **spec.model.knobs)
    convolution.quicken(built)
    pooling.make_repeatable(built)
    return built.to(memory_format=torch.channels_last) if model.channels_last else built


def start(spec: RunSpec, device: torch.device) -> State:
    """A net with its initial weights on the device, and its optimiser."""
    if spec.precision == "float16" and device.type == "cpu":
        raise ValueError("precision is 'float16': the CPU has float32 and bfloat16; choose one of them")
    model = build(spec).to(device)
    knobs = {name: value == "on" if name == "nesterov" else value for name, value in spec.optimizer.knobs.items()}
    optimizer = OPTIMIZERS[spec.optimizer.name](model.parameters(), **knobs)
    scaler = torch.amp.GradScaler(device.type, enabled=spec.precision == "float16")
    return State(model, optimizer, scaler, StepBuffer(device))


def train(spec: RunSpec, data: LoadedData, state: State) -> Iterator[Measurement | None]:
    """Train to the end of the spec; yield every batch's loss, and test loss and accuracy after each epoch; of a short
    run also the accuracy on some test images every tenth of it.

    A state that was loaded from a checkpoint goes on where that was taken, to the same bits.
    Yields None after each batch: all that has come off the device is yielded then, so that whoever listens can keep a
    checkpoint, or stop by not asking for more. Raises Diverged at the first loss that is not finite.
    """
    measured, size = state.measured, len(data.labels)
    measured.go_on_from(measured.seconds)
    take = _Steps(spec, data, state)
    early = early_steps(spec)
    while state.epochs_tested < spec.epochs and not stops_early(spec, state):
        epoch = state.epochs_tested
        order = torch.from_numpy(data_order(spec.seed, epoch, size)).to(data.device)
        data.draw(epoch)
        for indices in torch.split(order, spec.batch_size)[state.step - epoch * spec.steps_per_epoch :]:
            state.step += 1
            measured.add(state.step, take(indices))
            yield from measured.ready()
            if state.step in early:
                yield from measured.flush()
                yield from _tested_early(spec, data, state)
            yield None
        yield from measured.flush()
        validated = (yield from _tested(spec, data, state, "validation")) if spec.validation else None
        state.tested = yield from _tested(spec, data, state, "test")
        state.epochs_tested = epoch + 1  # only now: a checkpoint in between tests this epoch again
        _remember_best(spec, state, validated or state.tested)


EARLY_IMAGES = 500
EARLY_PARTS = 10


def early_steps(spec: RunSpec) -> frozenset[int]:
    """Of a short run every tenth of its steps, but for those that end an epoch, which are tested anyway."""
    if spec.epochs > metrics.SHORT_EPOCHS:
        return frozenset()
    tenths = {round(spec.steps_total * part / EARLY_PARTS) for part in range(1, EARLY_PARTS)}
    return frozenset(step for step in tenths if step % spec.steps_per_epoch)


def _tested_early(spec: RunSpec, data: LoadedData, state: State) -> Iterator[Measurement | None]:
    """Yield the accuracy on some test images. It changes nothing: neither weights nor what is drawn at random."""
    for tested in evaluate(spec, state.model, data, most=EARLY_IMAGES):
        if tested is not None:
            yield Measurement(metrics.EARLY_ACCURACY.name, state.step, state.measured.seconds, tested.accuracy)


def _tested(spec: RunSpec, data: LoadedData, state: State, part: Part) -> Generator[Measurement | None, None, Tested]:
    """Yield None after each batch, then loss and accuracy on that part; return what the net said of it."""
    loss, accuracy = TESTS[part]
    for tested in evaluate(spec, state.model, data, part):
        if tested is None:
            yield None
        else:
            said = tested
    yield _finite(Measurement(loss.name, state.step, state.measured.seconds, said.loss))
    yield Measurement(accuracy.name, state.step, state.measured.seconds, said.accuracy)
    return said


TESTS = {
    "test": (metrics.TEST_LOSS, metrics.TEST_ACCURACY),
    "validation": (metrics.VALIDATION_LOSS, metrics.VALIDATION_ACCURACY),
}
"""What is measured on each part."""


class _Steps:
    """Takes the steps of an attempt, each of a batch: after the first few, on a GPU, as one graph where that can be."""

    def __init__(self, spec: RunSpec, data: LoadedData, state: State) -> None:
        self._spec, self._data, self._state = spec, data, state
        self._can_capture = captured.can_capture(spec, data.device)
        self._updates_in_graph = captured.can_capture_update(spec)
        self._captured: captured.CapturedStep | None = None
        self._taken = 0

    def __call__(self, indices: Tensor) -> Tensor:
        """Take the step of the images at `indices` (n,); what `OF_A_STEP` measures."""
        if self._captured is None and self._can_capture and self._taken == captured.EAGER_STEPS:
            self._capture()
        if self._captured is None or len(indices) != self._spec.batch_size:
            self._taken += 1
            values = self._gradients(indices)
            self._update()
            if self._captured is not None:
                self._captured.restore_gradients()
        else:
            values = self._captured(indices)
            if not self._updates_in_graph:
                self._update()
        return values

    def _capture(self) -> None:
        def step(indices: Tensor) -> Tensor:
            values = self._gradients(indices)
            if self._updates_in_graph:
                self._update()
            return values

        state = self._state
        self._captured = captured.CapturedStep(step, state.optimizer, self._spec.batch_size, self._data.device)

    def _gradients(self, indices: Tensor) -> Tensor:
        """The weights' gradients, clipped; the loss, and the norm of the gradient before it was clipped."""
        spec, state = self._spec, self._state
        images, labels = self._data.batch(indices)
        state.optimizer.zero_grad()
        given = forward.outputs(spec, state.model, images)
        loss = forward.loss(spec, given, labels, smoothing=spec.label_smoothing)
        torch.autograd.backward(state.scaler.scale(loss))
        state.scaler.unscale_(state.optimizer)
        norm = nn.utils.get_total_norm([weights.grad for weights in state.weights if weights.grad is not None])
        if spec.gradient_clip:
            nn.utils.clip_grads_with_norm_(state.weights, spec.gradient_clip, norm)
        return torch.stack((loss.detach(), norm))

    def _update(self) -> None:
        """Change the weights, at the schedule's learning rate."""
        spec, state = self._spec, self._state
        if spec.schedule != "constant" or spec.warmup_epochs:
            for group in state.optimizer.param_groups:
                group["lr"] = spec.optimizer.knobs["lr"] * schedule.factor(spec, state.step)
        state.scaler.step(state.optimizer)
        state.scaler.update()


def _remember_best(spec: RunSpec, state: State, judged: Tested) -> None:
    """`judged`: what the net said of the images by which the best epoch is chosen."""
    if judged.accuracy <= state.best_accuracy:
        return
    state.best_accuracy, state.best_epoch = judged.accuracy, state.epochs_tested
    if spec.keep == "best":
        state.best_weights = {name: value.cpu().clone() for name, value in state.model.state_dict().items()}


def stops_early(spec: RunSpec, state: State) -> bool:
    """True: the accuracy has not become better for as many epochs as the spec waits."""
    return bool(spec.early_stopping) and state.epochs_tested - state.best_epoch >= spec.early_stopping


def last_test(spec: RunSpec, data: LoadedData, state: State) -> Iterator[Tested | None]:
    """What the trained net says of the test set, with the weights of the best epoch where the spec keeps those.

    `train` has asked it already, unless it had nothing left to do or the best epoch was an earlier one.
    """
    if state.best_weights is not None and state.best_epoch < state.epochs_tested:
        state.model.load_state_dict(state.best_weights)
        state.tested = None
    yield from evaluate(spec, state.model, data) if state.tested is None else (state.tested,)


def data_order(seed: int, epoch: int, size: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """The order of the training images in an epoch (from 0), shape (size,): from seed and epoch alone."""
    return np.random.default_rng([seed, epoch]).permutation(size)


def _finite(loss: Measurement) -> Measurement:
    if not math.isfinite(loss.value):
        raise Diverged(loss)
    return loss
