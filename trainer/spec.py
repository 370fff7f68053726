"""RunSpec: everything that decides what one run trains, validated once and frozen.

No torch here: the server validates specs, only a worker trains them.
"""

import difflib
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model, field_validator, model_validator

from trainer import catalog
from trainer.data.folder import is_name as is_folder
from trainer.data.folder import stem
from trainer.entries import Knob, shown
from trainer.paths import join, leaf

DEVICE = re.compile(r"auto|cpu|cuda(:\d{1,2})?")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with an input: `field` is a path (`optimizer.lr`), `message` a whole sentence."""

    field: str
    message: str


class SpecError(ValueError):
    """A spec that can't be trained; `problems` names every field that is wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = list(problems)
        super().__init__("; ".join(problem.message for problem in self.problems))


class _Misfit(ValueError):
    """Two fields that don't go together; `field` is the one to change."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class _Named(BaseModel):
    """A name and the knobs that belong to it, as one flat object: `{"name": "fc", "n_hidden": 8}`."""

    model_config = ConfigDict(frozen=True, extra="allow")
    what: ClassVar[str]
    default: ClassVar[str]

    name: str

    @property
    def knobs(self) -> dict[str, Any]:
        return dict(self.__pydantic_extra__ or {})

    @staticmethod
    def offered() -> Mapping[str, tuple[Knob, ...]]:
        raise TypeError("a subclass says what is offered")

    @model_validator(mode="before")
    @classmethod
    def _filled(cls, value: object) -> dict[str, Any]:
        """Check name and knobs against what is offered and fill in the defaults."""
        offered = cls.offered()
        if isinstance(value, _Named):
            value = {"name": value.name, **value.knobs}
        given = {"name": value} if isinstance(value, str) else value
        if not isinstance(given, Mapping):
            raise ValueError(f"is {shown(value)}: give a name ({' or '.join(offered)}) or an object with a name")
        name = given.get("name", cls.default)
        if not isinstance(name, str) or name not in offered:
            raise ValueError(f"is {shown(name)}: there is no such {cls.what}; choose {' or '.join(offered)}")
        knobs = {knob.name: knob for knob in offered[name]}
        for key in given:
            if key != "name" and key not in knobs:
                raise ValueError(f".{key!s:.60} is not a knob of {name}: it has {', '.join(knobs) or 'none'}")
        filled: dict[str, Any] = {"name": name}
        for key, knob in knobs.items():
            try:
                filled[key] = knob.check(given.get(key, knob.default))
            except ValueError as error:
                raise ValueError(f".{key} {error}") from None
        return filled


class ModelSpec(_Named):
    """Which network, with its knobs. A plain string stands for the model with default knobs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "cnn", "n_features": 6}]})
    what = "model"
    default = "cnn"

    @staticmethod
    def offered() -> Mapping[str, tuple[Knob, ...]]:
        return {name: model.knobs for name, model in catalog.MODELS.items()}


class OptimizerSpec(_Named):
    """Which optimiser, with its knobs. A plain string stands for the optimiser with default knobs."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "sgd", "lr": 0.01, "momentum": 0.5}]})
    what = "optimizer"
    default = "sgd"

    @staticmethod
    def offered() -> Mapping[str, tuple[Knob, ...]]:
        return {name: optimizer.knobs for name, optimizer in catalog.OPTIMIZERS.items()}


_KINDS: Mapping[str, type] = {"int": int, "float": float}


def _field(knob: Knob) -> Any:
    """A knob of the catalogue as a field of pydantic's: its type, default and help."""
    of_kind: Any = Literal[knob.choices] if knob.kind == "choice" else _KINDS[knob.kind]
    return of_kind, Field(default=knob.default, description=f"{knob.help}.")


if TYPE_CHECKING:

    class _Fields(BaseModel):
        """Beside these every knob of `catalog.TRAINING`, by its name."""

        model: ModelSpec
        dataset: str
        optimizer: OptimizerSpec
        device: str
        seed: int
        epochs: int
        batch_size: int

        def __getattr__(self, name: str) -> Any: ...

else:
    _Fields = create_model(
        "_Fields",
        model=(ModelSpec, Field(default="cnn", description="Network and its knobs.")),
        dataset=(str, Field(default="digits", description="Data set.")),
        **{name: _field(knob) for name, knob in catalog.TRAINING.items()},
        optimizer=(OptimizerSpec, Field(default="sgd", description="Optimiser and its knobs.")),
        device=(
            str,
            Field(default="auto", description="auto (CUDA where there is one, else the CPU), cpu, cuda, cuda:N."),
        ),
    )


class RunSpec(_Fields):
    """One training: a model, a data set, and every knob that decides the result.

    Its training knobs are those of `catalog.TRAINING`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    @field_validator(*catalog.TRAINING, mode="before")
    @classmethod
    def _in_range(cls, value: object, info: Any) -> Any:
        return catalog.TRAINING[info.field_name].check(value)

    @field_validator("dataset", mode="before")
    @classmethod
    def _known_dataset(cls, value: object) -> object:
        if isinstance(value, str):
            value = catalog.canonical(value)
        if is_folder(value) and value not in catalog.DATASETS:
            read = [name for name in catalog.DATASETS if is_folder(name) and stem(name) == stem(str(value))]
            if read:
                raise ValueError(f"is {shown(value)}: there is no such version; choose {' or '.join(read)}")
            raise ValueError(
                f"is {shown(stem(str(value)))}: that folder was not read yet; read it first, on the Data page"
            )
        if isinstance(value, str) and "/" in value:
            raise ValueError(
                f"is {shown(value)}: that is a path; put the folder, or a link to it, into the directory of data sets, "
                "read it on the Data page, and give its name alone, as folder:pets"
            )
        if not isinstance(value, str) or value not in catalog.DATASETS:
            raise ValueError(f"is {shown(value)}: there is no such data set; choose {' or '.join(catalog.DATASETS)}")
        return value

    @field_validator("device", mode="before")
    @classmethod
    def _known_device(cls, value: object) -> object:
        if not isinstance(value, str) or not DEVICE.fullmatch(value):
            raise ValueError(f"is {shown(value)}: choose auto, cpu, cuda or cuda:N")
        return value

    @model_validator(mode="after")
    def _fits(self) -> Self:
        shapes, shape = catalog.MODELS[self.model.name].shapes, catalog.DATASETS[self.dataset].shape
        if shape not in shapes:
            raise _Misfit(
                "model",
                f"model {self.model.name} can't take {self.dataset}'s images of shape {shape}: "
                f"it takes {', '.join(map(str, shapes))}",
            )
        if self.train_size < 1:
            there = catalog.DATASETS[self.dataset].train_size
            message = f"validation is {self.validation}: {self.dataset} has {there:,} training images; hold out fewer"
            raise _Misfit("validation", message)
        optimizer = self.optimizer.knobs
        if optimizer.get("nesterov") == "on" and optimizer["momentum"] == 0:
            message = "optimizer.nesterov is 'on' with momentum 0: give it a momentum, such as 0.9, or leave it off"
            raise _Misfit("optimizer.nesterov", message)
        if self.precision == "float16" and self.device == "cpu":
            message = "precision is 'float16': the CPU has float32 and bfloat16; choose one, or device cuda"
            raise _Misfit("precision", message)
        return self

    @property
    def augments(self) -> bool:
        """True: a training image is another one in each epoch."""
        return bool(self.crop_padding > 0 or self.flip != "off" or self.cutout > 0)

    @property
    def train_size(self) -> int:
        """Images that are trained on: those that are not held out."""
        return catalog.DATASETS[self.dataset].train_size - int(self.validation)

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(self.train_size / self.batch_size)

    @property
    def steps_total(self) -> int:
        return self.steps_per_epoch * self.epochs

    @property
    def parameters(self) -> int:
        """Trainable parameters of the model on this data set."""
        model, dataset = catalog.MODELS[self.model.name], catalog.DATASETS[self.dataset]
        return model.parameters(self.model.knobs, dataset.shape, len(dataset.classes))

    def to_json(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


def parse(value: object) -> RunSpec:
    """Validate an object from outside as a RunSpec; raise SpecError naming every field that is wrong."""
    try:
        return RunSpec.model_validate(value)
    except ValidationError as error:
        raise SpecError(_problems(error)) from None


def instead_of(word: str, prefix: str = "") -> str:
    """The way out for what is no knob: the place of one of that name, one that is spelt like it, or all there are.

    `prefix`: what stands before the path of a knob where it was given.
    """
    every = [*RunSpec.model_fields]
    for head, entries in (("model", catalog.MODELS), ("optimizer", catalog.OPTIMIZERS)):
        every += [join(head, knob.name) for entry in entries.values() for knob in entry.knobs]
    leaves: dict[str, dict[str, None]] = {}
    for path in every:
        leaves.setdefault(leaf(path), {})[path] = None
    close = [word] if word in leaves else difflib.get_close_matches(word, leaves, 1, 0.75)
    if close:
        return f"do you mean {' or '.join(prefix + path for path in leaves[close[0]])}?"
    return f"choose from {', '.join((*RunSpec.model_fields, 'model.KNOB', 'optimizer.KNOB'))}"


def _problems(error: ValidationError) -> list[Problem]:
    """Pydantic's errors as whole sentences: field, value, way out."""
    found = []
    for item in error.errors(include_url=False):
        path = ".".join(str(part) for part in item["loc"])
        if item["type"] == "value_error":
            text = str(item["ctx"]["error"])
            if isinstance(item["ctx"]["error"], _Misfit):
                found.append(Problem(item["ctx"]["error"].field, text))
                continue
            if text.startswith("."):  # a knob of a named object: the path goes on
                knob, _, rest = text[1:].partition(" ")
                path, text = f"{path}.{knob}", rest
            message = f"{path} {text}" if path else text
        elif item["type"] == "extra_forbidden":
            message = f"{path:.60} is not a knob: {instead_of(path)}"
        else:
            message = f"{path or 'spec'} is {shown(item['input'])}: {item['msg'][0].lower()}{item['msg'][1:]}"
        found.append(Problem(path or "spec", message))
    return found
