"""A warm worker: a process that has imported torch and waits to be told its run.

It is told over a socket, together with the run's open log file and the lock that it holds from then on. When the server
goes, the socket closes and an idle worker leaves.
"""

import contextlib
import os
import socket
import subprocess
import sys
from collections.abc import Callable

FLAG = "--warm"
Starter = Callable[[list[str], tuple[int, ...]], "subprocess.Popen[bytes]"]
"""Starts `python -m app.jobs.worker` with these arguments and file descriptors."""


class WarmWorker:
    """The server's side of an idle worker."""

    def __init__(self, start: Starter) -> None:
        self._socket, theirs = socket.socketpair()
        with theirs:
            self.process = start([FLAG, str(theirs.fileno())], (theirs.fileno(),))

    def give(self, run_id: int, log: int, lock: int) -> bool:
        """Hand over a run with its files; False when the worker is gone. One that still imports reads it later."""
        if self.process.poll() is not None:
            self.close()
            return False
        with self._socket, contextlib.suppress(OSError):
            return socket.send_fds(self._socket, [str(run_id).encode()], [log, lock]) > 0
        return False

    def close(self) -> None:
        """Let it leave."""
        self._socket.close()


def wait_for_run(descriptor: int) -> int | None:
    """The worker's side: import what every training needs, then wait; None when the server goes first."""
    import trainer.checkpoint
    import trainer.data.loaded
    import trainer.loop  # noqa: F401
    from trainer import devices

    devices.available()  # these two import more of torch, once
    devices.make_repeatable(parameters=0)

    with socket.socket(fileno=descriptor) as channel:
        told, files, _, _ = socket.recv_fds(channel, 64, 2)
    if not told:
        return None
    log, _lock = files  # the lock is held by staying open, until this process ends
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.close(log)
    _show_as(int(told))
    return int(told)


def _show_as(run_id: int) -> None:
    """Be listed among processes as a worker that was started for this run."""
    os.environ["SPT_NOENV"] = "1"  # leave the environment, which lies behind the title, as it is
    import setproctitle

    setproctitle.setproctitle(f"python -m app.jobs.worker {run_id}")
