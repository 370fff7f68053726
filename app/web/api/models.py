"""/models: what can be trained, layer by layer, and what a finished run's first layer looks for."""

import base64
from typing import Annotated, Any

import numpy as np
from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from app.store import artifacts, runs
from app.store.engine import reading
from app.web.limits import SlowWork, slowly
from app.web.problems import Refused, documented
from app.web.schemas import RunId
from app.web.state import Database, SettingsNow
from trainer import catalog
from trainer.entries import Layer, shown
from trainer.layers import TraceError, layers
from trainer.spec import parse

router = APIRouter(tags=["models"])
KINDS = {"fully connected layer": "linear", "convolution": "conv"}
"""What layers with parameters are called, and how their titles begin."""
Name = Annotated[str, Path(max_length=100, description="Model.", examples=["cnn"])]
_SLOW = SlowWork("looks at models", at_once=2, waiting=6)
"""Each traces a net in a process of its own, which takes seconds."""


class LayerOut(BaseModel):
    """One layer, in the order in which they compute."""

    path: str = Field(description="Its place in the net's module tree.")
    title: str
    output: list[int] = Field(description="Shape of what it gives for one image.")
    parameters: int
    multiply_adds: int = Field(description="For one image.")


class LayersOut(BaseModel):
    """A net on a data set's images, layer by layer."""

    model: str
    dataset: str
    knobs: dict[str, Any]
    shape: list[int] = Field(description="Of one image: channels, height, width.")
    classes: int
    parameters: int
    multiply_adds: int
    layers: list[LayerOut]
    answer: str = Field(description="Where its parameters are, in a sentence.")


class FiltersOut(BaseModel):
    """Weights of a trained net's first layer, largest first: float32, little-endian, in base64."""

    run: int
    shape: list[int] = Field(description="Units, channels, height, width.")
    weights: str


@router.get("/models/{name}/layers", summary="A model, layer by layer", responses=documented(404, 422, 503))
@slowly(_SLOW)
def get_layers(
    settings: SettingsNow,
    name: Name,
    dataset: Annotated[str, Query(max_length=100, description="Whose images it takes.", examples=["mnist"])] = "digits",
    knob: Annotated[
        list[Annotated[str, Field(max_length=200)]],
        Query(max_length=20, description="Other than default, as n_hidden=16.", examples=[["n_features=6"]]),
    ] = [],  # noqa: B006
) -> LayersOut:
    """From a forward pass in a process of its own; the first time takes some seconds, then it is kept."""
    if name not in catalog.MODELS:
        message = f"model is {shown(name)}: there is no such model; choose {' or '.join(catalog.MODELS)}"
        raise Refused(404, "name", message)
    spec = parse({"model": {"name": name, **_knobs(name, knob)}, "dataset": dataset})
    data = catalog.DATASETS[spec.dataset]
    try:
        found = layers(name, spec.model.knobs, data.shape, len(data.classes), settings.layers_dir)
    except TraceError as error:
        raise Refused(503, "name", str(error)) from None
    return LayersOut(
        model=name,
        dataset=dataset,
        knobs=dict(spec.model.knobs),
        shape=list(data.shape),
        classes=len(data.classes),
        parameters=spec.parameters,
        multiply_adds=sum(layer.multiply_adds for layer in found),
        layers=[LayerOut(**{**vars(layer), "output": list(layer.output)}) for layer in found],
        answer=_answer(found),
    )


@router.get("/runs/{run_id}/filters", summary="Its first layer's weights", responses=documented(404, 422, 503))
def get_filters(run_id: RunId, engine: Database, settings: SettingsNow) -> FiltersOut:
    """At most 64 units. A linear layer's weights stand where their pixels stand in the original image."""
    with reading(engine) as session:
        run = runs.get(session, run_id)
    try:
        weights = np.load(artifacts.filters(settings, run.files), allow_pickle=False)
    except FileNotFoundError:
        message = f"run {run_id} has none kept: only runs that succeeded have"
        raise Refused(404, "run_id", f"{message}; it is {run.status}") from None
    except (ValueError, OSError, EOFError) as error:
        raise Refused(503, "run_id", f"the filters of run {run_id} can't be read ({error}): relaunch it") from None
    return FiltersOut(
        run=run_id, shape=list(weights.shape), weights=base64.b64encode(weights.astype("<f4").tobytes()).decode()
    )


def _knobs(name: str, given: list[str]) -> dict[str, Any]:
    """`n_hidden=16` to {"n_hidden": 16.0}; what is wrong with it is said when it is parsed."""
    kinds = {knob.name: knob.kind for knob in catalog.MODELS[name].knobs}
    found: dict[str, Any] = {}
    for one in given:
        key, sign, text = one.partition("=")
        if not sign:
            raise Refused(422, "knob", f"knob is {shown(one)}: give name and value, as n_hidden=16")
        if key not in kinds:
            choices = " or ".join(kinds) or "none: it has no knobs"
            raise Refused(422, "knob", f"knob is {shown(one)}: {shown(key)} is no knob of {name}; choose {choices}")
        try:
            found[key] = text if kinds.get(key) == "choice" else float(text)
        except ValueError:
            found[key] = text
    return found


def _answer(found: list[Layer]) -> str:
    """Which layers hold most of the parameters, and how much of the work they do."""
    total, work = sum(layer.parameters for layer in found), sum(layer.multiply_adds for layer in found) or 1
    kinds = [(noun, [one for one in found if one.title.startswith(start)]) for noun, start in KINDS.items()]
    noun, most = max(kinds, key=lambda kind: sum(layer.parameters for layer in kind[1]))
    if not most:
        return f"It has {total:,} parameters."
    words, verb = (f"The {noun} holds", "does") if len(most) == 1 else (f"The {noun}s hold", "do")
    if len(most) > 2 and sum(layer.parameters for layer in most) > 0.95 * total:  # nearly all: say where among them
        largest, held = sorted(most, key=lambda layer: -layer.parameters), 0
        count = 0
        while held < 0.6 * total:
            held += largest[count].parameters
            count += 1
        words, verb = f"The {count} largest of {len(most)} {noun}s hold", "do"
        if count == 1:
            words, verb = f"The largest of {len(most)} {noun}s holds", "does"
        most = largest[:count]
    share, done = sum(layer.parameters for layer in most) / total, sum(layer.multiply_adds for layer in most) / work
    return f"{words} {share:.0%} of the parameters and {verb} {done:.0%} of the work."
