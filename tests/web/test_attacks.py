"""What one client may try on all others: real sockets, a real server, and `/healthz` asked meanwhile.

In the suite each attack's requests get what they should, and `/healthz` answers; how soon is measured by `make chaos`,
alone on the machine and with more to be asked for.
"""

import contextlib
import resource
import socket
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from app.store import runs
from app.store.engine import open_database, writing
from app.store.tables import Status
from app.web import limits
from app.web.stream import MAX_LISTENERS
from benchmarks import filled
from tests.serving import Server, serving
from tests.web.test_login import told
from trainer.prepared import Places
from trainer.spec import parse

PROBES = 5
LASTING = 20  # probes while connections are held


@dataclass
class Target:
    """A server that asks everybody for a token, with one long run and many short ones."""

    server: Server
    owner: str
    reader: str

    def get(self, path: str, *headers: str, token: str | None = None) -> bytes:
        return self.request(f"GET /api/v1{path}", f"Authorization: Bearer {token or self.owner}", *headers)

    def request(self, line: str, *headers: str, body: str = "") -> bytes:
        sent = [f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, *([f"Content-Length: {len(body)}"] if body else [])]
        return ("\r\n".join(sent) + "\r\n\r\n" + body).encode()

    def connected(self) -> socket.socket:
        parts = urlsplit(self.server.url)
        return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60)

    def may_look(self, token: str) -> bool:
        answer = httpx.get(f"{self.server.url}/api/v1/runs?limit=1", headers={"Authorization": f"Bearer {token}"})
        return answer.status_code == 200


@dataclass(frozen=True)
class Attack:
    """So many connections, each of which sends something. `statuses`: what they are answered; empty: nobody reads it,
    or nothing comes. `refused`: how many of them at least get a 4xx or a 503."""

    number: str
    what: str
    count: int
    sends: Callable[[Target, int], bytes]
    statuses: frozenset[int] = field(default_factory=frozenset)
    refused: int = 0


COOKIE = 'runyard="' + "\\" * 59_000 + '"'
ATTACKS = [
    Attack("A1", "a cookie of 59 kB", 20, lambda at, _: at.get("/runs", f"Cookie: {COOKIE}"), frozenset({431}), 20),
    Attack(
        "A1", "a cookie of 31 kB", 20, lambda at, _: at.get("/runs", f"Cookie: {COOKIE[:31_000]}"), frozenset({200})
    ),
    Attack(
        *("A2", "a token as the cookie that logs out", 20),
        lambda at, _: at.request("POST /logout", f"Cookie: runyard={at.reader}"),
        frozenset({303}),
    ),
    Attack(
        *("A3", "nets that nobody looked at before", 44),
        lambda at, n: at.get(f"/models/fc/layers?knob=n_hidden={n + 1000}"),
        *(frozenset({200, 503}), 20),
    ),
    Attack(
        *("A3", "simulations", 16),
        lambda at, n: at.get(f"/peeking?experiments=2000&seed={n}"),
        *(frozenset({200, 503}), 5),
    ),
    Attack("A3", "tables of all points, not read", 15, lambda at, _: at.get("/export?run=1")),
    Attack("A3", "JSON of all points, not read", 15, lambda at, _: at.get("/export?run=1&format=json")),
    Attack("A3", "streams that begin with all that ever changed", 20, lambda at, _: at.get("/events?after=0")),
    Attack("A3", "looks at the system", 50, lambda at, _: at.get("/system"), frozenset({200})),
    Attack("A4", "connections that say nothing", limits.MOST_CONNECTIONS + 50, lambda *_: b""),
    Attack("A4", "half a header", limits.MOST_CONNECTIONS + 50, lambda *_: b"GET /api/v1/runs HTTP/1.1\r\nX-Half: "),
    Attack(
        *("A4", "bodies that don't come", 100),
        lambda at, _: at.request("POST /api/v1/runs", f"Authorization: Bearer {at.owner}", "Content-Length: 500"),
    ),
    Attack(
        *("A5", "more streams than there are, of one token", MAX_LISTENERS + 40),
        lambda at, _: at.get("/events", token=at.reader),
        *(frozenset({200, 503}), 40),
    ),
    Attack(
        "A7", "data sets, where a link leads to everything", 20, lambda at, _: at.get("/datasets"), frozenset({200})
    ),
    Attack(
        *("A8", "a proxy that nobody named", 50),
        lambda at, _: at.request("GET /api/v1/runs", "X-Forwarded-For: 127.0.0.1"),
        *(frozenset({401, 403}), 50),
    ),
    Attack(
        *("A9", "another site's pages", 50),
        lambda at, n: at.get(f"/models/cnn/layers?knob=n_hidden={n}", "Sec-Fetch-Site: cross-site"),
        *(frozenset({403}), 50),
    ),
    Attack(
        *("A9", "tokens that are guessed", 50),
        lambda at, n: at.request(
            "POST /login", "Content-Type: application/x-www-form-urlencoded", body=f"token=ryd_{n:043}"
        ),
        *(frozenset({403}), 50),
    ),
]


@contextlib.contextmanager
def attacked(root: Path, places: Places, points: int, others: int) -> Iterator[Target]:
    """A run with so many points, and so many others."""
    home = root / "home"
    home.mkdir()
    engine = open_database(home / "runyard.db")
    for first in range(0, others + 1, 100):  # each hundred is a change of its own
        with writing(engine) as session:
            for at in range(first, min(first + 100, others + 1)):
                runs.add(session, parse({}), f"run {at + 1}").status = Status.STOPPED
    filled.record(engine, 1, filled.curve(points, 1), total=points, status=Status.STOPPED)
    engine.dispose()
    (home / "datasets").mkdir()
    (home / "datasets" / "everything").symlink_to("/")
    asked = {"RUNYARD_TOKEN_REQUIRED": "1", "RUNYARD_PRELOAD": "0"}
    with serving(home, places.prepared, **asked) as server:
        yield Target(server, told(server, "Token"), told(server, "Read-only token"))


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[Target]:
    with attacked(tmp_path_factory.mktemp("attacked"), places, points=150_000, others=500) as found:
        yield found


@pytest.fixture(scope="module")
def large_target(tmp_path_factory: pytest.TempPathFactory, places: Places) -> Iterator[Target]:
    with attacked(tmp_path_factory.mktemp("attacked"), places, points=3_000_000, others=9_500) as found:
        yield found


def carry_out(attack: Attack, target: Target) -> list[float]:
    """Seconds that `/healthz` took meanwhile. AssertionError when it did not answer, or a request got what it should
    not get."""
    seconds: list[float] = []
    over = threading.Event()

    def probe() -> None:
        with httpx.Client(base_url=target.server.url, timeout=60) as client:
            while not over.is_set() or len(seconds) < (PROBES if attack.statuses else LASTING):
                began = time.monotonic()
                if client.get("/healthz", headers={"Connection": "close"}).status_code != 200:
                    return
                seconds.append(time.monotonic() - began)
                over.wait(0.1)

    with contextlib.ExitStack() as opened:
        connections = []
        for at in range(attack.count):
            connections.append(opened.enter_context(target.connected()))
            if not attack.statuses:
                connections[-1].setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with contextlib.suppress(OSError):  # where connections are bounded the oldest were given up
                connections[-1].sendall(attack.sends(target, at))
            if at == 0:
                probing = threading.Thread(target=probe)
                probing.start()
        statuses = [int(one.recv(15).split()[1]) for one in connections if attack.statuses]
        over.set()  # the probing goes on until it has enough
        probing.join()
    assert len(seconds) >= PROBES, "/healthz did not answer"
    assert set(statuses) <= attack.statuses, statuses
    assert sum(status >= 400 for status in statuses) >= attack.refused, statuses
    assert target.may_look(target.owner)
    assert target.may_look(target.reader)
    return seconds


def _can_open(count: int) -> bool:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if min(hard, 4096) < count + 200:
        return False
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, 4096)), hard))
    return True


each_attack = pytest.mark.parametrize(
    "attack", [pytest.param(one, marks=pytest.mark.mend(one.number), id=f"{one.number} {one.what}") for one in ATTACKS]
)


@each_attack
def test_who_is_attacked_answers(target: Target, attack: Attack) -> None:
    if not _can_open(attack.count):
        pytest.skip(f"this process may not open {attack.count} connections")
    carry_out(attack, target)


@pytest.mark.chaos
@each_attack
def test_who_is_attacked_answers_within_a_second(large_target: Target, attack: Attack) -> None:
    if not _can_open(attack.count):
        pytest.skip(f"this process may not open {attack.count} connections")
    seconds = carry_out(attack, large_target)
    median, longest = statistics.median(seconds[:PROBES]), max(seconds)
    print(
        f"{attack.number} {attack.what}: /healthz {median * 1000:.0f} ms (median of {PROBES}), longest {longest:.2f} s"
    )
    assert median < 1
