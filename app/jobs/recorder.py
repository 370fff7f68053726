"""Writes what a worker measures into the store: in batches, at least four times a second."""

import math
import time

from sqlalchemy import Engine

from app.store import runs, series
from app.store.engine import writing
from app.store.runs import Requests, Start
from app.store.series import Point
from app.store.tables import Status

FLUSH_SECONDS = 0.2


class Recorder:
    """The one writer of a run's series, for one attempt."""

    def __init__(self, engine: Engine, run_id: int, attempt: int, start: Start) -> None:
        self.engine, self.run_id, self.attempt = engine, run_id, attempt
        self.steps_done, self.seconds = start.step, start.seconds
        self.requests = Requests()
        self._points: list[Point] = []
        self._flushed = -math.inf  # the first batch is written at once

    def add(self, point: Point) -> None:
        self._points.append(point)
        self.steps_done, self.seconds = point.step, point.time

    def flush_if_due(self) -> None:
        """Call often. Raises Superseded when this attempt should no longer write."""
        if time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(
        self,
        end: Status | None = None,
        cause: str | None = None,
        kept_step: int | None = None,
        untrained: bool | None = None,
    ) -> None:
        """Write all that was added and, with `end`, the run's end, in one transaction.

        Of a run that has succeeded, `kept_step`: the step of the weights that were kept; `untrained`: it learned
        nothing.
        """
        with writing(self.engine) as session:
            self.requests = runs.progress(session, self.run_id, self.attempt, self.steps_done, self.seconds)
            series.append(session, self.run_id, self._points)
            if kept_step is not None:
                series.settle(session, self.run_id, kept_step)
            if end is not None:
                runs.move(session, self.run_id, end, attempt=self.attempt, cause=cause, untrained=untrained)
        self._points = []
        self._flushed = time.monotonic()

    def checkpointed(self, step: int) -> None:
        """Note that a checkpoint of this step is in its place."""
        with writing(self.engine) as session:
            runs.checkpointed(session, self.run_id, self.attempt, step)
