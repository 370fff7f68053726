"""The command `runyard` for tests: a process that has imported it forks a real process a command.

Importing takes most of a second of the processor, and the tests start some hundred and fifty commands. What a command
does from then on, its process, its files and its signals are those of `python -m app.cli`, which tests/acceptance
starts as it is.
"""

import contextlib
import functools
import gc
import json
import os
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import IO, Any

ROOT = Path(__file__).parents[1]
LONGEST = 200_000  # bytes of a message: the environment may be large


class Command:
    """A command that runs; of subprocess.Popen what the tests use."""

    def __init__(self, pid: int, template: "Template", stdout: IO[str] | None) -> None:
        self.pid, self.stdout, self._template = pid, stdout, template

    def send_signal(self, number: int) -> None:
        if self.pid not in self._template.exit_codes:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code. Raises subprocess.TimeoutExpired."""
        return self._template.exit_code(self.pid, timeout)


class Template:
    """The tests' side; one for each process of them."""

    def __init__(self, python_path: str = "") -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            command = [sys.executable, "-m", "tests.template", str(theirs.fileno())]
            paths = filter(None, [python_path, os.environ.get("PYTHONPATH")])
            environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
            self._process = subprocess.Popen(command, cwd=ROOT, env=environment, pass_fds=[theirs.fileno()])
        self.exit_codes: dict[int, int] = {}

    def start(self, arguments: list[str], environment: dict[str, str], stderr: IO[Any]) -> Command:
        """`runyard` with these arguments; its output is a pipe."""
        reading, writing = os.pipe()
        pid = self._fork(arguments, environment, writing, stderr.fileno())
        os.close(writing)
        return Command(pid, self, open(reading, encoding="utf-8"))

    def run(
        self, arguments: list[str], environment: dict[str, str], timeout: float = 120
    ) -> "subprocess.CompletedProcess[str]":
        """The same, to its end. Raises subprocess.TimeoutExpired."""
        with tempfile.TemporaryFile("w+") as stdout, tempfile.TemporaryFile("w+") as stderr:
            pid = self._fork(arguments, environment, stdout.fileno(), stderr.fileno())
            try:
                code = self.exit_code(pid, timeout)
            except subprocess.TimeoutExpired:
                os.kill(pid, signal.SIGKILL)
                raise
            stdout.seek(0)
            stderr.seek(0)
            return subprocess.CompletedProcess(["runyard", *arguments], code, stdout.read(), stderr.read())

    def exit_code(self, pid: int, timeout: float | None) -> int:
        deadline = time.monotonic() + (timeout or 3600)
        while pid not in self.exit_codes:
            self._receive(deadline - time.monotonic(), f"process {pid}")
        return self.exit_codes[pid]

    def _fork(self, arguments: list[str], environment: dict[str, str], stdout: int, stderr: int) -> int:
        asked = json.dumps({"arguments": arguments, "environment": environment}).encode()
        self._socket.settimeout(60)
        socket.send_fds(self._socket, [asked], [stdout, stderr])
        while (message := self._receive(60, "a process for a command")).get("exit_code") is not None:
            pass
        self.exit_codes.pop(message["pid"], None)  # of an earlier one with the same process id
        return message["pid"]

    def _receive(self, seconds: float, what: str) -> dict[str, int]:
        self._socket.settimeout(max(seconds, 0.001))
        try:
            message: dict[str, int] = json.loads(self._socket.recv(LONGEST))
        except TimeoutError:
            raise subprocess.TimeoutExpired(what, seconds) from None
        if "exit_code" in message:
            self.exit_codes[message["pid"]] = message["exit_code"]
        return message


@functools.cache
def template(python_path: str = "") -> Template:
    """One for each PYTHONPATH, made when it is first needed; it ends with the process that made it."""
    return Template(python_path)


def serve(channel: socket.socket) -> list[str] | None:
    """Fork a process for each command. Returns its arguments in that process; None: the tests are over."""
    with selectors.DefaultSelector() as selector:
        selector.register(channel, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is not channel:
                    assert isinstance(key.fileobj, int)
                    selector.unregister(key.fileobj)
                    os.close(key.fileobj)
                    code = os.waitstatus_to_exitcode(os.waitpid(key.data, 0)[1])
                    channel.send(json.dumps({"pid": key.data, "exit_code": code}).encode())
                    continue
                asked, files, _, _ = socket.recv_fds(channel, LONGEST, 2)
                if not asked:
                    return None
                pid = os.fork()
                if pid == 0:
                    for each in selector.get_map().values():
                        if isinstance(each.fileobj, int):
                            os.close(each.fileobj)
                    return _become(json.loads(asked), files)
                for file in files:
                    os.close(file)
                selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
                channel.send(json.dumps({"pid": pid}).encode())


def _become(asked: dict[str, Any], files: list[int]) -> list[str]:
    """Take over the environment and the output of the command."""
    os.environ.clear()
    os.environ.update(asked["environment"])
    for file, standard in zip(files, (1, 2), strict=True):
        os.dup2(file, standard)
        os.close(file)
    arguments: list[str] = asked["arguments"]
    return arguments


if __name__ == "__main__":
    import app.demo
    import app.serving  # noqa: F401
    from app.cli import cli

    gc.collect()
    gc.freeze()  # what lies here is shared with the commands for as long as nobody touches it
    with socket.socket(fileno=int(sys.argv[1])) as told, contextlib.suppress(BrokenPipeError, ConnectionError):
        command = serve(told)
    if command is not None:
        cli(command)
