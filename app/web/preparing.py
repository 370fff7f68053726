"""Data sets being read, and downloaded where absent, while the server goes on."""

import contextlib
import logging
import math
import queue
import re
import threading
import time
from collections.abc import Collection
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Literal

from trainer import catalog
from trainer.data.folder import state as folder_state
from trainer.entries import DataError
from trainer.prepared import Places, ensure_prepared, register_folders

MOST_WAITING = 20
LOOK_SECONDS = 3.0  # between two looks at a folder of images
PATIENCE_SECONDS = 0.5  # for a look: a folder of some 50,000 files takes longer, and is known the next time
Source = Literal["as read", "changed", "gone"] | None
log = logging.getLogger("runyard.web")
_PERCENT = re.compile(r"(\d+)%\|")


@dataclass(frozen=True)
class Preparation:
    """How far one is."""

    running: bool
    progress: float | None = None
    """Of the file that is being downloaded, 0 to 1; None while none is."""
    error: str | None = None
    """Why the last try failed, and the way out."""


class Full(Exception):
    """As many data sets as may be are wanted already; str() says so."""


class Preparing:
    """Prepares data sets, one after the other, in the order asked for."""

    def __init__(self, places: Places) -> None:
        self.places = places
        for wrong in register_folders(places):
            log.warning("%s", wrong)
        self._states: dict[str, Preparation] = {}
        self._looks: dict[str, tuple[float, Future[Source]]] = {}  # name to when its folder was looked at, and how
        self._looking = ThreadPoolExecutor(1, "runyard-folders")
        self._lock = threading.Lock()
        self._wanted: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def state(self, name: str) -> Preparation | None:
        """None when it was not asked for."""
        return self._states.get(name)

    def sources(self, names: Collection[str]) -> dict[str, Source]:
        """What became of folders of images since they were read; None also where that takes longer to find out than
        anybody should wait. It is looked at again after some seconds."""
        wanted = {}
        for name in names:
            dataset = catalog.DATASETS.get(name)
            if dataset is None or dataset.fingerprint is None:
                continue
            with self._lock:
                when, look = self._looks.get(name, (-math.inf, None))
                if look is None or (look.done() and time.monotonic() > when + LOOK_SECONDS):
                    look = self._looking.submit(folder_state, dataset, self.places.datasets)
                    self._looks[name] = time.monotonic(), look
                wanted[name] = look
        wait(wanted.values(), PATIENCE_SECONDS)
        return {name: look.result() if (look := wanted.get(name)) and look.done() else None for name in names}

    def begin(self, name: str) -> Preparation:
        """Prepare a data set in the background, unless that is going on."""
        with self._lock:
            known = self._states.get(name)
            if known is not None and known.running:
                return known
            waiting = sum(state.running for state in self._states.values())
            if waiting >= MOST_WAITING:
                raise Full(f"{waiting} data sets are being read or wait for it, as many as may be: try again later")
            self._states[name] = Preparation(running=True)
            self._wanted.put(name)
            if self._thread is None:
                self._thread = threading.Thread(target=self._follow, name="runyard-prepares", daemon=True)
                self._thread.start()
        return self._states[name]

    def _follow(self) -> None:
        """One after the other: each takes memory, and the disk."""
        while True:
            self._prepare(self._wanted.get())

    def begin_all(self) -> None:
        """Prepare every data set that needs no download, so that its images can be shown."""
        for name in list(catalog.DATASETS):
            if self.places.is_on_disk(name) and not self.places.is_prepared(name):
                with contextlib.suppress(Full):
                    self.begin(name)

    def _prepare(self, name: str) -> None:
        error = None
        try:
            ensure_prepared(name, self.places, lambda said: self._heard(name, said))
        except (DataError, OSError) as failure:
            log.warning("%s could not be prepared: %s", name, failure)
            error = str(failure)
        except Exception as failure:  # else it would be shown as running for ever
            log.exception("%s could not be prepared", name)
            error = f"{type(failure).__name__}: {failure}"
        self._states[name] = Preparation(running=False, error=error)

    def _heard(self, name: str, said: str) -> None:
        found = _PERCENT.search(said)
        self._states[name] = replace(self._states[name], progress=int(found[1]) / 100 if found else None)
