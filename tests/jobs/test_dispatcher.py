"""The dispatcher with a launcher that launches nothing: what becomes of runs, in the database, turn by turn."""

import errno
import fcntl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import Engine, update
from sqlalchemy.exc import OperationalError
from sqlmodel import col

from app.jobs import causes
from app.jobs.dispatcher import Dispatcher
from app.jobs.launchers import Later, LocalLauncher
from app.settings import Settings
from app.spec.experiment import ExperimentSpec
from app.store import experiments, runs
from app.store.engine import open_database, reading, writing
from app.store.runs import Claim, Start
from app.store.tables import Attempt, Run, Status, now
from tests.jobs.fakes import CPU, FakeLauncher, FakeWorker
from trainer.spec import parse


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    found = open_database(tmp_path / "runyard.db")
    yield found
    found.dispose()


class Queue:
    """A dispatcher on a database of its own, a turn at a time."""

    def __init__(self, engine: Engine, home: Path, launcher: FakeLauncher | None = None, **slots: int) -> None:
        self.engine, self.launcher = engine, launcher or FakeLauncher(logs=home)
        self.dispatcher = Dispatcher(engine, Settings(home=home, **slots), self.launcher)

    def add(self, *devices: str) -> list[int]:
        with writing(self.engine) as session:
            made = [runs.add(session, parse({"device": device}), device) for device in devices]
            session.flush()
            return [run.id or 0 for run in made]

    def turn(self) -> None:
        self.dispatcher._look_next = 0.0
        self.dispatcher._turn()

    def begin(self, run_id: int) -> None:
        """As its worker does."""
        runs.begin(self.engine, run_id, self.run(run_id).attempt, {}, Start())

    def run(self, run_id: int) -> Run:
        with reading(self.engine) as session:
            return runs.get(session, run_id)

    def statuses(self, *run_ids: int) -> list[str]:
        return [self.run(run_id).status for run_id in run_ids]

    def attempts(self, run_id: int) -> list[Attempt]:
        with reading(self.engine) as session:
            return runs.attempts(session, [run_id]).get(run_id, [])


@pytest.fixture
def queue(engine: Engine, tmp_path: Path) -> Queue:
    return Queue(engine, tmp_path, gpu_slots=1, cpu_slots=1)


def test_a_queued_run_is_claimed_and_its_worker_noted(queue: Queue) -> None:
    first, second = queue.add("auto", "auto")
    queue.turn()
    assert queue.statuses(first, second) == ["starting", "queued"]
    assert [(claim.run_id, claim.device) for claim in queue.launcher.launched] == [(first, "cuda:0")]
    (attempt,) = queue.attempts(first)
    assert (attempt.pid, attempt.handle) == (1000 + first, f"fake {first}-1")


def test_the_queue_goes_by_position_then_turn(queue: Queue, engine: Engine) -> None:
    first, second, third = queue.add("cpu", "cpu", "cpu")
    with writing(engine) as session:
        for run_id, turn in ((first, 2), (second, 1), (third, 0)):
            session.execute(update(Run).where(col(Run.id) == run_id).values(turn=turn))
    runs.move_first(engine, second)
    for _ in range(3):
        queue.turn()
        for worker in queue.launcher.workers.values():
            worker.end = worker.end if worker.end is not None else 1
    assert [claim.run_id for claim in queue.launcher.launched] == [second, third, first]


def test_an_experiment_is_balanced_at_every_moment(queue: Queue, engine: Engine) -> None:
    grid = {"model": ["fc", "cnn"], "pixel_order": ["original", "shuffled"], "seed": [1, 2, 3]}
    _, made = experiments.create(engine, ExperimentSpec(name="four ways", base={"device": "cpu"}, grid=grid))
    assert [run.seed for run in made] == [1, 2, 3] * 4, "ids keep the grid's order"
    for _ in made:
        queue.turn()
        for worker in queue.launcher.workers.values():
            worker.end = 1
    queue.turn()
    launched = [queue.run(claim.run_id) for claim in queue.launcher.launched]
    assert [run.seed for run in launched] == [1] * 4 + [2] * 4 + [3] * 4
    assert all(len({run.configuration for run in launched[at : at + 4]}) == 4 for at in (0, 4, 8))


def test_resumed_runs_go_first_in_the_order_that_they_had(queue: Queue, engine: Engine) -> None:
    first, second, third, fourth = queue.add("cpu", "cpu", "cpu", "cpu")
    for run_id in (first, second):
        queue.turn()
        queue.begin(run_id)
        with writing(engine) as session:
            runs.move(session, run_id, Status.PAUSED, attempt=1, cause=runs.PAUSED_BY_USER)
        queue.launcher.workers[run_id].end = 0
    queue.launcher.is_ready = False
    queue.turn()
    runs.move_first(engine, fourth)
    for run_id in (second, first):
        runs.resume(engine, run_id)
    assert [one.run_id for one in runs.pending(engine)] == [first, second, fourth, third]


def test_a_slot_that_becomes_free_is_filled_in_the_same_turn(queue: Queue) -> None:
    first, second = queue.add("cpu", "cpu")
    queue.turn()
    queue.launcher.workers[first].end = 1
    queue.turn()
    assert queue.statuses(first, second) == ["failed", "starting"]


def test_the_log_of_a_worker_that_left_without_a_word_says_why(queue: Queue) -> None:
    (run_id,) = queue.add("cpu")
    queue.turn()
    queue.launcher.log(queue.run(run_id).files, 1).write_text("one\nModuleNotFoundError: No module named 'x'\n")
    queue.launcher.workers[run_id].end = 1
    queue.turn()
    assert queue.run(run_id).cause == "the worker ended with exit code 1: ModuleNotFoundError: No module named 'x'"


def test_a_killed_worker_s_run_resumes_by_itself_three_times(queue: Queue, engine: Engine) -> None:
    (run_id,) = queue.add("cpu")
    for crash in range(4):
        queue.turn()
        queue.begin(run_id)
        queue.launcher.workers[run_id].end = -9
        queue.turn()
        run = queue.run(run_id)
        assert (run.status, run.cause, run.crashes) == ("failed", causes.KILLED_9, crash)
        assert (run.retry_at is not None) == (crash < 3)
        with writing(engine) as session:
            session.execute(update(Run).values(retry_at=now() if run.retry_at else None))
        queue.turn()
    assert queue.statuses(run_id) == ["failed"]
    assert [attempt.cause for attempt in queue.attempts(run_id)] == [causes.KILLED_9] * 4


def test_a_launch_that_fails_for_a_passing_reason_gives_the_run_back(queue: Queue) -> None:
    first, second = queue.add("cpu", "auto")
    queue.launcher.failing = [Later("Resource temporarily unavailable")]
    queue.turn()
    assert queue.statuses(first, second) == ["queued", "queued"], "the others wait as well, for a moment"
    run = queue.run(first)
    assert (run.attempt, run.device, run.crashes, run.cause, queue.attempts(first)) == (0, None, 0, None, [])
    queue.dispatcher._launch_next = 0.0
    queue.turn()
    assert queue.statuses(first, second) == ["starting", "starting"]
    assert [attempt.n for attempt in queue.attempts(first)] == [1]


def test_a_run_that_is_given_back_while_it_is_asked_to_stop_does(queue: Queue, engine: Engine) -> None:
    (run_id,) = queue.add("cpu")
    with writing(engine) as session:
        claim = runs.claim(session, runs.get(session, run_id), "cpu")
    runs.request_stop(engine, run_id)
    runs.give_back(engine, claim)
    assert (queue.run(run_id).status, queue.run(run_id).cause) == ("stopped", runs.STOPPED_BY_USER)


def test_a_launch_that_fails_for_good_fails_the_run(queue: Queue) -> None:
    first, second = queue.add("cpu", "cpu")
    queue.launcher.failing = [FileNotFoundError(errno.ENOENT, "no such program")]
    queue.turn()
    assert queue.statuses(first, second) == ["failed", "queued"]
    assert queue.run(first).cause == "the worker could not be started: [Errno 2] no such program"


@pytest.mark.parametrize(
    ("code", "raised"), [(errno.EAGAIN, Later), (errno.ENOMEM, Later), (errno.EMFILE, Later), (errno.ENOEXEC, OSError)]
)
def test_the_system_s_refusals_are_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int, raised: type[Exception]
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(code, "refused")

    launcher = LocalLauncher(Settings(home=tmp_path, preload=False))
    monkeypatch.setattr("subprocess.Popen", refuse)
    with pytest.raises(raised, match="refused"):
        launcher.launch(Claim(1, 1, "cpu", "run-1-abc"))


@pytest.mark.mend("B3")
def test_what_an_earlier_launch_of_an_attempt_left_behind_keeps_no_queue_waiting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was given back when the disk was full, though its worker had begun, and a child of that has its lock."""
    launcher, claim = LocalLauncher(Settings(home=tmp_path, preload=False)), Claim(1, 1, "cpu", "run-1-abc")
    monkeypatch.setattr("subprocess.Popen", lambda *_, **__: SimpleNamespace(pid=4711))
    launcher.launch(claim)
    with (tmp_path / "logs" / "run-1-abc-1.lock").open("rb") as left_behind:
        fcntl.flock(left_behind, fcntl.LOCK_EX)
        assert launcher.launch(claim).pid == 4711


def test_a_stop_is_seen_and_a_worker_that_ignores_it_is_killed(queue: Queue, engine: Engine) -> None:
    (run_id,) = queue.add("cpu")
    queue.turn()
    queue.begin(run_id)
    runs.request_stop(engine, run_id)
    queue.turn()
    assert queue.launcher.workers[run_id].kills == 0
    queue.dispatcher._workers[run_id].stopping_since -= 55  # type: ignore[operator]
    queue.turn()
    assert queue.launcher.workers[run_id].kills == 0  # its first step may take long
    with writing(engine) as session:
        runs.give_grace(session, run_id, 1, runs.GRACE)
    queue.turn()
    assert queue.launcher.workers[run_id].kills == 1
    queue.turn()
    ignored = causes.IGNORED.format(asked=runs.STOPPED_BY_USER)
    assert (queue.run(run_id).status, queue.run(run_id).cause) == ("stopped", ignored)


def test_a_silent_worker_is_shown_so(queue: Queue, engine: Engine) -> None:
    (run_id,) = queue.add("cpu")
    queue.turn()
    queue.begin(run_id)
    queue.turn()
    assert queue.run(run_id).responding
    with writing(engine) as session:
        session.execute(update(Attempt).values(heartbeat_at=now() - timedelta(seconds=11)))
    queue.turn()
    assert not queue.run(run_id).responding
    assert queue.statuses(run_id) == ["running"]


def test_what_is_found_alive_is_adopted_and_what_is_not_has_lost_its_run(queue: Queue, engine: Engine) -> None:
    first, second = queue.add("cpu", "auto")
    with writing(engine) as session:
        claims = [runs.claim(session, runs.get(session, run_id), "cpu") for run_id in (first, second)]
    queue.launcher.adoptable = {first: FakeWorker(claims[0], 77)}
    queue.dispatcher.adopt()
    assert (queue.run(first).status, queue.run(second).status) == ("starting", "lost")
    assert queue.run(second).cause == causes.VANISHED
    assert (queue.attempts(first)[0].pid, queue.attempts(first)[0].handle) == (77, f"fake {first}-1")
    queue.launcher.adoptable[first].vanish()
    queue.turn()
    assert queue.run(first).status == "lost"


def test_a_run_that_would_wait_for_ever_fails_and_says_why(queue: Queue) -> None:
    gone, fine = queue.add("cuda:7", "cpu")
    queue.turn()
    assert queue.statuses(gone, fine) == ["failed", "starting"]
    assert queue.run(gone).cause == "device is 'cuda:7': there is no such device here; choose auto or cuda:0 or cpu"


def test_with_no_slots_on_the_gpus_auto_is_the_cpu(engine: Engine, tmp_path: Path) -> None:
    queue = Queue(engine, tmp_path, gpu_slots=0, cpu_slots=1)
    auto, card = queue.add("auto", "cuda:0")
    queue.turn()
    assert (queue.run(auto).device, queue.run(card).status) == ("cpu", "failed")
    assert "RUNYARD_GPU_SLOTS is 0" in (queue.run(card).cause or "")


def test_two_runs_share_a_card_with_two_slots_and_the_third_waits(engine: Engine, tmp_path: Path) -> None:
    queue = Queue(engine, tmp_path, gpu_slots=2, cpu_slots=1)
    found = queue.add(*["auto"] * 3)
    queue.turn()
    assert [(queue.run(one).status, queue.run(one).device) for one in found] == [
        *[("starting", "cuda:0")] * 2,
        ("queued", None),
    ]
    assert [(one["name"], one["used"]) for one in queue.dispatcher.slots()] == [("cuda:0", 2), ("cpu", 0)]


def test_nothing_is_launched_while_devices_are_not_known_or_the_launcher_is_not_ready(queue: Queue) -> None:
    (run_id,) = queue.add("auto")
    queue.launcher.here = None
    queue.turn()
    queue.launcher.here, queue.launcher.is_ready = [CPU], False
    queue.turn()
    assert queue.statuses(run_id) == ["queued"]
    queue.launcher.is_ready = True
    queue.turn()
    assert queue.run(run_id).device == "cpu"


def test_a_run_that_is_paused_and_resumed_waits_for_its_old_worker(queue: Queue, engine: Engine) -> None:
    (run_id,) = queue.add("auto")
    queue.turn()
    queue.begin(run_id)
    with writing(engine) as session:
        runs.move(session, run_id, Status.PAUSED, attempt=1, cause=runs.PAUSED_BY_USER)
    runs.resume(engine, run_id)
    queue.turn()
    assert queue.statuses(run_id) == ["queued"]
    queue.launcher.workers[run_id].end = 0
    queue.turn()
    queue.turn()
    assert queue.run(run_id).attempt == 2


def test_a_deleted_run_is_purged_with_its_files_when_it_can_no_longer_be_restored(
    queue: Queue, engine: Engine, tmp_path: Path
) -> None:
    (run_id,) = queue.add("cpu")
    files = tmp_path / "artifacts" / queue.run(run_id).files
    files.mkdir(parents=True)
    runs.remove(engine, run_id)
    queue.turn()
    assert files.exists()
    with writing(engine) as session:
        session.execute(update(Run).values(deleted_at=now() - timedelta(minutes=11)))
    queue.dispatcher._purge_next = 0.0
    queue.turn()
    assert not files.exists()
    with reading(engine) as session:
        assert session.get(Run, run_id) is None


@pytest.mark.mend("B3")
@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC, errno.EROFS, errno.EMFILE], ids=errno.errorcode.get)
def test_a_launch_that_fails_for_a_reason_that_is_not_the_runs_fails_no_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    launcher = LocalLauncher(Settings(home=tmp_path, preload=False))

    def refuse(*_: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(launcher, "_launch", refuse)
    with pytest.raises(Later, match="refused"):
        launcher.launch(Claim(1, 1, "cpu", "run-1-x"))


@pytest.mark.mend("B3")
def test_a_launcher_that_breaks_leaves_no_run_as_if_it_had_begun(
    queue: Queue, caplog: pytest.LogCaptureFixture
) -> None:
    queue.launcher.failing = [RuntimeError("out of order")]
    first, second = queue.add("cpu", "cpu")
    queue.turn()
    queue.turn()
    assert queue.statuses(first, second) == ["failed", "starting"]
    assert "out of order" in (queue.run(first).cause or "")
    assert "could not be launched" in caplog.text


@pytest.mark.mend("B3")
@pytest.mark.parametrize(
    ("failing", "name", "statuses"),
    [(Later("No space left on device"), "give_back", ["starting"]), (RuntimeError("odd"), "end", ["failed"])],
)
def test_a_launch_that_can_not_be_given_back_now_is_once_that_can_be_recorded(
    queue: Queue, monkeypatch: pytest.MonkeyPatch, failing: Exception, name: str, statuses: list[str]
) -> None:
    """As on a full disk: else its run would be starting for ever, without a worker."""
    (run,) = queue.add("cpu")
    queue.launcher.failing = [failing]
    kept = getattr(runs, name)

    def refuse(*_: object, **__: object) -> None:
        monkeypatch.setattr(runs, name, kept)
        raise OperationalError("UPDATE", {}, Exception("database or disk is full"))

    monkeypatch.setattr(runs, name, refuse)
    with pytest.raises(OperationalError):
        queue.turn()
    assert queue.statuses(run) == ["starting"]
    queue.turn()
    queue.dispatcher._launch_next = 0.0
    queue.turn()
    assert queue.statuses(run) == statuses
    assert (run in queue.launcher.workers) == (statuses == ["starting"])


@pytest.mark.mend("B3")
def test_a_queue_that_waits_says_so_once(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    queue.launcher.failing = [Later("[Errno 13] Permission denied: logs")] * 3
    (run_id,) = queue.add("cpu")
    queue.turn()
    assert queue.dispatcher.waits() == "[Errno 13] Permission denied: logs"
    queue.dispatcher._launch_next -= 60  # nobody has tried for a minute: the slots may just be taken
    assert queue.dispatcher.waits() is None
    for _ in range(3):
        queue.dispatcher._launch_next = 0.0
        queue.turn()
    assert queue.statuses(run_id) == ["starting"]
    assert caplog.text.count("the queue waits: [Errno 13] Permission denied: logs") == 1


@pytest.mark.mend("B4")
def test_files_of_a_purge_that_was_cut_short_are_removed_by_the_next_server(
    queue: Queue, engine: Engine, tmp_path: Path
) -> None:
    (run_id,) = queue.add("cpu")
    files = queue.run(run_id).files
    kept = tmp_path / "artifacts" / files / "weights.pt"
    kept.parent.mkdir(parents=True)
    kept.touch()
    runs.request_stop(engine, run_id)
    runs.remove(engine, run_id)
    assert runs.purge(engine, now() + timedelta(hours=1)) == [files]  # and is killed before it removes them
    assert kept.exists()
    Queue(engine, tmp_path).dispatcher.adopt()
    assert not kept.exists()
    assert runs.leftovers(engine) == []


def to_resume(engine: Engine, run_id: int, seconds: float) -> None:
    """As if its worker had crashed, and it were to go on by itself then."""
    with writing(engine) as session:
        lost = {"status": Status.LOST, "attempt": 1, "retry_at": now() + timedelta(seconds=seconds)}
        session.execute(update(Run).where(col(Run.id) == run_id).values(**lost, ended_at=now(), changed=session.change))


@pytest.mark.mend("B7")
def test_stopping_an_experiment_stops_also_what_would_resume_by_itself(queue: Queue, engine: Engine) -> None:
    body = ExperimentSpec(name="e", base={"device": "cpu"}, grid={"seed": [1, 2]})
    row, (first, second) = experiments.create(engine, body)
    to_resume(engine, first.id or 0, -1)
    assert runs.stop_experiment(engine, row.id or 0) == [first.id, second.id]
    queue.turn()
    assert queue.statuses(first.id or 0, second.id or 0) == ["lost", "stopped"]


@pytest.mark.mend("B7")
def test_a_clock_that_was_put_back_makes_no_run_wait(queue: Queue, engine: Engine) -> None:
    soon, later = queue.add("cpu", "cpu")
    to_resume(engine, soon, 20)
    to_resume(engine, later, 3600)  # set before the clock was put back an hour
    queue.turn()
    assert queue.statuses(soon) == ["lost"]
    assert queue.statuses(later)[0] in ("queued", "starting")


@pytest.mark.mend("B7")
def test_a_run_that_was_deleted_before_it_resumed_stays_as_it_is_when_restored(queue: Queue, engine: Engine) -> None:
    (run_id,) = queue.add("cpu")
    to_resume(engine, run_id, -1)
    runs.remove(engine, run_id)
    runs.restore(engine, run_id)
    queue.turn()
    assert queue.statuses(run_id) == ["lost"]


@pytest.mark.mend("B7")
def test_an_experiment_comes_back_whole_though_one_of_its_runs_came_first(engine: Engine) -> None:
    row, members = experiments.create(engine, ExperimentSpec(name="e", base={}, grid={"seed": [1, 2, 3]}))
    for run in members:
        runs.request_stop(engine, run.id or 0)
    experiments.remove(engine, row.id or 0)
    runs.restore(engine, members[0].id or 0)
    experiments.restore(engine, row.id or 0)
    with reading(engine) as session:
        assert len(runs.of_experiment(session, row.id or 0)) == 3
