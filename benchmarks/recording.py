"""What recording costs a worker, and how it and a chart compare with other trackers."""

import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import Engine

from app.jobs import worker
from app.jobs.launchers import WORKER_VARIABLES
from app.jobs.recorder import Recorder
from app.settings import Settings
from app.store import experiments, runs
from app.store.engine import open_database, writing
from app.store.runs import Claim, Start
from app.store.series import Point
from benchmarks.filled import fill
from benchmarks.report import Report, spread
from tests.serving import serving
from trainer.prepared import Places, ensure_prepared
from trainer.presets import PRESETS
from trainer.spec import parse

PEERS = {"tensorboard": "TensorBoard", "trackio": "Trackio"}
PRESET = next(preset.base for preset in PRESETS if preset.name == "mnist-fc-vs-cnn")
CHART_POINTS = 1000
SMOOTHING = 0.9
ANSWERS = 5


class Timed(Recorder):
    """Adds up the processor's seconds of its transactions."""

    seconds_writing = 0.0

    def flush(self, *args: Any, **words: Any) -> None:
        began = time.thread_time()
        super().flush(*args, **words)
        Timed.seconds_writing += time.thread_time() - began

    def checkpointed(self, step: int) -> None:
        began = time.thread_time()
        super().checkpointed(step)
        Timed.seconds_writing += time.thread_time() - began


class Silent(Recorder):
    """Takes what is measured and writes nothing."""

    def add(self, point: Point) -> None:
        self.steps_done, self.seconds = point.step, point.time

    def flush_if_due(self) -> None:
        pass

    def flush(self, *_: Any, **__: Any) -> None:
        pass

    def checkpointed(self, step: int) -> None:
        pass

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        yield


def claimed(engine: Engine, base: dict[str, Any], count: int) -> list[Claim]:
    """Runs that wait for their worker."""
    body = experiments.ExperimentSpec(name="x", base=base, grid={"seed": list(range(1, count + 1))})
    claims = []
    for row in experiments.create(engine, body)[1]:
        with writing(engine) as session:
            claims.append(runs.claim(session, row, "cpu"))
        runs.launched(engine, claims[-1], os.getpid(), "benchmark")
    return claims


def _work(settings: Settings, claim: Claim, base: dict[str, Any], recorder: type[Recorder], answer: Connection) -> None:
    """A worker's whole work; sends seconds of the processor, and those of them in which it recorded."""
    worker.Recorder = recorder  # type: ignore[misc]
    engine = open_database(settings.database)
    before = resource.getrusage(resource.RUSAGE_SELF)
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        worker.work(settings, engine, claim, parse({**base, "seed": 1}))
    used = resource.getrusage(resource.RUSAGE_SELF)
    seconds = used.ru_utime + used.ru_stime - before.ru_utime - before.ru_stime
    answer.send((seconds, Timed.seconds_writing))


def share(report: Report, datasets: Path, pairs: int, quick: bool) -> None:
    """Pairs of workers that record and that don't, in turn: the same training, in a process of its own each."""
    columns = ("net", "with", "without", "share, of pairs", "share of its transactions", "n")
    table = report.table("What recording takes of a worker's processor time", *columns)
    dataset = "digits" if quick else "mnist"
    for model in ("fc", "cnn"):
        recipe = {
            **PRESET,
            "model": model,
            "dataset": dataset,
            "epochs": 20 if quick else 1,
            "normalization": "dataset",
        }
        with tempfile.TemporaryDirectory() as home:
            command = [
                sys.executable,
                "-m",
                "benchmarks.recording",
                home,
                str(datasets),
                json.dumps(recipe),
                str(pairs),
            ]
            variables = {**WORKER_VARIABLES, **os.environ}  # as a launcher starts workers
            done = subprocess.run(command, env=variables, capture_output=True, text=True)
        if done.returncode:
            raise RuntimeError(done.stderr.strip()[-300:])
        with_it, without = json.loads(done.stdout.splitlines()[-1])
        shares = [ours / theirs - 1 for (ours, _), (theirs, _) in zip(with_it, without, strict=True)]
        inside = [writing / whole for whole, writing in with_it]
        seconds = [f"{statistics.median(whole for whole, _ in took):.2f} s" for took in (with_it, without)]
        figures = [f"{statistics.median(found):.1%}" for found in (shares, inside)]
        table.add(f"{model}, {dataset}", *seconds, *figures, str(pairs))


Work = tuple[float, float]
"""Seconds of the processor, and those of them in which a worker recorded."""


def in_pairs(home: Path, datasets: Path, recipe: dict[str, Any], pairs: int) -> tuple[list[Work], list[Work]]:
    """With recording and without."""
    # Forked from a process that has imported all, as the fork server's workers are
    import trainer.checkpoint
    import trainer.loaded
    import trainer.loop  # noqa: F401

    context = get_context("fork")
    settings = Settings(home=home, datasets=datasets, nice=0)
    ensure_prepared(recipe["dataset"], Places(settings.datasets_dir, settings.prepared_dir))
    engine = open_database(settings.database)
    claims = claimed(engine, recipe, 2 * pairs)
    engine.dispose()
    took: dict[type[Recorder], list[Work]] = {Timed: [], Silent: []}
    for at in range(pairs):
        for recorder in (Timed, Silent) if at % 2 else (Silent, Timed):
            ours, theirs = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(settings, claims.pop(), recipe, recorder, theirs))
            process.start()
            theirs.close()
            took[recorder].append(ours.recv())
            process.join()
    return took[Timed], took[Silent]


def recorded(home: Path, points: int, count: int) -> float:
    """Seconds in which as many points of so many runs are recorded one by one, each flush synced to the disk."""
    home.mkdir(parents=True, exist_ok=True)
    engine = open_database(home / "runyard.db")
    claims = claimed(engine, {"model": "fc"}, count)
    for claim in claims:
        runs.begin(engine, claim.run_id, claim.attempt, {}, Start())
    began = time.perf_counter()
    for claim in claims:
        recorder = Recorder(engine, claim.run_id, claim.attempt, Start())
        for step in range(1, points + 1):
            recorder.add(Point("train/loss", step, time.perf_counter() - began, 1 / step))
            recorder.flush_if_due()
        recorder.flush()
    took = time.perf_counter() - began
    engine.dispose()
    return took


def by_peer(peers: Path, name: str, points: int, count: int) -> dict[str, Any]:
    """Seconds to record and to read, and the version."""
    script = Path(__file__).with_name("peers.py")
    with tempfile.TemporaryDirectory() as home:
        command = [str(peers), str(script), name, home, str(points), str(count)]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{PEERS[name]} failed: {done.stderr.strip()[-300:]}")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def against_peers(report: Report, peers: Path | None, points: int, times: int) -> None:
    """One run's points, one by one; and a chart of four runs of as many."""
    record = report.table(f"Recording {points:,} points one by one", "with", "points a second", "n")
    read = report.table(f"Reading the points of 4 runs of {points:,}", "with", "seconds", "n")
    with tempfile.TemporaryDirectory() as home:
        rates = [points / recorded(Path(home) / str(at), points, 1) for at in range(times)]
    record.add("Runyard, each flush synced", spread(rates, "{:,.0f}".format), str(times))
    chart_rows(read.add, points, times)
    for name, title in PEERS.items() if peers else ():
        ones = [by_peer(peers, name, points, 1) for _ in range(times)]
        fours = [by_peer(peers, name, points, 4) for _ in range(times)]
        title = f"{title} {ones[0]['version']}"
        record.add(title, spread([points / one["record"] for one in ones], "{:,.0f}".format), str(times))
        read.add(f"{title}, its reader", spread([four["read"] for four in fours], "{:.3f} s".format), str(times))


def charts(report: Report, lengths: tuple[int, ...]) -> None:
    """All of a chart of four runs over HTTP, by their length."""
    table = report.table("A chart of 4 runs from the server", "points a run", "seconds", "n")
    for points in lengths:
        chart_rows(lambda what, *cells, points=points: table.add(f"{points:,}, {what}", *cells), points, ANSWERS)


def chart_rows(add: Callable[..., None], points: int, times: int) -> None:
    """Plain and smoothed; medians, the first of each left out."""
    with tempfile.TemporaryDirectory() as root:
        home = Path(root) / "home"
        _, run_ids = fill(home, 4, 1, points)
        (Path(root) / "prepared").mkdir()
        with (
            serving(home, Path(root) / "prepared", RUNYARD_PRELOAD="0", RUNYARD_CPU_SLOTS="0") as server,
            httpx.Client(base_url=f"{server.url}/api/v1", timeout=120) as client,
        ):
            for what, smoothing in (("plain", 0.0), ("smoothed", SMOOTHING)):
                asked = {"run": run_ids, "name": "train/loss", "points": CHART_POINTS, "smoothing": smoothing}
                took = []
                for _ in range(times + 1):
                    began = time.perf_counter()
                    client.get("/series", params=asked).raise_for_status()  # type: ignore[arg-type]
                    took.append(time.perf_counter() - began)
                add(f"Runyard's chart, {what}", spread(took[1:], "{:.3f} s".format), str(times))


if __name__ == "__main__":
    print(json.dumps(in_pairs(Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3]), int(sys.argv[4]))))
