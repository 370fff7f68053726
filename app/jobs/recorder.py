"""Writes what a worker measures into the store: in batches, four times a second, or once a step."""

import contextlib
import math
import threading
import time
from collections.abc import Iterator

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.store import runs, series
from app.store.engine import writing
from app.store.errors import StoreError
from app.store.runs import GRACE, LONG_GRACE, Requests, Start
from app.store.series import Point
from app.store.tables import Status

FLUSH_SECONDS = 0.25
BEAT_SECONDS = 2.0  # a worker that has written nothing for so long says that it lives
LEAVING_SECONDS = 600.0  # what a worker may take that has seen that it is to leave: its checkpoint may be large


class Recorder:
    """The one writer of what a run's training measures, for one attempt."""

    def __init__(self, engine: Engine, run_id: int, attempt: int, start: Start) -> None:
        self.engine, self.run_id, self.attempt = engine, run_id, attempt
        self.steps_done, self.seconds = start.step, start.seconds
        self.requests = Requests()
        self._points: list[Point] = []
        self._flushed = -math.inf  # the first batch is written at once
        self._looked, self._longest = time.monotonic(), 0.0  # when it last looked for requests, and the longest between
        self._grace = LONG_GRACE
        self.is_leaving = False
        """A request to leave was seen: the next flush says so, and the worker is given the time that it takes."""

    def add(self, point: Point) -> None:
        self._points.append(point)

    def flush_if_due(self) -> None:
        """Call after each step. Raises Superseded when this attempt should no longer write."""
        moment = time.monotonic()
        if moment - self._looked > self._longest:
            self._longest = moment - self._looked
        self._looked = moment
        if moment - self._flushed >= FLUSH_SECONDS:
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
        grace = self._usual_grace()
        if self._points:
            self.steps_done, self.seconds = self._points[-1].step, self._points[-1].time
        with writing(self.engine) as session:
            if abs(grace - self._grace) > 1:
                runs.give_grace(session, self.run_id, self.attempt, grace)
            self.requests = runs.progress(session, self.run_id, self.attempt, self.steps_done, self.seconds)
            series.append(session, self.run_id, self._points)
            if kept_step is not None:
                series.settle(session, self.run_id, kept_step)
            if end is not None:
                runs.move(session, self.run_id, end, attempt=self.attempt, cause=cause, untrained=untrained)
        self._points, self._grace = [], grace
        self._flushed = time.monotonic()

    def checkpointed(self, step: int) -> None:
        """Note that a checkpoint of this step is in its place."""
        with writing(self.engine) as session:
            runs.checkpointed(session, self.run_id, self.attempt, step)

    def _usual_grace(self) -> float:
        return LEAVING_SECONDS if self.is_leaving else GRACE + 2 * self._longest

    @contextlib.contextmanager
    def beating(self) -> Iterator[None]:
        """Meanwhile a thread says that the worker lives, whenever a step takes long."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(BEAT_SECONDS):
                step = time.monotonic() - self._looked
                if step > BEAT_SECONDS:
                    usual = self._usual_grace()
                    self._grace = max(usual, LONG_GRACE) if step > self._longest else usual
                    with contextlib.suppress(StoreError, SQLAlchemyError):  # the worker meets it itself
                        runs.beat(self.engine, self.run_id, self.attempt, self._grace)

        thread = threading.Thread(target=beat, name="runyard-heart", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
