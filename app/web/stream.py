"""The live stream: one tail of the database feeds all listeners. An event says what changed, not the points.

The tail looks twenty times a second whether another connection has committed (less often while nothing runs, or nobody
listens), and only then at the change counter; the number of a change is the id of its event. So a listener that comes
back with its last id is told what changed since, by the same query, whatever the server remembers; one that missed more
than it would ask for one by one is told that alone.
"""

import asyncio
import json
import logging
import time
from collections import deque
from collections.abc import AsyncIterator, Collection

from fastapi.sse import ServerSentEvent
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.store import runs
from app.store.engine import clock, reading, watching
from app.store.errors import StoreError
from app.store.tables import ACTIVE, Run

POLL_SECONDS = 0.05
CALM_SECONDS = 0.25  # between two looks while nothing runs
REST_SECONDS = 2.0  # between two looks while nobody listens
RETRY_SECONDS = 1.0
KEEPALIVE_SECONDS = 10.0
MAX_LISTENERS = 100
REMEMBERED = 1200  # batches of changes kept for listeners that are a little behind: a minute's worth
MOST_TOLD = 500  # runs that changed, of which a listener that was long away is told one by one
CATCHING_UP = 2  # listeners that were long away and read the database side by side

log = logging.getLogger("runyard.web")

Changes = list[tuple[str, int, str]]
"""Events: kind (`run`, `deleted` or `missed`), id of the run, data as JSON."""


class Tail:
    """Follows the database. Call start() in the event loop, close() at the end."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.change = 0
        self.counts: dict[str, int] = {}
        self.closed = False
        self._streams: dict[str, list[asyncio.Event]] = {}  # who holds them, oldest first: set to end one
        self._batches: deque[tuple[int, int, Changes]] = deque(maxlen=REMEMBERED)  # after change, up to change, events
        self._news, self._called = asyncio.Event(), asyncio.Event()
        self._catching_up = asyncio.Semaphore(CATCHING_UP)
        self._task: asyncio.Task[None] | None = None

    @property
    def listeners(self) -> int:
        return sum(map(len, self._streams.values()))

    def take_place(self, who: str) -> asyncio.Event | None:
        """A place for one more stream of `who`, a token or session, until `leave_place`; None: there is none. It is set
        when the place is wanted back: where all are taken, whoever has most gives up the oldest for somebody with at
        least two fewer, so that no one can keep all others out."""
        if self.listeners >= MAX_LISTENERS:
            holder, streams = max(self._streams.items(), key=lambda item: len(item[1]))
            if len(streams) < len(self._streams.get(who, [])) + 2:
                return None
            streams[0].set()
            self.leave_place(holder, streams[0])  # which takes it off that list
            self._tell()
        place = asyncio.Event()
        self._streams.setdefault(who, []).append(place)
        self._called.set()
        return place

    def leave_place(self, who: str, place: asyncio.Event) -> None:
        streams = self._streams.get(who, [])
        if place in streams:
            streams.remove(place)
        if not streams:
            self._streams.pop(who, None)

    async def start(self) -> None:
        await asyncio.to_thread(self._read_first)
        self._task = asyncio.create_task(self._follow(), name="runyard-tail")

    def end_streams(self) -> None:
        """Let every open stream end now, so that the server can."""
        self.closed = True
        self._called.set()
        self._tell()

    async def close(self) -> None:
        self.end_streams()
        if self._task is not None:
            await self._task

    # Following the database

    def _read_first(self) -> None:
        with reading(self.engine) as session:
            self.change, self.counts = clock(session), runs.counts(session)

    async def _follow(self) -> None:
        said = ""
        while not self.closed:
            try:
                await self._watch()
            except (StoreError, SQLAlchemyError) as error:  # said once for as long as it lasts
                if str(error) != said:
                    log.error("the live stream can't read the database, it goes on trying: %s", error)
                said = str(error)
                await asyncio.sleep(RETRY_SECONDS)
            except Exception:
                log.exception("the live stream met an error; it goes on")
                await asyncio.sleep(RETRY_SECONDS)

    async def _watch(self) -> None:
        with watching(self.engine) as changed:
            while not self.closed:
                self._called.clear()
                if changed():
                    await asyncio.to_thread(self._read_news)
                if self.listeners:
                    is_busy = any(self.counts.get(status) for status in ACTIVE)
                    await asyncio.sleep(POLL_SECONDS if is_busy else CALM_SECONDS)
                else:
                    await _within(self._called, REST_SECONDS)

    def _read_news(self) -> None:
        while True:
            change, counts, events = self._changes_after(self.change)
            if change == self.change:
                return
            self._batches.append((self.change, change, events))
            self.change, self.counts = change, counts
            self._loop_tell()

    def _changes_after(self, after: int, only: Collection[int] = ()) -> tuple[int, dict[str, int], Changes]:
        with reading(self.engine) as session:
            change, changed, deleted = runs.changed_since(session, after, only)
            events: Changes = [("run", run.id or 0, _event_data(run)) for run in changed]
            events += [("deleted", run_id, json.dumps({"run": run_id})) for run_id in deleted]
            return change, runs.counts(session), events

    def _loop_tell(self) -> None:
        if self._task is not None:
            self._task.get_loop().call_soon_threadsafe(self._tell)

    def _tell(self) -> None:
        news, self._news = self._news, asyncio.Event()
        news.set()

    # Listening

    async def listen(
        self, only: Collection[int], last_event_id: str | None, place: asyncio.Event
    ) -> AsyncIterator[ServerSentEvent]:
        """Events of these runs (all when empty) from `last_event_id` on, and the counts whenever they change, until the
        `place` is wanted back."""
        said = time.monotonic()
        at = self.change
        if last_event_id and last_event_id.isdecimal() and len(last_event_id) < 19:
            at = min(int(last_event_id), at)
        told: dict[str, int] | None = None
        while not self.closed and not place.is_set():
            news = self._news
            at, events = await self._after(at, only)
            wanted = [event for event in events if not only or event[1] in only]
            for number, (kind, _, data) in enumerate(wanted, 1):
                said = time.monotonic()
                # the number of all of them comes with the last: who loses the stream between two is told them again
                yield ServerSentEvent(raw_data=data, event=kind, id=str(at) if number == len(wanted) else None)
            if self.counts != told:
                told, said = self.counts, time.monotonic()
                yield ServerSentEvent(data=told, event="counts", id=str(at))
            # beyond, when the database was asked and is ahead of the tail: waiting lets the tail come after
            if at >= self.change and not self.closed and not place.is_set():
                await _within(news, max(0.0, said + KEEPALIVE_SECONDS - time.monotonic()))
            if time.monotonic() >= said + KEEPALIVE_SECONDS:  # also while runs change that nobody here asked for
                said = time.monotonic()
                yield ServerSentEvent(comment="still here")

    async def _after(self, at: int, only: Collection[int]) -> tuple[int, Changes]:
        """What changed after `at`: from memory, or, for a listener that was long away, from the database; of all runs,
        if they are many, that they are."""
        if at >= self.change:
            return at, []
        batches = list(self._batches)
        if batches and batches[0][0] <= at:
            newer = [(upto, events) for _, upto, events in batches if upto > at]
            latest: dict[int, tuple[str, int, str]] = {}
            for kind, run, data in (event for _, events in newer for event in events):
                latest.pop(run, None)  # what is said of a run last stands last: deleted, or restored
                latest[run] = kind, run, data
            return newer[-1][0], list(latest.values())
        async with self._catching_up:
            return await asyncio.to_thread(self._missed, at, only)

    def _missed(self, at: int, only: Collection[int]) -> tuple[int, Changes]:
        if not only:
            with reading(self.engine) as session:
                change, many = clock(session), runs.count_changed(session, at)
            if many > MOST_TOLD:
                return change, [("missed", 0, json.dumps({"runs": many}))]
        change, _, events = self._changes_after(at, only)
        return change, events


def _event_data(run: Run) -> str:
    return json.dumps(
        {
            "run": run.id,
            "experiment": run.experiment_id,
            "name": run.name,
            "status": run.status,
            "step": run.steps_done,
            "attempt": run.attempt,
        }
    )


async def _within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
