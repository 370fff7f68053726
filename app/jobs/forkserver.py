"""A fork server: a process that has imported torch once and forks a worker a run, ready at once.

It is sent a run's number with two open files, the run's log and the lock that the worker holds from then on. It writes
the worker's process id into the lock, answers with it and, when the worker has ended, with its exit code. It never
touches a GPU, which a process that forks must not. When the server goes, the socket closes and the fork server leaves;
its workers live on.
"""

import gc
import json
import os
import selectors
import socket
import subprocess
import sys
from collections.abc import Callable
from typing import Any

FLAG = "--fork"
LONGEST = 256  # bytes of a message
FORK_SECONDS = 5.0
Starter = Callable[[list[str], tuple[int, ...]], "subprocess.Popen[bytes]"]
"""Starts `python -m app.jobs.worker` with these arguments and file descriptors."""


class ForkServer:
    """The launcher's side."""

    def __init__(self, start: Starter) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = start([FLAG, str(theirs.fileno())], (theirs.fileno(),))
        self.ready = False
        """It has imported what it needs."""
        self.gone = False
        self._forked: int | None = None
        self._exit_codes: dict[int, int] = {}

    def look(self) -> None:
        """Take in what it has said."""
        while self._receive(0.0):
            pass

    def fork(self, run_id: int, log: int, lock: int) -> int:
        """The process id of a new worker, which has been given its files. Raises OSError when there is none."""
        self._forked = None
        self._socket.settimeout(FORK_SECONDS)
        socket.send_fds(self._socket, [str(run_id).encode()], [log, lock])
        while self._forked is None:
            if not self._receive(FORK_SECONDS):
                self.close()
                raise OSError("the fork server does not answer")
        return self._forked

    def exit_code(self, pid: int) -> int | None:
        """Of a worker, as subprocess gives it; None: not known yet, or never when the fork server is `gone`."""
        self.look()
        return self._exit_codes.get(pid)

    def _receive(self, seconds: float) -> bool:
        if self.gone:
            return False
        self._socket.settimeout(seconds)
        try:
            said = self._socket.recv(LONGEST)
        except (BlockingIOError, TimeoutError):
            return False
        except OSError:
            said = b""
        if not said:
            self.close()
            return False
        message: dict[str, int] = json.loads(said)
        self.ready = True
        if "exit_code" in message:
            self._exit_codes[message["pid"]] = message["exit_code"]
        elif "pid" in message:
            self._forked = message["pid"]
            self._exit_codes.pop(self._forked, None)  # of an earlier worker with the same process id
        return True

    def close(self) -> None:
        """End it; nothing is lost but the exit codes of workers that still work."""
        self.gone = True
        self._socket.close()
        self._process.kill()
        self._process.wait()


def serve(descriptor: int) -> int | None:
    """The fork server itself. Returns in each worker that it forked, with its run; None: the server has gone."""
    with socket.socket(fileno=descriptor) as channel, selectors.DefaultSelector() as selector:
        _import_what_training_needs()
        selector.register(channel, selectors.EVENT_READ)
        _say(channel, ready=True)
        while True:
            for key, _ in selector.select():
                try:
                    if key.fileobj is channel:
                        run_id = _fork(channel, selector)
                        if run_id is not None:
                            return run_id
                    else:
                        _bury(channel, selector, key)
                except (BrokenPipeError, ConnectionError):
                    return None


def _import_what_training_needs() -> None:
    import trainer.checkpoint
    import trainer.loaded
    import trainer.loop  # noqa: F401

    gc.collect()
    gc.freeze()  # what lies here is shared with the workers for as long as nobody touches it


def _fork(channel: socket.socket, selector: selectors.BaseSelector) -> int | None:
    """Fork a worker for the run that is asked for. Returns the run in the worker, None in the fork server."""
    told, files, _, _ = socket.recv_fds(channel, LONGEST, 2)
    if not told:
        raise ConnectionError("the server has gone")
    pid = os.fork()
    if pid == 0:
        log, _lock = files  # the lock is held by staying open, until this process ends
        os.setsid()
        for key in selector.get_map().values():
            if isinstance(key.fileobj, int):
                os.close(key.fileobj)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())
        os.close(log)
        _show_as(int(told))
        return int(told)
    os.write(files[1], f"{pid}\n".encode())
    for file in files:
        os.close(file)
    selector.register(os.pidfd_open(pid), selectors.EVENT_READ, pid)
    _say(channel, pid=pid)
    return None


def _bury(channel: socket.socket, selector: selectors.BaseSelector, key: selectors.SelectorKey) -> None:
    """A worker has ended."""
    selector.unregister(key.fileobj)
    assert isinstance(key.fileobj, int)
    os.close(key.fileobj)
    _, status = os.waitpid(key.data, 0)
    _say(channel, pid=key.data, exit_code=os.waitstatus_to_exitcode(status))


def _say(channel: socket.socket, **message: Any) -> None:
    channel.send(json.dumps(message).encode())


def _show_as(run_id: int) -> None:
    """Be listed among processes as a worker that was started for this run."""
    os.environ["SPT_NOENV"] = "1"  # leave the environment, which lies behind the title, as it is
    import setproctitle

    setproctitle.setproctitle(f"python -m app.jobs.worker {run_id}")
