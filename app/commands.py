"""The commands of `runyard` that talk to a running server: what a browser can do, for a terminal and for scripts.

Exit codes: 0 done; 1 refused or failed; 2 wrong use; 3 no server answers; 4 a watched run did not succeed; 130 Ctrl-C;
141 whoever read the output has closed it.
"""

import contextlib
import json
import math
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich import box
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
from rich.table import Table

from app.client import Action, Client, Experiment, Run, RunyardError, Summary, Unreachable
from app.settings import SettingsError, read_settings

FAILED, WRONG_USE, NO_SERVER, NOT_SUCCEEDED, INTERRUPTED, CLOSED_PIPE = 1, 2, 3, 4, 130, 141
LONGEST_NAME = 100  # of an experiment, made of the knobs that were given
FOLLOW_SECONDS = 0.5

Ids = Annotated[list[int] | None, typer.Argument(metavar="RUN...", help="Ids of runs.", show_default=False)]
Of = Annotated[int | None, typer.Option("--experiment", "-e", help="All runs of this experiment.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, in the form of the API.")]
Url = Annotated[str | None, typer.Option("--url", envvar="RUNYARD_URL", help="Address of the server.")]
Token = Annotated[
    str | None, typer.Option("--token", envvar="RUNYARD_TOKEN", help="Token, where one is asked for.", show_envvar=True)
]
Matters = Annotated[
    float | None,
    typer.Option(
        "--smallest",
        min=0,
        help="Smallest difference that matters; of an accuracy 0.01 is one point.  [1 point, else 5%]",
    ),
]
Name = Annotated[str | None, typer.Option(help="Of the experiment.")]
Preset = Annotated[str | None, typer.Option(help="Start from a preset, such as mnist-fc-vs-cnn.")]
Hours = Annotated[float | None, typer.Option(help="At most so many hours of training, all runs together.")]
Detach = Annotated[bool, typer.Option("--detach", help="Don't wait for the answer.")]
Knobs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="KNOB=VALUE[,VALUE]...", help="As model=fc,cnn optimizer.lr=0.1 seed=1,2,3", show_default=False
    ),
]


@contextlib.contextmanager
def connected(url: str | None, token: str | None) -> Iterator[Client]:
    """A client; its errors become one line on stderr and an exit code."""
    try:
        settings = read_settings()
        with Client(url or settings.public_url or f"http://{settings.host}:{settings.port}", token) as client:
            yield client
    except (RunyardError, SettingsError) as error:
        print(f"runyard: {error}", file=sys.stderr)
        raise typer.Exit(NO_SERVER if isinstance(error, Unreachable) else FAILED) from None


def add_to(cli: typer.Typer) -> None:
    """Give the command line these commands."""
    for command in (launch, ask, best, question, more, replay, runs, show, watch, log, compare, export, relaunch, data):
        cli.command()(command)
    for name, words in {
        "stop": "Stop runs; what they recorded is kept.",
        "pause": "Pause runs, with a checkpoint that they go on from.",
        "resume": "Queue runs again that are paused, failed, stopped or lost.",
        "first": "Move queued runs to the front.",
        "delete": "Delete runs; ten minutes long `restore` brings them back.",
        "restore": "Bring deleted runs back.",
    }.items():
        cli.command(name, help=words)(_bulk(name))  # type: ignore[arg-type]
    cli.command()(tag)
    cli.command()(note)


# Launching


def launch(
    knobs: Knobs = None,
    name: Annotated[str | None, typer.Option(help="Of the experiment; made from the preset when absent.")] = None,
    preset: Preset = None,
    random: Annotated[
        int, typer.Option(min=0, max=500, help="So many draws of the knobs given as LOW..HIGH, or LOW..HIGH:log.")
    ] = 0,
    random_seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 1,
    smallest: Matters = None,
    new_seeds: Annotated[
        bool, typer.Option("--new-seeds", help="As many seeds as given, that these configurations never had.")
    ] = False,
    plan: Annotated[bool, typer.Option("--plan", help="Only say what would be launched.")] = False,
    wait: Annotated[bool, typer.Option("--watch", help="Watch until all runs are over.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Launch every combination of the values given, as one experiment."""
    with connected(url, token) as client:
        base, grid, title = _start(client, preset)
        ranges = {}
        for path, values in map(_knob, knobs or []):
            base.pop(path, None)
            if isinstance(values[0], str) and ".." in values[0]:
                ranges[path] = _range(path, values[0])
                grid.pop(path, None)
            else:
                grid[path] = values
        if ranges and not random:
            knob = f"{next(iter(ranges))} is a range"
            raise RunyardError(f"{knob}: say with --random how many values are drawn, as --random 20")
        if random and not ranges:
            raise RunyardError(f"--random {random} draws nothing: give a range, as optimizer.lr=0.001..0.1:log")
        drawn = {"count": random, "ranges": ranges, "seed": random_seed} if ranges else None
        name = name or title or _name_of(knobs) or "defaults"
        planned = client.plan(name, base, grid, random=drawn)
        if new_seeds:
            grid["seed"] = planned["unused_seeds"]
            planned = client.plan(name, base, grid, random=drawn)
        if plan:
            _print_json(planned) if as_json else _print_plan(planned)
            return
        if planned["already"]:
            print(_seen(planned), file=sys.stderr)
        made = client.launch_experiment(name, base, grid, random=drawn, smallest=smallest)
        if as_json:
            _print_json(made.model_dump(mode="json"))
        else:
            ids = made.run_ids
            which = f"run {ids[0]}" if len(ids) == 1 else f"runs {ids[0]} to {ids[-1]}"
            print(f"experiment {made.id}: {len(ids)} queued, {which}", file=sys.stderr if wait else sys.stdout)
        if wait:
            _leave_by(_progress(client, made.run_ids))


def _name_of(knobs: list[str] | None) -> str:
    name = ", ".join(knobs or [])
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _seen(planned: dict[str, Any]) -> str:
    """That results are known already: they are no new evidence."""
    known = f"{len(planned['already'])} of these {planned['runs']} runs ran before, with these seeds"
    seeds = planned["unused_seeds"]
    which = f"seed {seeds[0]}" if len(seeds) == 1 else f"seeds {seeds[0]} to {seeds[-1]}"
    return f"{known}: what they give was known. --new-seeds takes {which}."


def ask(
    knobs: Knobs = None,
    about: Annotated[
        list[str] | None,
        typer.Option(
            help="Knob of two values whose effect is asked for; given twice, the interaction of both. The only such "
            "knob when absent.",
            show_default=False,
        ),
    ] = None,
    measure: Annotated[str, typer.Option(help="What of a run: test/accuracy, test/loss.best, …")] = "test/accuracy",
    smallest: Matters = None,
    seeds: Annotated[int, typer.Option(min=4, help="At most so many seeds.")] = 20,
    hours: Hours = None,
    between: Annotated[
        tuple[int, int] | None,
        typer.Option(
            metavar="RUN RUN",
            help="Instead of knobs: is the second run's configuration better than the first's? With new seeds.",
            show_default=False,
        ),
    ] = None,
    name: Name = None,
    preset: Preset = None,
    detach: Detach = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Launch seeds until a question is answered, as ask model=cnn dataset=mnist pixel_order=original,shuffled

    Exit code 0 when it is settled either way, 4 when the budget ends first."""
    with connected(url, token) as client:
        if between is not None:
            if knobs or about or preset:
                raise RunyardError("--between takes all knobs of its runs: leave out KNOB=VALUE, --about and --preset")
            made = client.ask_between(
                *between, measure=measure, smallest=smallest, max_seeds=seeds, max_hours=hours, name=name
            )
            _answer(client, made, detach=detach, as_json=as_json)
            return
        base, grid, title = _asked_of(client, preset, knobs)
        asked = about or [path for path, values in grid.items() if path != "seed" and len(values) == 2]
        if not about and len(asked) != 1:
            two = " or ".join(asked) or "none"
            raise RunyardError(f"--about is missing: name the knob that is asked for; those of two values are {two}")
        question = {
            "kind": "effect" if len(asked) == 1 else "interaction",
            "knobs": asked,
            "measure": measure,
            "max_seeds": seeds,
            "max_hours": hours,
        }
        name = name or title or _name_of(knobs) or "question"
        made = client.launch_experiment(name, base, grid, question, smallest=smallest)
        _answer(client, made, detach=detach, as_json=as_json)


def best(
    knobs: Knobs = None,
    measure: Annotated[
        str | None,
        typer.Option(
            help="What of a run: test/accuracy, test/loss.best, … Validation accuracy where images are held out, else "
            "test accuracy, when absent.",
            show_default=False,
        ),
    ] = None,
    smallest: Matters = None,
    seeds: Annotated[int, typer.Option(min=4, help="At most so many seeds each.")] = 30,
    runs: Annotated[int | None, typer.Option(min=2, help="At most so many runs; 500 when absent.")] = None,
    hours: Hours = None,
    confirm: Annotated[
        int | None,
        typer.Option(
            metavar="EXPERIMENT",
            help="Instead of knobs: is what was best there still best with new seeds, against the next one and the "
            "defaults?",
            show_default=False,
        ),
    ] = None,
    name: Name = None,
    preset: Preset = None,
    detach: Detach = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Find the best of a grid, as best model=cnn dataset=mnist optimizer.lr=0.01,0.03,0.1,0.3

    All configurations run two seeds; those that are ruled out run no more, the others run the next. Exit code 0 when
    one is left or all that are left are alike, 4 when the budget ends first."""
    with connected(url, token) as client:
        if confirm is not None:
            if knobs or preset:
                raise RunyardError("--confirm takes all knobs of its experiment: leave out KNOB=VALUE and --preset")
            _answer(client, client.confirm(confirm, max_seeds=seeds), detach=detach, as_json=as_json)
            return
        base, grid, title = _asked_of(client, preset, knobs)
        question = {"kind": "best", "measure": measure, "max_seeds": seeds, "max_runs": runs, "max_hours": hours}
        given = {key: value for key, value in question.items() if value is not None}
        name = name or title or _name_of(knobs) or "best"
        made = client.launch_experiment(name, base, grid, given, smallest=smallest)
        _answer(client, made, detach=detach, as_json=as_json)


def _asked_of(
    client: Client, preset: str | None, knobs: list[str] | None
) -> tuple[dict[str, Any], dict[str, list[Any]], str]:
    """Base and grid of a question, and the preset's title; seeds are the question's own unless they are given."""
    base, grid, title = _start(client, preset)
    grid.pop("seed", None)
    for path, values in map(_knob, knobs or []):
        base.pop(path, None)
        grid.pop(path, None)
        if len(values) == 1 and path != "seed":
            base[path] = values[0]
        else:
            grid[path] = values
    return base, grid, title


def _answer(client: Client, made: Experiment, *, detach: bool, as_json: bool) -> None:
    """Print where a new question stands; unless detached, once it has an answer."""
    if not detach:
        print(f"experiment {made.id}: {len(made.run_ids)} runs queued", file=sys.stderr)
    found = client.question(made.id) if detach else _answered(client, made.id)
    _print_json(found) if as_json else print("\n".join([found["asked"], *found["sentences"]]))
    if not detach and found["answer"] == "open":
        raise typer.Exit(NOT_SUCCEEDED)


def question(
    experiment: Annotated[int, typer.Argument(help="Id of an experiment that asks.")],
    stop: Annotated[bool, typer.Option("--stop", help="Launch no more seeds.")] = False,
    go_on: Annotated[bool, typer.Option("--continue", help="Keep asking.")] = False,
    seeds: Annotated[int | None, typer.Option(help="At most so many seeds from now on.")] = None,
    runs: Annotated[int | None, typer.Option(min=2, help="At most so many runs from now on.")] = None,
    hours: Annotated[float | None, typer.Option(help="At most so many hours of training from now on.")] = None,
    smallest: Matters = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Where a question stands; stop asking, keep asking, or give it another budget."""
    with connected(url, token) as client:
        if stop and go_on:
            raise RunyardError("--stop and --continue: give one of them")
        if any(value is not None for value in (seeds, runs, hours, smallest)):
            client.change_question(experiment, max_seeds=seeds, max_runs=runs, max_hours=hours, smallest=smallest)
        if stop:
            client.stop_asking(experiment)
        if go_on:
            client.keep_asking(experiment)
        found = client.question(experiment)
        _print_json(found) if as_json else print("\n".join([found["asked"], *found["sentences"]]))


def _answered(client: Client, experiment: int) -> dict[str, Any]:
    """Say where the question stands after each set of seeds, until it is answered."""
    told = 0
    while True:
        found = client.question(experiment)
        if found["n"] > told:
            told = found["n"]
            so_far = found["sentences"][-1 if found["kind"] == "best" else 0]
            print(f"{told:>3} of {found['max_seeds']}: {so_far}", file=sys.stderr)
        if found["state"] != "asking":
            return found
        time.sleep(FOLLOW_SECONDS)


def _start(client: Client, preset: str | None) -> tuple[dict[str, Any], dict[str, list[Any]], str]:
    if preset is None:
        return {}, {}, ""
    presets = {one["name"]: one for one in client.catalog()["presets"]}
    if preset not in presets:
        raise RunyardError(f"preset is {preset!r}: there is no such preset; choose {' or '.join(presets)}")
    return dict(presets[preset]["base"]), dict(presets[preset]["grid"]), presets[preset]["title"]


def _knob(given: str) -> tuple[str, list[Any]]:
    path, equals, values = given.partition("=")
    if not equals or not path or not values:
        raise RunyardError(f"{given!r} is no KNOB=VALUE: write for example epochs=5 or seed=1,2,3")
    return path, [_with_knobs(path, value) for value in values.split(",")]


def _with_knobs(path: str, text: str) -> Any:
    """A value; of a model or an optimiser with knobs of its own, as `sgd:lr=0.1:momentum=0.9`."""
    name, *knobs = text.split(":")
    if path not in ("model", "optimizer") or not knobs:
        return _value(text)
    found: dict[str, Any] = {"name": name}
    for knob in knobs:
        key, equals, value = knob.partition("=")
        if not equals or not key or not value:
            raise RunyardError(f"{path} has {knob!r}: write knobs of its own as {path}={name}:KNOB=VALUE")
        found[key] = _value(value)
    return found


def _range(path: str, text: str) -> dict[str, Any]:
    """`0.001..0.1:log` as a range."""
    ends, _, how = text.partition(":")
    low, high = map(_value, ends.split("..", 1))
    if how not in ("", "log") or isinstance(low, str) or isinstance(high, str):
        raise RunyardError(f"{path} is {text!r}: a range is LOW..HIGH or LOW..HIGH:log, as 0.001..0.1:log")
    return {"low": low, "high": high, "log": how == "log"}


def _value(text: str) -> Any:
    """A number where it is one, else the word itself; as words also what no knob takes, such as nan."""
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            value = kind(text)
            return value if isinstance(value, int) or math.isfinite(value) else text
    return text


def relaunch(
    run: Annotated[int | None, typer.Argument(help="Id of the run.", show_default=False)] = None,
    changes: Annotated[
        list[str] | None, typer.Argument(metavar="KNOB=VALUE...", help="What is different.", show_default=False)
    ] = None,
    failed_of: Annotated[int | None, typer.Option(help="All failed runs of this experiment, as they were.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Launch a run again from the start, with changes if you like; or all failed runs of an experiment."""
    with connected(url, token) as client:
        if failed_of is not None:
            ids = client.relaunch_failed(failed_of)
        elif run is not None:
            overrides = {}
            for path, values in map(_knob, changes or []):
                if len(values) > 1:
                    raise RunyardError(f"{path} has {len(values)} values: a relaunched run takes one")
                overrides[path] = values[0]
            ids = [client.relaunch(run, overrides).id]
        else:
            raise RunyardError("what to relaunch is missing: name a run, or an experiment with --failed-of")
        _print_json({"run_ids": ids}) if as_json else print("queued:", ", ".join(map(str, ids)) or "nothing")


def more(
    experiment: Annotated[int, typer.Argument(help="Id of the experiment.")],
    values: Annotated[
        list[str] | None, typer.Argument(metavar="KNOB=VALUE[,VALUE]...", help="Values to add.", show_default=False)
    ] = None,
    seeds: Annotated[int, typer.Option(min=0, help="So many more seeds of each configuration.")] = 0,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Add seeds, or values of knobs, to an experiment."""
    with connected(url, token) as client:
        if not seeds and not values:
            raise RunyardError("what to add is missing: --seeds 5, or values as optimizer.lr=0.03")
        ids = client.add_seeds(experiment, seeds) if seeds else []
        ids += client.add_values(experiment, dict(map(_knob, values))) if values else []
        _print_json({"run_ids": ids}) if as_json else print("queued:", ", ".join(map(str, ids)) or "nothing new")


def replay(
    run: Annotated[int, typer.Argument(help="Id of a run that has succeeded.")],
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Run a run's spec again and compare every point: bit-identical, or where it first differs and what changed.

    Exit code 0 when it is bit-identical, 4 when it is not."""
    with connected(url, token) as client:
        old = client.run(run)
        if old.status != "succeeded":
            raise RunyardError(f"run {run} is {old.status}: only a run that has succeeded can be replayed")
        (new,) = _progress(client, [client.launch(old.spec, f"replay of {run}").id])
        if new.status != "succeeded":
            raise RunyardError(f"the replay, run {new.id}, is {new.status}: {new.cause}")
        found = _compared_bits(client, old, new)
        _print_json(found) if as_json else print(found["said"])
        if not found["identical"]:
            raise typer.Exit(NOT_SUCCEEDED)


def _compared_bits(client: Client, old: Run, new: Run) -> dict[str, Any]:
    """Whether two runs have the same points, or the first step that differs, and in what their environments differ."""
    differs: dict[str, int] = {}
    points = 0
    # the training's own, which both have: neither what the machine said of itself nor what somebody put beside
    compared = [name for name, of in old.metrics.items() if of.per in ("step", "part", "test") and name in new.summary]
    for metric in compared:
        before = {point.step: repr(point.value) for point in client.points(old.id, metric)}  # NaN is itself
        after = {point.step: repr(point.value) for point in client.points(new.id, metric)}
        points += len(before)
        steps = [step for step in sorted(before | after) if before.get(step) != after.get(step)]
        if steps:
            differs[metric] = steps[0]
    ran = [(run.attempts[-1].model_extra or {}).get("environment") or {} for run in (old, new)]
    changed = {
        key: [one.get(key) for one in ran] for key in sorted(ran[0] | ran[1]) if ran[0].get(key) != ran[1].get(key)
    }
    if not differs:
        said = f"run {new.id} is bit-identical to run {old.id}: {points:,} points of {len(compared)} series"
    else:
        metric, step = min(differs.items(), key=lambda item: item[1])
        where = "; ".join(f"{key}: {before} then, {after} now" for key, (before, after) in changed.items())
        said = f"run {new.id} differs from run {old.id} from step {step:,} of {metric} on"
        said += f" ({where})" if where else ", in the same environment"
    return {
        "run": old.id, "replay": new.id, "identical": not differs, "points": points,
        "first_difference": differs, "environment": changed, "said": said,
    }  # fmt: skip


# Looking


def _figures(one: Summary) -> str:
    """What a series ended with, and its best where something of it is better."""
    last = "no number" if one.kept is None else f"{one.kept:.4f}"
    return last if one.best is None else f"{last}, best {one.best:.4f} at step {one.best_step:,}"


def runs(
    status: Annotated[list[str] | None, typer.Option(help="Only runs in one of these states.")] = None,
    experiment: Of = None,
    dataset: Annotated[str | None, typer.Option(help="Only runs on this data set.")] = None,
    tag: Annotated[list[str] | None, typer.Option(help="Only runs that have all these tags.")] = None,
    search: Annotated[
        str, typer.Option(help="Words, or terms as model:cnn test/accuracy>0.9 lr<=0.01 -tag:draft.")
    ] = "",
    archived: Annotated[bool, typer.Option("--archived", help="Those of archived experiments.")] = False,
    sort: Annotated[str, typer.Option(help="As status or test/accuracy.best; -, greatest first.")] = "-created",
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1_000_000,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List runs, newest first."""
    with connected(url, token) as client:
        chosen = client.runs(
            status=status or [],
            experiment=experiment,
            dataset=dataset,
            tags=tag or [],
            text=search,
            sort=sort,
            archived=archived,
        )
        items = [run for run, _ in zip(chosen, range(limit), strict=False)]
        if as_json:
            _print_json([run.model_dump(mode="json") for run in items])
        if as_json:
            return
        if items:
            print(f"{'run':>5}  {'status':<9}  {'steps':<18}  {'test':>7}  {'experiment':>10}  {'data':<14}  name")
        for run in items:
            accuracy = run.summary.get("test/accuracy")
            figure = f"{accuracy.kept:.2%}" if accuracy and accuracy.kept is not None else ""
            steps = f"{run.steps_done:>7} of {run.steps_total:<7}"
            experiment_id = "" if run.experiment_id is None else run.experiment_id
            where = f"{experiment_id:>10}  {_plain(run.spec['dataset']):<14}"
            print(f"{run.id:>5}  {run.status:<9}  {steps}  {figure:>7}  {where}  {_plain(run.name)}{_tags(run)}")


def _tags(run: Run) -> str:
    return f"  [{_plain(', '.join(run.tags))}]" if run.tags else ""


def _plain(text: object) -> str:
    """What others wrote, without what a terminal would obey: control characters are shown as escapes."""
    return "".join(one if one.isprintable() or one == "\t" else repr(one)[1:-1] for one in str(text))


def show(
    run: Annotated[int, typer.Argument(help="Id of the run.")],
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """All about one run."""
    with connected(url, token) as client:
        found = client.run(run)
    if as_json:
        _print_json(found.model_dump(mode="json"))
        return
    where = found.device or "no device yet"
    lines: dict[str, object] = {
        "run": f"{found.id}, {found.name}{_tags(found)}",
        **({"experiment": found.experiment_id} if found.experiment_id is not None else {}),
        "status": found.status + (f": {found.cause}" if found.cause else ""),
        "steps": f"{found.steps_done:,} of {found.steps_total:,} in {found.seconds:.1f} s on {where}",
        "model": f"{_named(found.spec['model'])}, {found.parameters:,} parameters",
        "optimizer": _named(found.spec["optimizer"]),
        **{key: value for key, value in found.spec.items() if key not in ("model", "optimizer", "device")},
        **{metric: _figures(one) for metric, one in found.summary.items()},
        **({"note": found.note} if found.note else {}),
    }
    for attempt in found.attempts:
        ended = f"until {attempt.ended_at:%Y-%m-%d %H:%M:%S}, {attempt.cause or 'finished'}" if attempt.ended_at else ""
        lines[f"attempt {attempt.n}"] = (
            f"from step {attempt.from_step:,}, {attempt.started_at:%Y-%m-%d %H:%M:%S} {ended}".rstrip()
        )
    width = max(map(len, lines))
    for key, value in lines.items():
        print(f"{_plain(key):<{width}}  {_plain(value)}")


def _named(one: dict[str, Any]) -> str:
    return ", ".join([one["name"], *(f"{key} {value}" for key, value in one.items() if key != "name")])


def watch(ids: Ids = None, experiment: Of = None, url: Url = None, token: Token = None) -> None:
    """Show progress until all runs are over; exit code 4 when one did not succeed."""
    with connected(url, token) as client:
        chosen = _chosen(client, ids, experiment)
        if waits := client.system()["waits"]:
            print(f"runyard: nothing starts at the moment: {waits}", file=sys.stderr)
        _leave_by(_progress(client, chosen))


def _leave_by(runs: Iterable[Run]) -> None:
    unhappy = [run for run in runs if run.status != "succeeded"]
    for run in unhappy:
        print(f"runyard: run {run.id}, {_plain(run.name)}, is {run.status}: {_plain(run.cause)}", file=sys.stderr)
    if unhappy:
        raise typer.Exit(NOT_SUCCEEDED)


def _progress(client: Client, ids: Sequence[int]) -> list[Run]:
    return progress(client, ids, Console(stderr=True))


def progress(client: Client, ids: Sequence[int], console: Console) -> list[Run]:
    """A bar a run, until all are over; the runs."""
    found: dict[int, Run] = {}
    with Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TextColumn("{task.fields[said]:<20}"),
        console=console,
    ) as bars:
        tasks: dict[int, Any] = {}
        for run in client.watch(ids):
            found[run.id] = run
            if run.id not in tasks:
                tasks[run.id] = bars.add_task(escape(_plain(run.name)), total=run.steps_total, said="")
            accuracy = run.summary.get("test/accuracy")
            last = accuracy.kept if accuracy and run.status == "succeeded" else None
            said = run.status if last is None else f"accuracy {last:.2%}"
            bars.update(tasks[run.id], completed=run.steps_done, said=said)
    return list(found.values())


def log(
    run: Annotated[int, typer.Argument(help="Id of the run.")],
    attempt: Annotated[int | None, typer.Option(min=1, help="Which of its lives; the newest when absent.")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on until the run is over.")] = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Print the output of a run's worker."""
    with connected(url, token) as client:
        text, shown = client.log(run, attempt), ""
        while True:
            # the server keeps the last 256 KiB: what begins anew is printed anew
            new = text.removeprefix(shown).replace("\r\n", "\n").replace("\r", "\n")  # as of a progress bar
            print("\n".join(map(_plain, new.split("\n"))), end="", flush=True)
            if not follow or client.run(run).is_over:
                return
            shown = text
            time.sleep(FOLLOW_SECONDS)
            text = client.log(run, attempt)


def compare(
    ids: Ids = None,
    experiment: Of = None,
    measure: Annotated[
        str | None,
        typer.Option(
            help="What of a run: test/accuracy, test/loss.best, train/loss.at=500, seconds, … What the experiment's "
            "question is on, else test accuracy, when absent.",
            show_default=False,
        ),
    ] = None,
    smallest: Matters = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Configurations side by side, which is better, by how much, and whether that can be trusted."""
    with connected(url, token) as client:
        compared = client.compare(experiment=experiment, runs=ids or [], measure=measure, smallest=smallest)
    _print_json(compared) if as_json else print_comparison(compared, Console(highlight=False))


COLUMNS = {"Configuration": 0, "Parameters": 72, "Runs": 40, "Accuracy, %": 0, "Test loss": 58, "Published": 80}
"""Heading to how wide a terminal has to be for that column: names are not to be lost."""


def print_comparison(compared: dict[str, Any], console: Console) -> None:
    """The comparison as a table, whole at 80 columns, and its sentences."""
    table = Table(
        title=escape(_plain(compared["title"])),
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
    )
    columns = [heading for heading, least in COLUMNS.items() if console.width >= least]
    for heading in columns:
        name = heading == "Configuration"  # what gives way where the table is too wide
        table.add_column(heading, justify="left" if name else "right", no_wrap=not name)
    for group in compared["groups"]:
        accuracy, loss = group["metrics"].get("test/accuracy"), group["metrics"].get("test/loss")
        published = accuracy and accuracy["published"]
        cells = {
            "Configuration": escape(_plain(group["name"])),
            "Parameters": f"{group['parameters']:,}",
            "Runs": f"{group['n']}/{len(group['runs'])}",
            "Accuracy, %": _with_deviation(accuracy, 100, 2) if accuracy else "–",
            "Test loss": _with_deviation(loss, 1, 3) if loss else "–",
            "Published": f"{published:.2%}" if published else "–",
        }
        table.add_row(*(cells[heading] for heading in columns))
    console.print(table)
    published_too = " Published: the figure of the recipe's source." if "Published" in columns else ""
    console.print(f"Mean ± sample deviation over seeds.{published_too}", highlight=False)
    if contrasts := compared["facts"]["contrasts"]:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for heading in ("Difference", "Mean", "Interval", ""):
            table.add_column(heading, justify="right" if heading in ("Mean", "Interval") else "left")
        for one in contrasts:
            table.add_row(
                escape(_plain(one["title"])), one["value_text"] or "–", one["interval_text"] or "–", one["word"]
            )
        console.print(table)
    for sentence in filter(None, (*compared["verdict"]["sentences"], compared["verdict"]["note"])):
        console.print(_plain(sentence), highlight=False, markup=False)


def _with_deviation(figure: dict[str, Any], factor: float, digits: int) -> str:
    deviation = "" if figure["std"] is None else f" ± {figure['std'] * factor:.{digits}f}"
    return f"{figure['mean'] * factor:.{digits}f}{deviation}"


def export(
    ids: Ids = None,
    experiment: Of = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="File; its ending says the format.")] = None,
    what: Annotated[Literal["series", "runs"], typer.Option(help="Every point, or a row a run.")] = "series",
    format: Annotated[
        Literal["csv", "json", "parquet"] | None, typer.Option(help="csv unless the file says so.")
    ] = None,
    system: Annotated[bool, typer.Option("--system", help="With what the runs used of the machine.")] = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Write runs and every point of theirs to a file, or to the terminal."""
    with connected(url, token) as client:
        file = output or sys.stdout.buffer
        client.export(file, experiment=experiment, runs=ids or [], what=what, format=format, system=system)


# Steering


def _bulk(action: Action) -> Callable[..., None]:
    def command(
        ids: Ids = None, experiment: Of = None, as_json: AsJson = False, url: Url = None, token: Token = None
    ) -> None:
        with connected(url, token) as client:
            if experiment is not None and action in ("delete", "restore"):  # the experiment itself, too
                steer = client.delete_experiment if action == "delete" else client.restore_experiment
                steer(experiment)
                return
            _do(client, action, _chosen(client, ids, experiment), as_json)

    return command


def _do(client: Client, action: Action, ids: Sequence[int], as_json: bool, **tags: list[str]) -> None:
    done = client.bulk(action, ids, **tags)
    if as_json:
        _print_json(done.model_dump(mode="json"))
    for one in done.refused:
        print(f"runyard: {one.message}", file=sys.stderr)
    if done.refused:
        raise typer.Exit(FAILED)


def _chosen(client: Client, ids: Sequence[int] | None, experiment: int | None) -> list[int]:
    if bool(ids) == (experiment is not None):
        raise RunyardError("which runs is missing: name their ids, or an experiment with --experiment")
    if ids:
        return list(ids)
    found: Experiment = client.experiment(experiment or 0)
    return found.run_ids


def tag(
    ids: Ids = None,
    experiment: Of = None,
    add: Annotated[list[str] | None, typer.Option(help="Tag to give.")] = None,
    remove: Annotated[list[str] | None, typer.Option(help="Tag to take away.")] = None,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """Give runs tags, or take them away."""
    with connected(url, token) as client:
        _do(client, "tag", _chosen(client, ids, experiment), as_json, add_tags=add or [], remove_tags=remove or [])


def note(
    run: Annotated[int, typer.Argument(help="Id of the run.")],
    text: Annotated[str, typer.Argument(help="In your own words; empty takes it away.")],
    url: Url = None,
    token: Token = None,
) -> None:
    """Write a note on a run."""
    with connected(url, token) as client:
        client.describe(run, note=text)


def data(
    name: Annotated[
        str | None, typer.Argument(help="Prepare this one, such as mnist or folder:pets@64.", show_default=False)
    ] = None,
    again: Annotated[bool, typer.Option("--again", help="Read a folder of images again, as a new version.")] = False,
    as_json: AsJson = False,
    url: Url = None,
    token: Token = None,
) -> None:
    """List the data sets, or download and read one, with progress."""
    with connected(url, token) as client:
        if name is None:
            found = client.datasets()
            if as_json:
                _print_json(found)
                return
            for one in found["items"]:
                where = "ready" if one["prepared"] else "on disk, not read yet" if one["on_disk"] else "not on disk"
                print(f"{one['name']:<24} {where}{_since_read(one)}")
            print(f"Folders of images, one folder a class, are read from {found['directory']} as folder:NAME")
            return
        if "/" in name:
            where = client.datasets()["directory"]
            put = f"put the folder, or a link to it, into {where}"
            raise RunyardError(f"{name} is a path: {put} and give its name alone, as folder:pets")
        state = _prepared(client, name, again)
        if as_json:
            _print_json(state)
        if state["error"]:
            raise RunyardError(state["error"])
        if not as_json:
            for said in client.dataset(state["name"])["notes"]:
                print(said)
            print(f"{state['name']} is ready{_since_read(state)}")


def _since_read(state: dict[str, Any]) -> str:
    """What became of a folder of images since it was read."""
    way = f"runyard data '{state['folder']}' --again reads it as a new version"
    said = {"changed": f"; the folder has changed since: {way}", "gone": "; the folder is gone, what was read is kept"}
    when = f", as it was {state['read_at'][:16].replace('T', ' ')} UTC" if state["read_at"] else ""
    return when + said.get(state["source"], "")


def _prepared(client: Client, name: str, again: bool) -> dict[str, Any]:
    """Prepare a data set, with a bar; where it is then."""
    state = client.prepare(name, again)
    name = state["name"]
    with Progress(TextColumn("{task.description}"), BarColumn(bar_width=None), console=Console(stderr=True)) as bars:
        task = bars.add_task(f"reading {name}", total=None)
        while state["preparing"]:
            share = state["progress"]
            words = f"reading {name}" if share in (None, 1) else f"downloading {name}"
            bars.update(task, description=words, total=None if share is None else 1, completed=share or 0)
            time.sleep(FOLLOW_SECONDS)
            state = client.dataset_state(name)
        bars.update(task, total=1, completed=0 if state["error"] else 1)
    return state


def _print_json(found: object) -> None:
    print(json.dumps(found, indent=2))


def _print_plan(planned: dict[str, Any]) -> None:
    for one in planned["configurations"]:
        print(f"{one['runs']:>4} × {one['name']}, {one['parameters']:,} parameters, {one['steps']:,} steps")
    print(f"{planned['runs']:>4} runs, {planned['steps']:,} steps")
