"""Data sets being read, and downloaded where absent, while the server goes on."""

import logging
import re
import threading
from dataclasses import dataclass, replace

from trainer import catalog
from trainer.entries import DataError
from trainer.prepared import Places, ensure_prepared, register_folders

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


class Preparing:
    """Prepares data sets, each once at a time."""

    def __init__(self, places: Places) -> None:
        self.places = places
        for wrong in register_folders(places):
            log.warning("%s", wrong)
        self._states: dict[str, Preparation] = {}
        self._lock = threading.Lock()

    def state(self, name: str) -> Preparation | None:
        """None when it was not asked for."""
        return self._states.get(name)

    def begin(self, name: str) -> Preparation:
        """Prepare a data set in the background, unless that is going on."""
        with self._lock:
            known = self._states.get(name)
            if known is not None and known.running:
                return known
            self._states[name] = Preparation(running=True)
        threading.Thread(target=self._prepare, args=[name], name=f"runyard-{name}", daemon=True).start()
        return self._states[name]

    def begin_all(self) -> None:
        """Prepare every data set that needs no download, one after the other, so that its images can be shown."""

        waiting = [
            name for name in catalog.DATASETS if self.places.is_on_disk(name) and not self.places.is_prepared(name)
        ]
        self._states |= {name: Preparation(running=True) for name in waiting}

        def prepare() -> None:
            for name in waiting:
                self._prepare(name)

        threading.Thread(target=prepare, name="runyard-images", daemon=True).start()

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
