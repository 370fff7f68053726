"""A launcher without processes, for tests that look at what the dispatcher does."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.jobs.plan import VANISHED
from app.store.runs import Claim

CARD = {"name": "cuda:0", "title": "a card", "memory": 1}
CPU = {"name": "cpu", "title": "cores", "memory": None}


@dataclass
class FakeWorker:
    """A worker that works until it is killed or told to end."""

    claim: Claim
    pid: int | None
    end: int | object | None = None
    kills: int = 0

    @property
    def handle(self) -> str:
        return f"fake {self.claim.run_id}-{self.claim.attempt}"

    def poll(self) -> int | object | None:
        return self.end

    def kill(self) -> None:
        self.kills += 1
        self.end = -9 if self.end is None else self.end

    def vanish(self) -> None:
        self.end = VANISHED


@dataclass
class FakeLauncher:
    """Launches workers that do nothing; `failing` is raised instead, as often as it is there."""

    here: list[dict[str, Any]] | None = field(default_factory=lambda: [CARD, CPU])
    logs: Path = Path("/nonexistent")
    is_ready: bool = True
    failing: list[Exception] = field(default_factory=list)
    workers: dict[int, FakeWorker] = field(default_factory=dict)
    """Run id to its last worker."""
    launched: list[Claim] = field(default_factory=list)
    adoptable: dict[int, FakeWorker] = field(default_factory=dict)

    def start(self, changed: Callable[[], None]) -> None:
        changed()

    def devices(self) -> list[dict[str, Any]] | None:
        return self.here

    def launch(self, claim: Claim) -> FakeWorker:
        if self.failing:
            raise self.failing.pop(0)
        self.launched.append(claim)
        worker = self.workers[claim.run_id] = FakeWorker(claim, 1000 + claim.run_id)
        return worker

    def adopt(self, claim: Claim) -> FakeWorker | None:
        return self.adoptable.get(claim.run_id)

    def log(self, files: str, attempt: int) -> Path:
        return self.logs / f"{files}-{attempt}.log"

    def ready(self) -> bool:
        return self.is_ready

    def close(self) -> None:
        pass
