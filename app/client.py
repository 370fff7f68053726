"""The Python client of a Runyard server.

    from app.client import Client

    with Client("http://127.0.0.1:8000") as runyard:
        experiment = runyard.launch_experiment(
            "Learning rates", base={"model": "cnn", "epochs": 5}, grid={"optimizer.lr": [0.01, 0.1], "seed": [1, 2, 3]}
        )
        for run in runyard.watch(experiment.run_ids):
            print(run.name, run.steps_done, run.status)
        print(runyard.compare(experiment=experiment.id)["verdict"]["sentences"])

`AsyncClient` has the same methods, to be awaited, and `async for` where `Client` has `for`. Errors:

RunyardError
  Unreachable     no server answers
  Refused         the server said no; status, field problems and its own words are in the error
    Unauthorized    401, 403: the token is missing, wrong or read-only
    NotFound        404
    Conflict        409: the run's state does not allow it
    Invalid         400, 413, 422: a field is wrong
  TimedOut        what was waited for did not come
"""

import asyncio
import contextlib
import csv
import functools
import inspect
import io
import json
import math
import os
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Concatenate, Generic, Literal, NamedTuple, NoReturn, ParamSpec, Self, TypeVar, overload
from urllib.parse import quote, urlsplit

import httpx
from pydantic import BaseModel, ConfigDict

T = TypeVar("T")
P = ParamSpec("P")
Spec = Mapping[str, Any]
Action = Literal["stop", "pause", "resume", "first", "delete", "restore", "tag"]

URL = "http://127.0.0.1:8000"
ENDED = frozenset({"succeeded", "failed", "stopped", "paused", "lost"})
PAGE = 500
POLL_SECONDS = 0.2
RETRY_SECONDS = 0.5
MOST_RETRIES = 20  # of a live stream that broke, ten seconds together: a server that restarts is back by then
MOST_NAMED = 250  # runs that a stream can be asked for by id


class RunyardError(Exception):
    """str() says what is wrong and what to do."""


class Unreachable(RunyardError):
    pass


class TimedOut(RunyardError):
    pass


class Refused(RunyardError):
    """The server's problem document."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title") or f"the server answered {status}")
        self.status = status
        self.errors: list[dict[str, str]] = list(problem.get("errors", []))


class Unauthorized(Refused):
    pass


class NotFound(Refused):
    pass


class Conflict(Refused):
    pass


class Invalid(Refused):
    pass


class _Answer(BaseModel):
    """What the server sent; fields that a newer server adds are kept."""

    model_config = ConfigDict(extra="allow", frozen=True)


class Summary(_Answer):
    """One series in short; an accuracy is a fraction."""

    last: float | None
    best: float | None
    best_step: int | None
    final: float | None

    @property
    def kept(self) -> float | None:
        """The value at the weights that were kept, or the last of a run that has kept none."""
        return self.last if self.final is None else self.final


class Metric(_Answer):
    """What a run says of one of its series."""

    title: str
    unit: str
    better: str | None
    per: str


class Attempt(_Answer):
    """One life of a run's worker process."""

    n: int
    started_at: datetime
    ended_at: datetime | None
    from_step: int
    cause: str | None


class Run(_Answer):
    """A run as it was when it was asked for."""

    id: int
    experiment_id: int | None
    name: str
    tags: list[str]
    note: str
    status: str
    cause: str | None
    spec: dict[str, Any]
    parameters: int
    device: str | None
    seconds: float
    steps_done: int
    steps_total: int
    steps_per_epoch: int
    summary: dict[str, Summary]
    metrics: dict[str, Metric]
    created_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    retry_at: datetime | None
    attempts: list[Attempt]

    @property
    def is_over(self) -> bool:
        """It will not go on by itself."""
        return self.status in ENDED and self.retry_at is None


class Experiment(_Answer):
    """A named question: the runs that belong together."""

    id: int
    name: str
    note: str
    base: dict[str, Any]
    grid: dict[str, list[Any]]
    created_at: datetime
    run_ids: list[int]
    counts: dict[str, int]
    to_relaunch: int
    """Runs that failed or were lost, were not launched again since, and will not resume by themselves."""


class RefusedRun(_Answer):
    run: int
    message: str


class Done(_Answer):
    """What became of one action on many runs."""

    run_ids: list[int]
    refused: list[RefusedRun]


class Point(NamedTuple):
    """One measurement: step from 1, seconds of training, value."""

    step: int
    time: float
    value: float


class Event(NamedTuple):
    """Something that changed: kind `run`, `deleted` or `counts`, what the server says of it, its id."""

    kind: str
    data: dict[str, Any]
    id: str


@dataclass(frozen=True)
class _Call(Generic[T]):
    method: str
    path: str
    parse: Callable[[httpx.Response], T]
    params: dict[str, Any] = field(default_factory=dict)
    body: Any = None

    def arguments(self) -> dict[str, Any]:
        given = {key: value for key, value in self.params.items() if value not in (None, "", [])}
        return {"method": self.method, "url": self.path, "params": given, "json": _as_body(self.body)}


def _as_body(given: Any, path: str = "") -> Any:
    """What JSON can carry: NumPy's numbers and arrays become Python's. Raises RunyardError with what it can't."""
    where = f"{path or 'the value'} is {given!r}"
    if given is None or isinstance(given, bool | int):
        return given
    if isinstance(given, str):
        try:
            given.encode()
        except UnicodeEncodeError:
            raise RunyardError(f"{where}: it is not UTF-8") from None
        return given
    if isinstance(given, Mapping):
        named = {str(key): one for key, one in given.items()}
        return {_as_body(key, path): _as_body(one, f"{path}.{key}" if path else key) for key, one in named.items()}
    if isinstance(given, float):
        if not math.isfinite(given):
            raise RunyardError(f"{where}: give a finite number")
        return given
    if hasattr(given, "tolist"):  # of NumPy, or a tensor
        return _as_body(given.tolist(), path)
    if isinstance(given, Iterable):
        return [_as_body(one, path) for one in given]
    raise RunyardError(f"{where}: give numbers, words, lists and dicts")


def _as_run(answer: httpx.Response) -> Run:
    return Run.model_validate_json(answer.content)


def _as_experiment(answer: httpx.Response) -> Experiment:
    return Experiment.model_validate_json(answer.content)


def _as_done(answer: httpx.Response) -> Done:
    return Done.model_validate_json(answer.content)


def _as_json(answer: httpx.Response) -> dict[str, Any]:
    found: dict[str, Any] = answer.json()
    return found


def _as_rows(answer: httpx.Response) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = answer.json()
    return found


def _as_ids(answer: httpx.Response) -> list[int]:
    found: list[int] = answer.json()["run_ids"]
    return found


def _format_of(path: Path | str | IO[bytes]) -> str:
    ending = Path(path).suffix.lstrip(".") if isinstance(path, str | Path) else ""
    return ending if ending in ("csv", "json", "parquet") else "csv"


@contextlib.contextmanager
def _opened(path: Path | str | IO[bytes]) -> Iterator[IO[bytes]]:
    """A file to write to; one that is open stays open, and where it is."""
    if isinstance(path, str | Path):
        with Path(path).open("wb") as file:
            yield file
    else:
        yield path
        path.flush()


def _as_text(answer: httpx.Response) -> str:
    return answer.text


def _as_bytes(answer: httpx.Response) -> bytes:
    return answer.content


def _as_nothing(_: httpx.Response) -> None:
    return None


def _as_points(answer: httpx.Response) -> list[Point]:
    rows = csv.reader(io.StringIO(answer.text))
    next(rows)
    return [Point(int(step), float(time), float(value)) for step, time, value in rows]


def _as_runs(answer: httpx.Response) -> tuple[list[Run], str | None]:
    page = answer.json()
    return [Run.model_validate(item) for item in page["items"]], page["next"]


def _as_experiments(answer: httpx.Response) -> tuple[list[Experiment], str | None]:
    page = answer.json()
    return [Experiment.model_validate(item) for item in page["items"]], page["next"]


def _filters(
    status: Sequence[str],
    experiment: int | None,
    dataset: str | None,
    tags: Sequence[str],
    text: str,
    sort: str,
    archived: bool,
) -> dict[str, Any]:
    """`sort` as the API names it; with a minus before it the greatest first."""
    order = "desc" if sort.startswith("-") else "asc"
    chosen = {"status": list(status), "experiment": experiment, "dataset": dataset, "tag": list(tags), "q": text}
    return {**chosen, "archived": archived or None, "sort": sort.lstrip("-"), "order": order}


def _experiment_body(
    name: str,
    base: Spec,
    grid: Mapping[str, Sequence[Any]],
    question: Mapping[str, Any] | None,
    random: Mapping[str, Any] | None,
) -> dict[str, Any]:
    body = {"name": name, "base": dict(base), "grid": {key: list(values) for key, values in grid.items()}}
    return body | _without_none({"question": question, "random": random})


def _without_none(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if value is not None}


def _headers(token: str | None) -> dict[str, str]:
    token = (token or os.environ.get("RUNYARD_TOKEN") or "").strip()
    if not (token.isascii() and token.isprintable() and " " not in token):
        raise RunyardError("the token has characters that no token has: take it as it was printed, and nothing else")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _base(url: str | None) -> str:
    found = (url or os.environ.get("RUNYARD_URL") or URL).strip().rstrip("/")
    try:
        parts = urlsplit(found)
        is_one = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        is_one = False
    if not is_one:
        raise RunyardError(f"the address of the server is {found.rpartition('@')[2]!r}: give one as {URL}")
    return f"{found}/api/v1"


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.is_success:
        return answer
    try:
        problem = answer.json()
    except ValueError:
        problem = {"detail": f"{answer.url} answered {answer.status_code}, and not as a Runyard server does"}
    kinds: dict[int, type[Refused]] = {401: Unauthorized, 403: Unauthorized, 404: NotFound, 409: Conflict}
    kinds |= {400: Invalid, 413: Invalid, 422: Invalid}
    raise kinds.get(answer.status_code, Refused)(answer.status_code, problem if isinstance(problem, dict) else {})


def _unreachable(base: str, error: httpx.HTTPError) -> NoReturn:
    why, (before, _, address) = str(error) or type(error).__name__, base.removesuffix("/api/v1").rpartition("@")
    where = f"{before.partition('//')[0]}//{address}" if before else address  # a password may stand before it
    raise Unreachable(
        f"no Runyard answers at {where} ({why}): start one with runyard serve, or name the "
        "address of another in RUNYARD_URL"
    ) from error


class _EventLines:
    """Reads server-sent events line by line."""

    def __init__(self) -> None:
        self.last_id = ""
        self._kind, self._data = "", ""

    def take(self, line: str) -> Event | None:
        """The event that this line completes."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "event":
            self._kind = value
        elif name == "data":
            self._data += value
        elif name == "id":
            self.last_id = value
        elif not line and self._data:
            kind, data = self._kind, self._data
            self._kind = self._data = ""
            return Event(kind, json.loads(data), self.last_id)
        return None


class _Watching:
    """Which of the watched runs are not over yet, and what has to be asked for again."""

    def __init__(self, run_ids: Iterable[int]) -> None:
        self.left = set(run_ids)
        self.seen: set[int] = set()
        self.named = sorted(self.left) if len(self.left) <= MOST_NAMED else []
        self._open = False

    def told(self, event: Event) -> list[int]:
        """The runs to ask for: all at the first event, since from then on whatever changes is told."""
        if not self._open:
            self._open = True
            return sorted(self.left)
        if event.kind == "deleted":
            self.left.discard(event.data["run"])
        if event.kind == "missed":
            return sorted(self.left)
        return [event.data["run"]] if event.kind == "run" and event.data["run"] in self.left else []

    def see(self, run: Run) -> None:
        self.seen.add(run.id)
        if run.is_over:
            self.left.discard(run.id)

    def miss(self, run_id: int) -> None:
        """It is not there. Within an `except`: raises that again where it never was."""
        if run_id not in self.seen:
            raise
        self.left.discard(run_id)


class _Endpoint(Generic[P, T]):
    """A method that describes a call: `Client` makes the call, `AsyncClient` lets it be awaited."""

    def __init__(self, describe: Callable[Concatenate[Any, P], _Call[T]]) -> None:
        @functools.wraps(describe)
        def make(client: "Client", *args: P.args, **kwargs: P.kwargs) -> T:
            return client._do(describe(client, *args, **kwargs))

        @functools.wraps(describe)
        async def make_async(client: "AsyncClient", *args: P.args, **kwargs: P.kwargs) -> T:
            return await client._do(describe(client, *args, **kwargs))

        signature = inspect.signature(describe)
        answer = signature.return_annotation.__args__[0]  # of _Call[...]
        self._made = make, make_async
        made: Any
        for made in self._made:
            made.__signature__ = signature.replace(return_annotation=answer)

    @overload
    def __get__(self, client: "Client", kind: type) -> Callable[P, T]: ...

    @overload
    def __get__(self, client: "AsyncClient", kind: type) -> Callable[P, Coroutine[Any, Any, T]]: ...

    @overload
    def __get__(self, client: None, kind: type) -> Callable[..., Any]: ...

    def __get__(self, client: Any, kind: type) -> Any:
        made: Any = self._made[issubclass(kind, AsyncClient)]
        return made.__get__(client, kind)


class _Endpoints:
    """What can be asked of a server, once for both clients."""

    # Launching

    @_Endpoint
    def launch(self, spec: Spec, name: str | None = None) -> _Call[Run]:
        """Queue one run. `spec`: knobs by name, as `{"model": "cnn", "optimizer": {"lr": 0.1}}`."""
        return _Call("POST", "/runs", _as_run, body={"spec": dict(spec), "name": name})

    @_Endpoint
    def launch_experiment(
        self,
        name: str,
        base: Spec,
        grid: Mapping[str, Sequence[Any]],
        question: Mapping[str, Any] | None = None,
        random: Mapping[str, Any] | None = None,
        smallest: float | None = None,
    ) -> _Call[Experiment]:
        """Queue every combination of the grid's values, on top of the base.

        `question`: ask until answered, as `{"knobs": ["pixel_order"], "max_seeds": 20}`; the server then launches seeds
        by itself, in matched sets, until it is settled or the budget ends; with `{"kind": "best", "max_runs": 200}` to
        those configurations of the grid that may be the best, until one is left. `random`: values to be drawn, as
        `{"count": 20, "ranges": {"optimizer.lr": {"low": 0.001, "high": 0.1, "log": True}}}`. `smallest`: the smallest
        difference that matters, of test accuracy or of what is asked; None: 1 point of an accuracy, else 5%.
        """
        body = _experiment_body(name, base, grid, question, random) | _without_none({"smallest": smallest})
        return _Call("POST", "/experiments", _as_experiment, body=body)

    @_Endpoint
    def ask_between(
        self,
        first: int,
        second: int,
        *,
        measure: str = "test/accuracy",
        smallest: float | None = None,
        max_seeds: int = 20,
        max_hours: float | None = None,
        name: str | None = None,
    ) -> _Call[Experiment]:
        """Ask whether the second run's configuration is better than the first's: both are launched with new seeds, in
        pairs, until that is settled or the budget ends."""
        body = {"first": first, "second": second, "measure": measure, "max_seeds": max_seeds}
        more = _without_none({"max_hours": max_hours, "name": name, "smallest": smallest})
        return _Call("POST", "/experiments/ask", _as_experiment, body=body | more)

    @_Endpoint
    def confirm(self, experiment_id: int, max_seeds: int = 30) -> _Call[Experiment]:
        """Find the best again among an experiment's best configuration, the next one and the one with the defaults of
        what was varied, with seeds that nobody used: the winner of several was chosen by its looks."""
        body = {"max_seeds": max_seeds}
        return _Call("POST", f"/experiments/{experiment_id}/confirm", _as_experiment, body=body)

    @_Endpoint
    def plan(
        self,
        name: str,
        base: Spec,
        grid: Mapping[str, Sequence[Any]],
        question: Mapping[str, Any] | None = None,
        random: Mapping[str, Any] | None = None,
    ) -> _Call[dict[str, Any]]:
        """What `launch_experiment` would make; nothing is made."""
        body = _experiment_body(name, base, grid, question, random)
        return _Call("POST", "/experiments/plan", _as_json, body=body)

    @_Endpoint
    def relaunch(self, run_id: int, overrides: Spec | None = None) -> _Call[Run]:
        """A new run with the same knobs but for `overrides`, as `{"optimizer.lr": 0.1}`."""
        return _Call("POST", f"/runs/{run_id}/relaunch", _as_run, body={"overrides": dict(overrides or {})})

    @_Endpoint
    def add_seeds(self, experiment_id: int, seeds: int) -> _Call[list[int]]:
        """So many more seeds of each configuration of an experiment; the ids of the new runs."""
        return _Call("POST", f"/experiments/{experiment_id}/more", _as_ids, body={"seeds": seeds})

    @_Endpoint
    def add_values(self, experiment_id: int, values: Mapping[str, Sequence[Any]]) -> _Call[list[int]]:
        """Each run of an experiment with other values of knobs as well, as `{"optimizer.lr": [0.03]}`; the new ids."""
        body = {"values": {path: list(of_path) for path, of_path in values.items()}}
        return _Call("POST", f"/experiments/{experiment_id}/more", _as_ids, body=body)

    @_Endpoint
    def relaunch_failed(self, experiment_id: int) -> _Call[list[int]]:
        """A new run for each of the experiment's that failed or was lost; their ids."""
        return _Call("POST", f"/experiments/{experiment_id}/relaunch-failed", _as_ids)

    # Looking

    @_Endpoint
    def run(self, run_id: int) -> _Call[Run]:
        return _Call("GET", f"/runs/{run_id}", _as_run)

    @_Endpoint
    def _runs_page(self, cursor: str | None, filters: Mapping[str, Any]) -> _Call[tuple[list[Run], str | None]]:
        return _Call("GET", "/runs", _as_runs, {"limit": PAGE, **filters, "cursor": cursor})

    @_Endpoint
    def experiment(self, experiment_id: int) -> _Call[Experiment]:
        return _Call("GET", f"/experiments/{experiment_id}", _as_experiment)

    @_Endpoint
    def _experiments_page(self, cursor: str | None, archived: bool) -> _Call[tuple[list[Experiment], str | None]]:
        params = {"limit": PAGE, "cursor": cursor, "archived": archived or None}
        return _Call("GET", "/experiments", _as_experiments, params)

    @_Endpoint
    def compare(
        self,
        *,
        experiment: int | None = None,
        runs: Sequence[int] = (),
        measure: str | None = None,
        smallest: float | None = None,
    ) -> _Call[dict[str, Any]]:
        """Configurations side by side: `groups`, `facts`, `verdict`, `differences`, as GET /compare describes them.
        `measure`: what of a run is compared, as `test/accuracy.best`; None: what the experiment's question is on, else
        test accuracy. `smallest`: the smallest difference that matters, in its unit."""
        params = {"experiment": experiment, "run": list(runs), "measure": measure, "smallest": smallest}
        return _Call("GET", "/compare", _as_json, params)

    @_Endpoint
    def related(self, experiment_id: int) -> _Call[list[dict[str, Any]]]:
        """Other experiments in which two or more of its configurations ran, each with its `answer`."""
        return _Call("GET", f"/experiments/{experiment_id}/related", _as_rows)

    @_Endpoint
    def question(self, experiment_id: int) -> _Call[dict[str, Any]]:
        """A question that is asked until answered: `state`, `answer`, `sentences`, the interval after each set."""
        return _Call("GET", f"/experiments/{experiment_id}/question", _as_json)

    @_Endpoint
    def predictions(self, run_id: int) -> _Call[dict[str, Any]]:
        """What a finished run says of the test set: `confusion`, `classes`, `right` of `n`."""
        return _Call("GET", f"/runs/{run_id}/predictions", _as_json)

    @_Endpoint
    def compare_predictions(self, first: int, second: int) -> _Call[dict[str, Any]]:
        """Two finished runs on the same test images: `only_first`, `only_second`, `difference`, `p`."""
        return _Call("GET", "/compare/predictions", _as_json, {"run": [first, second]})

    @_Endpoint
    def points(self, run_id: int, name: str = "train/loss") -> _Call[list[Point]]:
        """Every point of a series, exactly."""
        return _Call("GET", f"/runs/{run_id}/series", _as_points, {"name": name, "raw": "true"})

    @_Endpoint
    def log(self, run_id: int, attempt: int | None = None) -> _Call[str]:
        """The end of its worker's output."""
        return _Call("GET", f"/runs/{run_id}/log", _as_text, {"attempt": attempt})

    @_Endpoint
    def weights(self, run_id: int) -> _Call[bytes]:
        """Its final weights, for `torch.load(io.BytesIO(...), weights_only=True)`."""
        return _Call("GET", f"/runs/{run_id}/weights", _as_bytes)

    @_Endpoint
    def datasets(self) -> _Call[dict[str, Any]]:
        """Every data set and where it is; folders of images that could be read."""
        return _Call("GET", "/datasets", _as_json)

    @_Endpoint
    def dataset(self, name: str) -> _Call[dict[str, Any]]:
        """What a data set holds: classes, mean and deviation by channel, notes."""
        return _Call("GET", f"/datasets/{quote(name)}", _as_json)

    @_Endpoint
    def dataset_state(self, name: str) -> _Call[dict[str, Any]]:
        """Whether it is `prepared`, `preparing` and how far, or why that failed."""
        return _Call("GET", f"/datasets/{quote(name)}/state", _as_json)

    @_Endpoint
    def prepare(self, name: str, again: bool = False) -> _Call[dict[str, Any]]:
        """Begin to download and read a data set, or a folder of images (`folder:NAME`); its state. `again`: a folder
        that was read is read as a new version."""
        return _Call("POST", f"/datasets/{quote(name)}/prepare", _as_json, {"again": again or None})

    @_Endpoint
    def catalog(self) -> _Call[dict[str, Any]]:
        """What can be trained: models, data sets, knobs, presets."""
        return _Call("GET", "/catalog", _as_json)

    @_Endpoint
    def system(self) -> _Call[dict[str, Any]]:
        """The server and its machine."""
        return _Call("GET", "/system", _as_json)

    # Steering

    @_Endpoint
    def stop(self, run_id: int) -> _Call[Run]:
        return _Call("POST", f"/runs/{run_id}/stop", _as_run)

    @_Endpoint
    def pause(self, run_id: int) -> _Call[Run]:
        return _Call("POST", f"/runs/{run_id}/pause", _as_run)

    @_Endpoint
    def resume(self, run_id: int) -> _Call[Run]:
        return _Call("POST", f"/runs/{run_id}/resume", _as_run)

    @_Endpoint
    def move_first(self, run_id: int) -> _Call[Run]:
        """Let a queued run be the next to start."""
        return _Call("POST", f"/runs/{run_id}/first", _as_run)

    @_Endpoint
    def delete(self, run_id: int) -> _Call[None]:
        """Ten minutes long `restore` brings it back."""
        return _Call("DELETE", f"/runs/{run_id}", _as_nothing)

    @_Endpoint
    def restore(self, run_id: int) -> _Call[Run]:
        return _Call("POST", f"/runs/{run_id}/restore", _as_run)

    @_Endpoint
    def describe(
        self, run_id: int, *, name: str | None = None, note: str | None = None, tags: Sequence[str] | None = None
    ) -> _Call[Run]:
        """Rename, note or tag a run; None leaves it as it is."""
        given = {"name": name, "note": note, "tags": None if tags is None else list(tags)}
        return _Call("PATCH", f"/runs/{run_id}", _as_run, body=_without_none(given))

    @_Endpoint
    def bulk(
        self, action: Action, run_ids: Iterable[int], *, add_tags: Sequence[str] = (), remove_tags: Sequence[str] = ()
    ) -> _Call[Done]:
        """One action on many runs; what was refused is named, with the reason."""
        tags = {"add_tags": list(add_tags), "remove_tags": list(remove_tags)}
        return _Call("POST", "/runs/bulk", _as_done, body={"action": action, "run_ids": list(run_ids), **tags})

    @_Endpoint
    def stop_asking(self, experiment_id: int) -> _Call[dict[str, Any]]:
        """Launch no more seeds; runs that are queued or at work go on, and count."""
        return _Call("POST", f"/experiments/{experiment_id}/question/stop", _as_json)

    @_Endpoint
    def keep_asking(self, experiment_id: int) -> _Call[dict[str, Any]]:
        """After a stop, until it is answered; after an answer, until the budget is used up."""
        return _Call("POST", f"/experiments/{experiment_id}/question/continue", _as_json)

    @_Endpoint
    def change_question(
        self,
        experiment_id: int,
        *,
        max_seeds: int | None = None,
        max_runs: int | None = None,
        max_hours: float | None = None,
        smallest: float | None = None,
    ) -> _Call[dict[str, Any]]:
        """Another budget, or another smallest difference that matters; where the budget was spent, asking goes on."""
        given = {"max_seeds": max_seeds, "max_runs": max_runs, "max_hours": max_hours, "smallest": smallest}
        return _Call("PATCH", f"/experiments/{experiment_id}/question", _as_json, body=_without_none(given))

    @_Endpoint
    def stop_experiment(self, experiment_id: int) -> _Call[list[int]]:
        """Stop all its runs that have not ended; their ids."""
        return _Call("POST", f"/experiments/{experiment_id}/stop", _as_ids)

    @_Endpoint
    def delete_experiment(self, experiment_id: int) -> _Call[None]:
        """With its runs; ten minutes long `restore_experiment` brings them back."""
        return _Call("DELETE", f"/experiments/{experiment_id}", _as_nothing)

    @_Endpoint
    def restore_experiment(self, experiment_id: int) -> _Call[Experiment]:
        return _Call("POST", f"/experiments/{experiment_id}/restore", _as_experiment)

    @_Endpoint
    def describe_experiment(
        self,
        experiment_id: int,
        *,
        name: str | None = None,
        note: str | None = None,
        archived: bool | None = None,
        smallest: float | None = None,
    ) -> _Call[Experiment]:
        """Rename, note or archive an experiment, or say which difference matters; None leaves it as it is."""
        given = {"name": name, "note": note, "archived": archived, "smallest": smallest}
        return _Call("PATCH", f"/experiments/{experiment_id}", _as_experiment, body=_without_none(given))


class Client(_Endpoints):
    """One server; close it, or use it in a `with`.

    `url` and `token` come from RUNYARD_URL and RUNYARD_TOKEN where they are not given. `transport` as httpx has it.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 30.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self.base = _base(url)
        self._http = httpx.Client(
            base_url=self.base, headers=_headers(token), timeout=timeout, transport=transport, follow_redirects=False
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()

    def _do(self, call: _Call[T]) -> T:
        try:
            answer = self._http.request(**call.arguments())
        except httpx.HTTPError as error:
            _unreachable(self.base, error)
        return call.parse(_checked(answer))

    def runs(
        self,
        *,
        status: Sequence[str] = (),
        experiment: int | None = None,
        dataset: str | None = None,
        tags: Sequence[str] = (),
        text: str = "",
        sort: str = "-created",
        archived: bool = False,
    ) -> Iterator[Run]:
        """All runs that fit, fetched a page at a time. `sort`: see GET /runs; a minus before it turns it round."""
        filters, cursor, more = _filters(status, experiment, dataset, tags, text, sort, archived), None, True
        while more:
            items, cursor = self._runs_page(cursor, filters)
            yield from items
            more = cursor is not None

    def experiments(self, *, archived: bool = False) -> Iterator[Experiment]:
        """All experiments, newest first; or those in the archive."""
        cursor, more = None, True
        while more:
            items, cursor = self._experiments_page(cursor, archived)
            yield from items
            more = cursor is not None

    def wait_for_answer(self, experiment_id: int, timeout: float | None = None) -> dict[str, Any]:
        """Until asking has ended: the question. Raises TimedOut after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (found := self.question(experiment_id))["state"] == "asking":
            if deadline is not None and time.monotonic() > deadline:
                raise TimedOut(f"experiment {experiment_id} has no answer after {timeout:g} s: {found['sentences'][0]}")
            time.sleep(POLL_SECONDS)
        return found

    def export(
        self,
        path: Path | str | IO[bytes],
        *,
        experiment: int | None = None,
        runs: Sequence[int] = (),
        what: Literal["series", "runs"] = "series",
        format: Literal["csv", "json", "parquet"] | None = None,
        system: bool = False,
    ) -> None:
        """Write runs and every point of theirs to a file, or to one that is open. `format`: without it the file's
        ending says so, else it is CSV. `system`: with what they used of the machine."""
        params = {"experiment": experiment, "run": list(runs), "what": what, "format": format or _format_of(path)}
        params["system"] = system
        call = _Call("GET", "/export", _as_nothing, params)
        try:
            with self._http.stream(**call.arguments()) as answer:
                if not answer.is_success:
                    answer.read()
                _checked(answer)
                with _opened(path) as file:
                    for part in answer.iter_bytes():
                        file.write(part)
        except httpx.HTTPError as error:
            _unreachable(self.base, error)

    # Following

    def events(self, run_ids: Sequence[int] = ()) -> Iterator[Event]:
        """What changes, live, without end; a stream that breaks goes on where it was."""
        lines, failures = _EventLines(), 0
        while True:
            try:
                params = {"run": list(run_ids), "after": lines.last_id or None}
                with self._http.stream(**_Call("GET", "/events", _as_nothing, params).arguments()) as answer:
                    if not answer.is_success:
                        answer.read()
                    _checked(answer)
                    for line in answer.iter_lines():
                        failures = 0
                        event = lines.take(line)
                        if event is not None:
                            yield event
            except httpx.HTTPError as error:
                failures += 1
                if failures > MOST_RETRIES:
                    _unreachable(self.base, error)
            time.sleep(RETRY_SECONDS)

    def watch(self, run_ids: Iterable[int]) -> Iterator[Run]:
        """Each run as it is now, then whenever it changes, until all are over."""
        watching = _Watching(run_ids)
        if not watching.left:
            return
        for event in self.events(watching.named):
            for run_id in watching.told(event):
                try:
                    run = self.run(run_id)
                except NotFound:
                    watching.miss(run_id)  # deleted meanwhile
                    continue
                watching.see(run)
                yield run
            if not watching.left:
                return

    def wait(self, run_ids: Iterable[int], timeout: float | None = None) -> list[Run]:
        """Until all are over; the runs, in the order of the ids. Raises TimedOut after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        found = []
        for run_id in run_ids:
            while not (run := self.run(run_id)).is_over:
                _check_time(run, deadline, timeout)
                time.sleep(POLL_SECONDS)
            found.append(run)
        return found


class AsyncClient(_Endpoints):
    """`Client` for asyncio: the same methods, to be awaited; `runs`, `experiments`, `events` and `watch` go with
    `async for`."""

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout: float = 30.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.base = _base(url)
        self._http = httpx.AsyncClient(
            base_url=self.base, headers=_headers(token), timeout=timeout, transport=transport, follow_redirects=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        await self._http.aclose()

    async def _do(self, call: _Call[T]) -> T:
        try:
            answer = await self._http.request(**call.arguments())
        except httpx.HTTPError as error:
            _unreachable(self.base, error)
        return call.parse(_checked(answer))

    async def runs(
        self,
        *,
        status: Sequence[str] = (),
        experiment: int | None = None,
        dataset: str | None = None,
        tags: Sequence[str] = (),
        text: str = "",
        sort: str = "-created",
        archived: bool = False,
    ) -> AsyncIterator[Run]:
        """All runs that fit, fetched a page at a time. `sort`: see GET /runs; a minus before it turns it round."""
        filters, cursor, more = _filters(status, experiment, dataset, tags, text, sort, archived), None, True
        while more:
            items, cursor = await self._runs_page(cursor, filters)
            for item in items:
                yield item
            more = cursor is not None

    async def experiments(self, *, archived: bool = False) -> AsyncIterator[Experiment]:
        """All experiments, newest first; or those in the archive."""
        cursor, more = None, True
        while more:
            items, cursor = await self._experiments_page(cursor, archived)
            for item in items:
                yield item
            more = cursor is not None

    async def wait_for_answer(self, experiment_id: int, timeout: float | None = None) -> dict[str, Any]:
        """Until asking has ended: the question. Raises TimedOut after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while (found := await self.question(experiment_id))["state"] == "asking":
            if deadline is not None and time.monotonic() > deadline:
                raise TimedOut(f"experiment {experiment_id} has no answer after {timeout:g} s: {found['sentences'][0]}")
            await asyncio.sleep(POLL_SECONDS)
        return found

    async def export(
        self,
        path: Path | str | IO[bytes],
        *,
        experiment: int | None = None,
        runs: Sequence[int] = (),
        what: Literal["series", "runs"] = "series",
        format: Literal["csv", "json", "parquet"] | None = None,
        system: bool = False,
    ) -> None:
        """Write runs and every point of theirs to a file, or to one that is open. `format`: without it the file's
        ending says so, else it is CSV. `system`: with what they used of the machine."""
        params = {"experiment": experiment, "run": list(runs), "what": what, "format": format or _format_of(path)}
        params["system"] = system
        call = _Call("GET", "/export", _as_nothing, params)
        try:
            async with self._http.stream(**call.arguments()) as answer:
                if not answer.is_success:
                    await answer.aread()
                _checked(answer)
                with _opened(path) as file:
                    async for part in answer.aiter_bytes():
                        file.write(part)
        except httpx.HTTPError as error:
            _unreachable(self.base, error)

    # Following

    async def events(self, run_ids: Sequence[int] = ()) -> AsyncIterator[Event]:
        """What changes, live, without end; a stream that breaks goes on where it was."""
        lines, failures = _EventLines(), 0
        while True:
            try:
                params = {"run": list(run_ids), "after": lines.last_id or None}
                async with self._http.stream(**_Call("GET", "/events", _as_nothing, params).arguments()) as answer:
                    if not answer.is_success:
                        await answer.aread()
                    _checked(answer)
                    async for line in answer.aiter_lines():
                        failures = 0
                        event = lines.take(line)
                        if event is not None:
                            yield event
            except httpx.HTTPError as error:
                failures += 1
                if failures > MOST_RETRIES:
                    _unreachable(self.base, error)
            await asyncio.sleep(RETRY_SECONDS)

    async def watch(self, run_ids: Iterable[int]) -> AsyncIterator[Run]:
        """Each run as it is now, then whenever it changes, until all are over."""
        watching = _Watching(run_ids)
        if not watching.left:
            return
        async for event in self.events(watching.named):
            for run_id in watching.told(event):
                try:
                    run = await self.run(run_id)
                except NotFound:
                    watching.miss(run_id)  # deleted meanwhile
                    continue
                watching.see(run)
                yield run
            if not watching.left:
                return

    async def wait(self, run_ids: Iterable[int], timeout: float | None = None) -> list[Run]:
        """Until all are over; the runs, in the order of the ids. Raises TimedOut after `timeout` seconds."""
        deadline = None if timeout is None else time.monotonic() + timeout
        found = []
        for run_id in run_ids:
            while not (run := await self.run(run_id)).is_over:
                _check_time(run, deadline, timeout)
                await asyncio.sleep(POLL_SECONDS)
            found.append(run)
        return found


def _check_time(run: Run, deadline: float | None, timeout: float | None) -> None:
    if deadline is not None and time.monotonic() > deadline:
        raise TimedOut(f"run {run.id} is {run.status} after {timeout:g} s: give it more time, or look at its log")
