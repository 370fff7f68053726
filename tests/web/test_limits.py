"""No request freezes, fills or empties the server for all others: real sockets, and a real uvicorn."""

import asyncio
import contextlib
import json
import logging
import os
import resource
import socket
import sqlite3
import subprocess
import threading
import time
import tracemalloc
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
import pytest

from app.jobs import causes
from app.settings import Settings
from app.store import artifacts, runs
from app.store.engine import clock, open_database, reading, writing
from app.store.tables import Status
from app.web import limits, peers, preparing, stream
from app.web.api import system
from app.web.stream import MAX_LISTENERS, Tail
from benchmarks import filled
from tests.serving import Server, serving, until
from tests.web.test_login import SHARED, bearer, told
from trainer.prepared import Places
from trainer.spec import parse

T = TypeVar("T")
QUADRATIC = 'runyard="' + "\\" * 59_000 + '"'


@pytest.fixture(scope="module")
def server(idle_server: Server) -> Server:
    return idle_server


@pytest.fixture
def shared(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with serving(tmp_path_factory.mktemp("shared") / "home", places.prepared, **SHARED) as found:
        found.url = f"http://127.0.0.1:{found.url.rsplit(':', 1)[1]}"
        yield found


def in_a_loop(work: Coroutine[Any, Any, T]) -> T:
    """In a thread of its own: browser tests leave a loop running in the one of the tests."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def connected(server: Server) -> socket.socket:
    parts = urlsplit(server.url)
    return socket.create_connection((parts.hostname or "", parts.port or 0), timeout=30)


def is_up(server: Server) -> bool:
    return httpx.get(f"{server.url}/healthz", timeout=30).status_code == 200


def changes(server: Server) -> int:
    """Write transactions so far."""
    with contextlib.closing(sqlite3.connect(server.home / "runyard.db")) as connection:
        return int(connection.execute("SELECT change FROM clock").fetchone()[0])


@pytest.mark.mend("A1")
@pytest.mark.parametrize("header", ["Cookie", "Authorization", "X-Other"])
def test_long_headers_are_refused_before_anything_parses_them(server: Server, header: str) -> None:
    answer = httpx.get(f"{server.url}/api/v1/runs", headers={header: QUADRATIC}, timeout=30)
    assert answer.status_code == 431
    assert answer.json()["detail"].startswith("The headers and the address are 59,")


@pytest.mark.mend("A1")
def test_a_cookie_that_would_take_long_to_parse_is_not_parsed() -> None:
    """32 kB, the most that a request may have: its value as it is, in no time worth a word."""
    value = '"' + "\\" * 32_000 + '"'
    assert limits.session_in(f"other=1; runyard={value}; more=2") == value
    assert limits.session_in("other=runyard") is None
    assert limits.session_in("a=1; runyard = ryd_x ;b") == "ryd_x"


@pytest.mark.mend("A1")
def test_other_programs_cookies_on_this_host_do_no_harm(server: Server) -> None:
    cookies = "; ".join(f"session-{port}={'x' * 400}" for port in range(40))
    assert httpx.get(f"{server.url}/api/v1/runs", headers={"Cookie": cookies}).status_code == 200


@pytest.mark.mend("A2")
def test_logging_out_ends_a_session_and_nothing_else(shared: Server) -> None:
    token, reader = told(shared, "Token"), told(shared, "Read-only token")
    code = told(shared, "Log a browser in").partition("code=")[2]
    for secret in (token, reader, code):
        answer = httpx.post(f"{shared.url}/logout", headers={"Cookie": f"runyard={secret}"})
        assert answer.status_code == 303
    for secret in (token, reader):
        assert httpx.get(f"{shared.url}/api/v1/runs", headers=bearer(secret)).status_code == 200
    with httpx.Client() as browser:
        assert browser.get(f"{shared.url}/login", params={"code": code}).status_code == 303
        session = {"Cookie": f"runyard={browser.cookies['runyard']}"}
    assert httpx.get(f"{shared.url}/api/v1/runs", headers=session).status_code == 200
    httpx.post(f"{shared.url}/logout", headers=session)
    assert httpx.get(f"{shared.url}/api/v1/runs", headers=session).status_code == 401


def answers(server: Server, path: str, count: int) -> list[httpx.Response]:
    """Of so many requests at once."""

    async def all_of_them() -> list[httpx.Response]:
        limit = httpx.Limits(max_connections=count)
        async with httpx.AsyncClient(base_url=f"{server.url}/api/v1", timeout=100, limits=limit) as client:
            asked = [asyncio.create_task(client.get(path.format(at))) for at in range(count)]
            while not all(one.done() for one in asked):
                assert (await client.get(f"{server.url}/healthz")).status_code == 200
                await asyncio.sleep(0.2)
            return [one.result() for one in asked]

    return in_a_loop(all_of_them())


@pytest.mark.mend("A3")
def test_slow_work_has_a_bounded_queue_and_the_rest_is_told_to_come_again(server: Server) -> None:
    found = answers(server, "/peeking?experiments=3000&seed={0}", 16)
    refused = [one for one in found if one.status_code == 503]
    assert len(found) - len(refused) >= 5
    assert refused
    assert all(one.headers["Retry-After"] == "2" and "try again in a moment" in one.json()["detail"] for one in refused)


@pytest.mark.mend("A3")
@pytest.mark.parametrize("path", ["/export?run={0}", "/export?run={0}&format=json", "/runs/{0}/series?raw=true"])
def test_files_that_nobody_reads_hold_nothing_that_others_need(server: Server, path: str) -> None:
    run = server.call("POST", "/runs", json={"spec": {"model": "fc"}})["id"]
    server.call("POST", f"/runs/{run}/stop")
    engine = open_database(server.home / "runyard.db")
    filled.record(engine, run, filled.curve(150_000, 1), total=150_000, status=Status.STOPPED)
    engine.dispose()
    with contextlib.ExitStack() as opened:
        for _ in range(60):
            one = opened.enter_context(connected(server))
            one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            one.sendall(f"GET /api/v1{path.format(run)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
        for _ in range(3):
            assert is_up(server)
            assert server.call("GET", "/runs", params={"limit": 1})["items"]
    with server.api() as client:
        text = client.get(path.format(run), timeout=60).text
    assert text.count("\n") > 150_000 or len(json.loads(text)["series"][0]["values"]) == 150_000


@pytest.mark.mend("A3")
def test_who_comes_back_far_behind_is_told_in_parts(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "runyard.db")
    for seeds in ((1, 2, 3), (4, 5), (6,), (7, 8, 9)):
        with writing(engine) as session:
            for seed in seeds:
                runs.add(session, parse({"seed": seed}), f"run {seed}")
    told, at = [], 0
    with reading(engine) as session:
        while at < clock(session):
            at, changed, _ = runs.changed_since(session, at, most=3)
            told.append([run.seed for run in changed])
    assert told == [[1, 2, 3], [4, 5, 6], [7, 8, 9]]
    engine.dispose()


@pytest.mark.mend("A3")
def test_the_files_of_home_are_not_looked_at_for_every_look_at_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[Path] = []
    monkeypatch.setattr(system, "_size", lambda path: looked.append(path) or 1)
    settings = Settings(home=tmp_path)
    first = system._disk(settings, 1)
    count = len(looked)
    assert count
    assert system._disk(settings, 1) is first
    assert len(looked) == count


@pytest.mark.mend("A4")
def test_more_idle_connections_than_there_is_room_for_leave_room_for_others(server: Server) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = min(hard, 4096)
    if most < limits.MOST_CONNECTIONS + 200:
        pytest.skip(f"this process may open {most} files: too few to fill the server")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    with contextlib.ExitStack() as opened:
        for at in range(limits.MOST_CONNECTIONS + 50):
            one = opened.enter_context(connected(server))
            if at % 2:
                one.sendall(b"GET /api/v1/runs HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ")
            if at % 250 == 0:
                assert is_up(server)
        assert is_up(server)
        with server.api() as client:
            assert client.get("/runs").status_code == 200
    assert is_up(server)


@pytest.mark.mend("A4")
def test_a_header_that_does_not_come_to_its_end_is_not_waited_for(server: Server) -> None:
    with connected(server) as half:
        half.sendall(b"GET /api/v1/runs HTTP/1.1\r\nHost: ")
        began = time.monotonic()
        half.settimeout(60)
        assert half.recv(1) == b""
        assert time.monotonic() - began >= limits.HEADER_SECONDS - 1


@pytest.mark.mend("A4")
def test_a_second_request_on_a_connection_has_its_own_time(server: Server) -> None:
    with httpx.Client(base_url=server.url) as client:
        for _ in range(3):
            assert client.get("/healthz").status_code == 200


@pytest.mark.mend("A4")
def test_a_body_that_does_not_come_is_not_waited_for() -> None:
    """The middleware by itself, with a time of its own."""
    from starlette.exceptions import HTTPException

    async def app(_: object, receive: object, __: object) -> None:
        while (await receive()).get("more_body"):  # type: ignore[operator]
            pass

    async def receive() -> dict[str, object]:
        await asyncio.sleep(0.01)
        return {"type": "http.request", "body": b"x", "more_body": True}

    bodies = limits.Bodies(app, seconds=0.2)  # type: ignore[arg-type]
    with pytest.raises(HTTPException, match=r"did not come within 0\.2 s"):
        in_a_loop(bodies({"type": "http", "headers": []}, receive, None))  # type: ignore[arg-type]


@pytest.mark.mend("A4")
@pytest.mark.parametrize(("files", "most"), [(64, 8), (256, 192), (1024, 960), (4096, 1000)])
def test_connections_are_bounded_below_the_files_that_may_be_open(files: int, most: int) -> None:
    assert limits.most_connections(files) == most


@pytest.mark.mend("A4")
def test_what_a_stranger_causes_is_logged_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    noisy = logging.getLogger("tests.noisy")
    noisy.addFilter(limits.OnceAMinute())
    with caplog.at_level(logging.WARNING, logger="tests.noisy"):
        for at in range(1000):
            noisy.warning("Invalid HTTP request received, %d", at)
        noisy.warning("something else")
    assert [record.msg for record in caplog.records] == ["Invalid HTTP request received, %d", "something else"]


@pytest.mark.mend("A9")
@pytest.mark.parametrize("site", ["cross-site", "same-site"])
def test_another_site_can_start_no_work_by_a_get(server: Server, site: str) -> None:
    with server.api() as client:
        assert client.get("/models/cnn/layers", headers={"Sec-Fetch-Site": site}).status_code == 403
        assert client.get("/runs", headers={"Sec-Fetch-Site": "same-origin"}).status_code == 200
        assert client.get("/runs", headers={"Sec-Fetch-Site": "none"}).status_code == 200
    page = httpx.get(server.url, headers={"Sec-Fetch-Site": site, "Accept": "text/html"})
    assert page.status_code == 200, "a link to a page, from anywhere"


@pytest.mark.mend("A9")
def test_log_ins_that_fail_never_take_the_write_lock(shared: Server) -> None:
    before = changes(shared)
    for _ in range(5):
        assert httpx.post(f"{shared.url}/login", data={"token": "ryd_" + "x" * 43}).status_code == 403
        assert httpx.get(f"{shared.url}/login", params={"code": "ryd_" + "y" * 43}).status_code == 403
        httpx.post(f"{shared.url}/logout", headers={"Cookie": "runyard=ryd_" + "z" * 43})
    assert changes(shared) == before


@pytest.mark.mend("A5")
def test_one_token_can_not_keep_all_others_from_listening(tmp_path: Path) -> None:
    engine = open_database(tmp_path / "runyard.db")

    async def listen() -> tuple[list[bool], int]:
        tail = Tail(engine)
        tail._read_first()
        streams = []

        async def open_one(who: str) -> bool:
            place = tail.take_place(who)
            if place is None:
                return False
            one = tail.listen((), None, place)
            await anext(one)  # the counts come first
            streams.append(one)
            return True

        for _ in range(MAX_LISTENERS):
            assert await open_one("greedy")
        opened = [await open_one("greedy"), *[await open_one("owner") for _ in range(3)], await open_one("other")]
        held = tail.listeners
        for one in streams:
            await one.aclose()  # type: ignore[attr-defined]
        return opened, held

    opened, held = in_a_loop(listen())
    assert opened == [False, True, True, True, True]
    assert held <= MAX_LISTENERS
    engine.dispose()


@pytest.mark.mend("A5")
def test_a_stream_of_a_quiet_run_is_kept_alive_while_others_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "KEEPALIVE_SECONDS", 0.3)
    engine = open_database(tmp_path / "runyard.db")
    with writing(engine) as session:
        busy = runs.add(session, parse({}), "busy")
        session.flush()
        busy_id = busy.id or 0

    async def listen() -> str | None:
        tail = Tail(engine)
        await tail.start()

        async def change() -> None:
            for at in range(100):
                await asyncio.to_thread(runs.describe, engine, busy_id, name=f"busy {at}")
                await asyncio.sleep(0.05)

        changing = asyncio.create_task(change())
        assert tail.take_place("") is not None
        quiet = tail.listen((busy_id + 1,), None, asyncio.Event())
        async with asyncio.timeout(30):
            async for event in quiet:
                if event.comment:
                    break
        changing.cancel()
        await quiet.aclose()  # type: ignore[attr-defined]
        await tail.close()
        return event.comment

    assert in_a_loop(listen()) == "still here"
    engine.dispose()


@pytest.mark.mend("A6")
def test_a_log_is_bounded_and_who_writes_goes_on_behind_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "run-1-1.log"
    line = b"step after step after step after step after step\n"
    with path.open("ab") as writer:
        while path.stat().st_size <= artifacts.LOG_BYTES:
            writer.write(line * 10_000)
            writer.flush()
        assert artifacts.bound_log(path)
        assert path.stat().st_size <= artifacts.KEPT_BYTES + 200
        writer.write(b"the last line\n")
    text = path.read_bytes()
    assert text.startswith(b"... 1")
    assert b"bytes before this were cut: a log has at most 16 MiB\nstep after step" in text
    assert text.endswith(line + b"the last line\n")
    assert not artifacts.bound_log(path)


@pytest.mark.mend("A6")
def test_the_cause_of_a_bad_exit_is_read_from_the_end_of_the_log(tmp_path: Path) -> None:
    path = tmp_path / "run-1-1.log"
    with path.open("wb") as file:
        file.truncate(3_000_000_000)  # holes: to read it whole would take 3 GB
        file.seek(0, 2)
        file.write(b"\nsomething broke\n")
    tracemalloc.start()
    assert "something broke" in causes.of_exit(1, path)
    assert tracemalloc.get_traced_memory()[1] < 10_000_000
    tracemalloc.stop()


def as_nobody(server: Server, request: str) -> str:
    """What another user of this machine is answered."""
    port = urlsplit(server.url).port
    head = f"{request} HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nConnection: close\\r\\n\\r\\n"
    script = f"exec 3<>/dev/tcp/127.0.0.1/{port}; printf '{head}' >&3; cat <&3"
    asked = subprocess.run(["bash", "-c", script], user=65534, cwd="/", capture_output=True, timeout=60, check=True)
    return asked.stdout.decode("utf-8", "replace")


@pytest.mark.mend("A8")
@pytest.mark.skipif(os.getuid() != 0, reason="to be another user takes root")
def test_another_user_of_this_machine_needs_a_token(server: Server) -> None:
    with server.api() as client:
        assert client.get("/runs").status_code == 200
    for request in ("GET /api/v1/runs", "GET /api/v1/system", "DELETE /api/v1/runs/1"):
        answer = as_nobody(server, request)
        assert answer.startswith("HTTP/1.1 401 "), answer
        assert "belongs to another user of this machine" in answer
    assert as_nobody(server, "GET /healthz").startswith("HTTP/1.1 200 ")


@pytest.mark.mend("A8")
def test_the_owner_of_a_connection_within_this_machine_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = listening.getsockname()
        with socket.create_connection(address) as client:
            assert peers.uid_of(client.getsockname(), address) == os.getuid()
            assert peers.uid_of(client.getsockname(), (address[0], address[1] ^ 1)) is None
    assert peers.uid_of(("somewhere", 1), ("127.0.0.1", 2)) is None


@pytest.mark.mend("A8")
def test_the_owner_is_found_over_ipv6_and_of_mapped_addresses(tmp_path: Path) -> None:
    table = tmp_path / "tcp6"
    row = "   {0}: {1} {2} 01 00000000:00000000 00:00000000 00000000  {3}        0 1 1 0 20 4 30 10 -1\n"
    here = "0" * 24 + "01000000"
    mapped = "0000000000000000FFFF00000100007F"
    rows = [
        row.format(0, f"{here}:C350", f"{here}:1F90", 1001),
        row.format(1, f"{mapped}:C351", f"{mapped}:1F90", 1002),
    ]
    table.write_text("  sl  local_address ...\n" + "".join(rows))
    assert peers.uid_of(("::1", 50000), ("::1", 8080), (table,)) == 1001
    assert peers.uid_of(("127.0.0.1", 50001), ("127.0.0.1", 8080), (table,)) == 1002
    assert peers.uid_of(("127.0.0.1", 50002), ("127.0.0.1", 8080), (table, tmp_path / "absent")) is None


@pytest.mark.mend("A8")
@pytest.mark.parametrize("header", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_a_proxy_that_nobody_named_is_refused(server: Server, header: str) -> None:
    answer = httpx.get(f"{server.url}/api/v1/runs", headers={header: "203.0.113.5"})
    assert answer.status_code == 403
    assert "name the server's public address in RUNYARD_PUBLIC_URL" in answer.json()["detail"]


@pytest.mark.mend("A8")
def test_everybody_can_be_asked_for_a_token_and_the_home_is_closed_whatever_was_there(
    places: Places, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    (home / "runyard.db").touch(mode=0o644)
    asked = {"RUNYARD_TOKEN_REQUIRED": "1", "RUNYARD_PRELOAD": "0", "RUNYARD_TOKEN": "a-client's"}
    with serving(home, places.prepared, **asked) as one:
        token = bearer(told(one, "Token"))
        assert httpx.get(f"{one.url}/api/v1/runs").status_code == 401
        assert httpx.get(f"{one.url}/api/v1/runs", headers=token).status_code == 200
        modes = {path.name: path.stat().st_mode & 0o777 for path in (home, home / "runyard.db", home / "server.lock")}
        assert modes == {"home": 0o700, "runyard.db": 0o600, "server.lock": 0o600}
        spec = {"model": "fc", "batch_size": 64, "epochs": 100}
        made = httpx.post(f"{one.url}/api/v1/runs", headers=token, json={"spec": spec}).json()
        worker = until(lambda: one.workers().get(made["id"]), "its worker is there")
        assert worker is not None
        assert "RUNYARD_TOKEN" not in worker.environ()


@pytest.mark.mend("A7")
def test_data_sets_are_prepared_one_after_the_other_and_so_many_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go_on, at_work, most = threading.Event(), 0, 0

    def prepare(*_: object) -> None:
        nonlocal at_work, most
        at_work += 1
        most = max(most, at_work)
        go_on.wait(60)
        at_work -= 1

    monkeypatch.setattr(preparing, "ensure_prepared", prepare)
    found = preparing.Preparing(Places(tmp_path, tmp_path / "prepared"))
    for at in range(preparing.MOST_WAITING):
        found.begin(f"folder:{at}")
    with pytest.raises(preparing.Full, match="20 data sets are being read or wait for it, as many as may be"):
        found.begin("folder:one-more")
    assert found.begin("folder:0").running, "it is under way already"
    go_on.set()
    until(lambda: not any(state.running for state in found._states.values()), "all are done")
    assert most == 1
