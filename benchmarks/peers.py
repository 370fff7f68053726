"""Other trackers, in an environment of their own: `PYTHON benchmarks/peers.py tensorboard DIR POINTS RUNS`.

Records so many points of each run one by one, closes, reads them back as their own pages do, and prints seconds of both
and versions as JSON. TensorBoard: one scalar event a point, as `torch.utils.tensorboard` writes them, read by its
EventAccumulator. Trackio: `log`, read from its SQLite. Neither syncs what it writes to the disk.
"""

import contextlib
import json
import os
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

NAME = "train/loss"
Read = Callable[[], int]
"""Reads a run, and says how many points it has."""


def tensorboard(home: Path, points: int, run: int) -> Read:
    from tensorboard.backend.event_processing.event_accumulator import SCALARS, EventAccumulator
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    folder = str(home / str(run))
    writer = EventFileWriter(folder)
    for step in range(1, points + 1):
        summary = Summary(value=[Summary.Value(tag=NAME, simple_value=1 / step)])
        writer.add_event(Event(wall_time=time.time(), step=step, summary=summary))
    writer.close()

    def read() -> int:
        accumulator = EventAccumulator(folder, size_guidance={SCALARS: 0})  # 0: all of them
        accumulator.Reload()
        return len(accumulator.Scalars(NAME))

    return read


def trackio(home: Path, points: int, run: int) -> Read:
    os.environ |= {"TRACKIO_DIR": str(home), "HF_HUB_OFFLINE": "1"}
    import trackio as tracker
    from trackio.sqlite_storage import SQLiteStorage

    with contextlib.redirect_stdout(sys.stderr):
        tracker.init(project="benchmark", name=str(run))
        for step in range(1, points + 1):
            tracker.log({NAME: 1 / step}, step=step)
        tracker.finish()
    return lambda: len(SQLiteStorage.get_logs("benchmark", str(run)))


PEERS = {"tensorboard": tensorboard, "trackio": trackio}


def main() -> None:
    name, home, points, runs = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    PEERS[name](home / "warm", 10, 0)()  # its imports
    began = time.perf_counter()
    reads = [PEERS[name](home / "runs", points, run) for run in range(runs)]
    recorded = time.perf_counter()
    found = [read() for read in reads]
    took = {"record": recorded - began, "read": time.perf_counter() - recorded}
    assert found == [points] * runs, found
    print(json.dumps({**took, "version": version(name)}))


if __name__ == "__main__":
    main()
