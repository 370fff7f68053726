"""What the dispatcher decides, case by case: what is seen on the left, what is to be done on the right."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.jobs import causes
from app.jobs.plan import (
    RESTORABLE,
    VANISHED,
    Action,
    At,
    End,
    Job,
    Kill,
    Launch,
    Notice,
    Purge,
    Refuse,
    Resume,
    Silent,
    choose,
    plan,
)
from app.store.runs import PAUSED_BY_USER, STOPPED_BY_USER
from app.store.tables import Status

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
FRESH, OLD = NOW - timedelta(seconds=1), NOW - timedelta(seconds=11)


def machine(gpu: int = 1, cpu: int = 1, cards: int = 1) -> list[dict[str, Any]]:
    return [*({"name": f"cuda:{at}", "slots": gpu} for at in range(cards)), {"name": "cpu", "slots": cpu}]


def cores(count: int, slots: int | None = None) -> list[dict[str, Any]]:
    return [{"name": "cpu", "slots": count if slots is None else slots, "threads": count}]


def queued(run_id: int, wants: str = "auto", threads: int = 1) -> Job:
    return Job(run_id, Status.QUEUED, wants=wants, threads=threads)


RUNNING = Job(1, Status.RUNNING, 2, heartbeat=FRESH)
STARTING = Job(1, Status.STARTING, 2)
HUNG = replace(RUNNING, heartbeat=OLD)
WORKER = At(1, 2, "cuda:0")
GONE = "there is no such device here; choose auto or cuda:0 or cpu"


def decided(jobs: list[Job], workers: list[At], devices: Any = (), **more: Any) -> list[Action]:
    return plan(NOW, jobs, workers, machine() if devices == () else devices, **more)


LAUNCHING: list[tuple[str, list[Job], list[At], Any, list[Action]]] = [
    ("nothing waits", [], [], (), []),
    ("auto is the card", [queued(1)], [], (), [Launch(1, "cuda:0")]),
    ("cuda is the card", [queued(1, "cuda")], [], (), [Launch(1, "cuda:0")]),
    ("by its name", [queued(1, "cuda:0")], [], (), [Launch(1, "cuda:0")]),
    ("the CPU", [queued(1, "cpu")], [], (), [Launch(1, "cpu")]),
    ("auto without a card", [queued(1)], [], machine(cards=0), [Launch(1, "cpu")]),
    ("the devices are not known", [queued(1)], [], None, []),
    ("in the queue's order", [queued(3), queued(1), queued(2)], [], machine(gpu=2), [Launch(3, "cuda:0"), Launch(1, "cuda:0")]),
    ("auto never means the CPU beside a card", [queued(1), queued(2)], [], (), [Launch(1, "cuda:0")]),
    ("one that waits does not keep back one for another device", [queued(1), queued(2), queued(3, "cpu")], [], (),
     [Launch(1, "cuda:0"), Launch(3, "cpu")]),
    ("the slot is taken", [queued(2), RUNNING], [WORKER], (), []),
    ("another card is free", [queued(2), RUNNING], [WORKER], machine(cards=2), [Launch(2, "cuda:1")]),
    ("auto fills all cards", [queued(1), queued(2), queued(3)], [], machine(cards=2), [Launch(1, "cuda:0"), Launch(2, "cuda:1")]),
    ("the first card before its second slot is no rule: the first with a slot", [queued(1), queued(2)], [], machine(gpu=2, cards=2),
     [Launch(1, "cuda:0"), Launch(2, "cuda:0")]),
    ("a card by name waits for that one", [queued(2, "cuda:0"), RUNNING], [WORKER], machine(cards=2), []),
    ("several slots", [queued(2), queued(3), RUNNING], [WORKER], machine(gpu=3), [Launch(2, "cuda:0"), Launch(3, "cuda:0")]),
    ("a worker on the CPU takes no slot of the card", [queued(2)], [At(1, 1, "cpu")], (), [Launch(2, "cuda:0")]),
    ("more workers than slots, after a restart with fewer", [queued(3)], [At(1, 1, "cuda:0"), At(2, 1, "cuda:0")], (), []),
    ("a worker on a device that is gone", [queued(2)], [At(1, 1, "cuda:5")], (), [Launch(2, "cuda:0")]),
    ("resumed before its old worker has left", [queued(1)], [WORKER], machine(gpu=2), []),
    ("its own slot is free again only then", [queued(1), queued(2)], [WORKER], machine(gpu=2), [Launch(2, "cuda:0")]),
    ("a slot that was freed just now is used at once", [queued(2), RUNNING], [replace(WORKER, end=0)], (),
     [End(1, 2, Status.FAILED, None, again=False), Launch(2, "cuda:0")]),
    ("but not for the run that leaves it", [queued(1)], [replace(WORKER, end=0)], (), [End(1, 2, Status.FAILED, None, again=False)]),
    ("a device that is not there", [queued(1, "cuda:7")], [], (), [Refuse(1, f"device is 'cuda:7': {GONE}")]),
    ("a GPU where there is none", [queued(1, "cuda")], [], machine(cards=0),
     [Refuse(1, "device is 'cuda': there is no such device here; choose auto or cpu")]),
    ("a refused one keeps nobody back", [queued(1, "cuda:7"), queued(2)], [], (),
     [Refuse(1, f"device is 'cuda:7': {GONE}"), Launch(2, "cuda:0")]),
    ("no slots on the cards: auto is the CPU", [queued(1)], [], machine(gpu=0), [Launch(1, "cpu")]),
    ("no slots on the cards: one by name", [queued(1, "cuda:0")], [], machine(gpu=0),
     [Refuse(1, causes.NO_SLOTS.format(device="'cuda:0'", setting="RUNYARD_GPU_SLOTS", choices="auto or cpu"))]),
    ("no slots on the cards: any of them", [queued(1, "cuda")], [], machine(gpu=0),
     [Refuse(1, causes.NO_SLOTS.format(device="'cuda'", setting="RUNYARD_GPU_SLOTS", choices="auto or cpu"))]),
    ("no slots on the CPU", [queued(1, "cpu")], [], machine(cpu=0),
     [Refuse(1, causes.NO_SLOTS.format(device="'cpu'", setting="RUNYARD_CPU_SLOTS", choices="auto or cuda:0"))]),
    ("no slot anywhere: all wait", [queued(1), queued(2, "cpu"), queued(3, "cuda:7")], [], machine(gpu=0, cpu=0), []),
    ("a full machine refuses all the same", [queued(2, "cuda:7"), RUNNING], [WORKER], machine(cpu=0),
     [Refuse(2, "device is 'cuda:7': there is no such device here; choose auto or cuda:0")]),
    ("on the CPU while the threads of all fit", [queued(1, threads=1), queued(2, threads=1), queued(3, threads=1)], [],
     cores(2), [Launch(1, "cpu"), Launch(2, "cpu")]),
    ("one with all threads goes alone", [queued(1, threads=2), queued(2, threads=1)], [], cores(2), [Launch(1, "cpu")]),
    ("one with more than are free waits, and those behind it", [queued(2, threads=2), queued(3, threads=1)],
     [At(1, 1, "cpu", threads=1)], cores(2), []),
    ("alone it goes, whatever it takes", [queued(1, threads=8)], [], cores(2), [Launch(1, "cpu")]),
    ("no more than there are slots", [queued(1), queued(2)], [], cores(4, slots=1), [Launch(1, "cpu")]),
    ("one that waits for threads keeps back none on a card", [queued(2, "cpu", threads=2), queued(3)],
     [At(1, 1, "cpu", threads=1)], [*machine()[:1], *cores(2)], [Launch(3, "cuda:0")]),
    ("one that ended is not launched", [Job(1, Status.PAUSED, 1), Job(2, Status.FAILED, 1)], [], (), []),
    ("one at work without a worker of ours is not launched", [RUNNING], [], (), []),
]  # fmt: skip
ENDS: list[tuple[str, list[Job], At, Action]] = [
    ("left with code 0, without a word", [RUNNING], replace(WORKER, end=0), End(1, 2, Status.FAILED, None, again=False)),
    ("left with code 1", [RUNNING], replace(WORKER, end=1), End(1, 2, Status.FAILED, None, again=False)),
    ("could not record its end", [RUNNING], replace(WORKER, end=4), End(1, 2, Status.FAILED, None, again=False)),
    ("found its run in other hands", [RUNNING], replace(WORKER, end=causes.NOT_ITS_RUN), End(1, 2, Status.LOST, causes.TAKEN, again=True)),
    ("found it so while it was asked to stop", [RUNNING], replace(WORKER, end=causes.NOT_ITS_RUN, stopping=0.1),
     End(1, 2, Status.STOPPED, STOPPED_BY_USER, again=False)),
    ("ended by a net with code 3", [RUNNING], replace(WORKER, end=3), End(1, 2, Status.FAILED, None, again=False)),
    ("killed by signal 9", [RUNNING], replace(WORKER, end=-9), End(1, 2, Status.FAILED, None, again=True)),
    ("crashed in native code", [RUNNING], replace(WORKER, end=-11), End(1, 2, Status.FAILED, None, again=True)),
    ("vanished", [RUNNING], replace(WORKER, end=VANISHED), End(1, 2, Status.LOST, causes.VANISHED, again=True)),
    ("killed in a write", [HUNG], replace(WORKER, end=-9, blocked=True), End(1, 2, Status.FAILED, causes.BLOCKED, again=True)),
    ("killed when it ignored a stop", [replace(RUNNING, stop=True)], replace(WORKER, end=-9, stopping=6.0, ignoring=True),
     End(1, 2, Status.STOPPED, causes.IGNORED.format(asked=STOPPED_BY_USER), again=False)),
    ("killed when it ignored a pause", [replace(RUNNING, pause=True)], replace(WORKER, end=-9, stopping=6.0, pausing=True, ignoring=True),
     End(1, 2, Status.PAUSED, causes.IGNORED.format(asked=PAUSED_BY_USER), again=False)),
    ("killed while it started, when it was asked to pause", [replace(STARTING, pause=True)], replace(WORKER, end=-9, stopping=0.3, pausing=True),
     End(1, 2, Status.PAUSED, PAUSED_BY_USER, again=False)),
    ("killed while it was asked to stop", [replace(RUNNING, stop=True)], replace(WORKER, end=VANISHED, stopping=0.1),
     End(1, 2, Status.STOPPED, STOPPED_BY_USER, again=False)),
    ("killed in a write while it was asked to stop", [HUNG], replace(WORKER, end=-9, stopping=1.0, blocked=True),
     End(1, 2, Status.STOPPED, STOPPED_BY_USER, again=False)),
    ("its run was deleted meanwhile", [], replace(WORKER, end=0), End(1, 2, Status.FAILED, None, again=False)),
    ("its run is queued again", [queued(1)], replace(WORKER, end=0), End(1, 2, Status.FAILED, None, again=False)),
]  # fmt: skip
LIVES: list[tuple[str, Job, At, list[Action]]] = [
    ("works", RUNNING, WORKER, []),
    ("starts", STARTING, WORKER, []),
    ("is another attempt's", replace(RUNNING, attempt=3, stop=True), WORKER, []),
    ("is a run's that ended", Job(1, Status.STOPPED, 2, stop=True), WORKER, []),
    ("is asked to stop", replace(RUNNING, stop=True), WORKER, [Notice(1, stopping=True)]),
    ("was asked a moment ago", replace(RUNNING, stop=True), replace(WORKER, stopping=1.0), []),
    ("just within its grace", replace(RUNNING, stop=True), replace(WORKER, stopping=5.0), []),
    ("does not obey", replace(RUNNING, stop=True), replace(WORKER, stopping=5.1), [Kill(1, ignoring=True)]),
    ("has a longer grace", replace(RUNNING, stop=True, grace=60.0), replace(WORKER, stopping=5.1), []),
    ("has outlived a longer grace", replace(RUNNING, stop=True, grace=60.0), replace(WORKER, stopping=60.1), [Kill(1, ignoring=True)]),
    ("is asked to pause", replace(RUNNING, pause=True), WORKER, [Notice(1, stopping=True, pausing=True)]),
    ("does not pause", replace(RUNNING, pause=True), replace(WORKER, stopping=5.1, pausing=True), [Kill(1, ignoring=True)]),
    ("is to stop after all", replace(RUNNING, stop=True, pause=True), replace(WORKER, stopping=1.0, pausing=True), [Notice(1, stopping=True)]),
    ("can't see a stop yet", replace(STARTING, stop=True), WORKER, [Notice(1, stopping=True), Kill(1)]),
    ("can't see a pause yet", replace(STARTING, pause=True), WORKER, [Notice(1, stopping=True, pausing=True), Kill(1)]),
    ("was not heard of", HUNG, WORKER, [Silent(1, 2)]),
    ("is known to be silent", replace(HUNG, responding=False), WORKER, []),
    ("was heard of just in time", replace(RUNNING, heartbeat=NOW - timedelta(seconds=10)), WORKER, []),
    ("was heard of before the clock was put back", replace(RUNNING, heartbeat=NOW + timedelta(hours=1)), WORKER, [Silent(1, 2)]),
    ("was never heard of", replace(RUNNING, heartbeat=None), WORKER, []),
    ("starts slowly", replace(STARTING, heartbeat=OLD), WORKER, []),
    ("writes", RUNNING, replace(WORKER, writes=True), []),
    ("is silent in a write", HUNG, replace(WORKER, writes=True), [Notice(1, blocking=True), Silent(1, 2)]),
    ("is silent in a write for a moment", replace(HUNG, responding=False), replace(WORKER, writes=True, blocking=1.0), []),
    ("keeps all others out", replace(HUNG, responding=False), replace(WORKER, writes=True, blocking=2.1), [Kill(1, blocked=True)]),
    ("was killed for that", replace(HUNG, responding=False), replace(WORKER, writes=True, blocking=2.1, blocked=True), []),
    ("has left the write", replace(HUNG, responding=False), replace(WORKER, blocking=1.0), [Notice(1, blocking=False)]),
    ("is heard of again", RUNNING, replace(WORKER, writes=True, blocking=1.0), [Notice(1, blocking=False)]),
    ("is silent in a write and asked to stop", replace(HUNG, stop=True), replace(WORKER, writes=True, blocking=2.1, stopping=6.0),
     [Kill(1, blocked=True), Kill(1, ignoring=True)]),
    ("is silent and asked to stop", replace(HUNG, stop=True), replace(WORKER, stopping=1.0), []),
]  # fmt: skip


def case_id(value: object) -> str | None:
    return value if isinstance(value, str) else ""


@pytest.mark.parametrize(("what", "jobs", "workers", "devices", "actions"), LAUNCHING, ids=case_id)
def test_what_is_launched(what: str, jobs: list[Job], workers: list[At], devices: Any, actions: list[Action]) -> None:
    assert decided(jobs, workers, devices) == actions, what


@pytest.mark.mend("B7")
@pytest.mark.parametrize(("what", "jobs", "worker", "action"), ENDS, ids=case_id)
def test_how_an_end_is_told(what: str, jobs: list[Job], worker: At, action: Action) -> None:
    assert decided(jobs, [worker], machine(gpu=0, cpu=0)) == [action], what


@pytest.mark.parametrize(("what", "job", "worker", "actions"), LIVES, ids=case_id)
def test_what_is_done_about_a_worker_that_lives(what: str, job: Job, worker: At, actions: list[Action]) -> None:
    assert decided([job], [worker]) == actions, what


@pytest.mark.parametrize("status", [Status.FAILED, Status.LOST])
@pytest.mark.parametrize(("after", "due"), [(-1, True), (0, True), (1, False)], ids=["past", "now", "to come"])
def test_a_run_resumes_by_itself_when_its_time_has_come(status: Status, after: int, due: bool) -> None:
    job = Job(1, status, 1, retry_at=NOW + timedelta(seconds=after))
    assert decided([job], []) == ([Resume(1)] if due else [])


def test_one_that_resumes_is_launched_when_it_is_queued_and_not_before() -> None:
    job = Job(1, Status.FAILED, 1, retry_at=NOW)
    assert decided([job, queued(2)], []) == [Resume(1), Launch(2, "cuda:0")]


def test_while_the_launcher_is_not_ready_ends_are_recorded_and_nothing_is_launched() -> None:
    found = decided([queued(2), RUNNING], [replace(WORKER, end=-9)], ready=False)
    assert found == [End(1, 2, Status.FAILED, None, again=True)]


@pytest.mark.parametrize(("age", "purged"), [(RESTORABLE, False), (RESTORABLE + timedelta(seconds=1), True)], ids=str)
def test_what_was_deleted_is_purged_when_it_can_no_longer_be_restored(age: timedelta, purged: bool) -> None:
    assert decided([], [], oldest_deletion=NOW - age) == ([Purge(NOW - RESTORABLE)] if purged else [])
    assert decided([], [], oldest_deletion=None) == []


def test_a_worker_that_keeps_all_others_out_is_killed_before_anything_is_written() -> None:
    blocking = At(2, 1, "cpu", writes=True, blocking=3.0)
    jobs = [RUNNING, Job(2, Status.RUNNING, 1, responding=False, heartbeat=OLD)]
    found = decided(jobs, [replace(WORKER, end=0), blocking])
    assert found == [Kill(2, blocked=True), End(1, 2, Status.FAILED, None, again=False)]


@pytest.mark.parametrize(
    ("wants", "offered"),
    [
        ("auto", ["cuda:0", "cuda:1"]),
        ("cuda", ["cuda:0", "cuda:1"]),
        ("cuda:1", ["cuda:1"]),
        ("cpu", ["cpu"]),
        ("cuda:2", []),
    ],
)
def test_what_a_run_may_get(wants: str, offered: list[str]) -> None:
    assert choose(wants, {"cuda:0": 1, "cuda:1": 2, "cpu": 1}) == offered
