"""Which user of this machine is at the other end of a loopback connection, as Linux tells it.

`/proc/net/tcp` and `/proc/net/tcp6` list both ends of a connection within the machine, each with the user that owns it
(Linux, Documentation/networking/proc_net_tcp.rst).
"""

import ipaddress
import os
from pathlib import Path

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
ROOT = 0


class Peer:
    """Who is at the other end of one connection; looked up once, when it is first asked for."""

    def __init__(self) -> None:
        self._known = False
        self._uid: int | None = None

    def uid(self, client: tuple[str, int] | None, server: tuple[str, int | None] | None) -> int | None:
        """None where that can't be told: no Linux, or no connection within this machine."""
        if not self._known:
            self._known = True
            if client is not None and server is not None and server[1] is not None:
                self._uid = uid_of(client, (server[0], server[1]))
        return self._uid


def is_stranger(uid: int | None) -> bool:
    """Neither this server's own user nor root."""
    return uid is not None and uid not in (os.getuid(), ROOT)


def uid_of(client: tuple[str, int], server: tuple[str, int], tables: tuple[Path, ...] = TABLES) -> int | None:
    """The user that owns the client's end."""
    ends = _written(client), _written(server)
    if None in ends:
        return None
    for table in tables:
        try:
            lines = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()  # sl, local address, remote address, state, queues, timer, retransmits, uid, …
            if len(words) > 7 and (_without_mapping(words[1]), _without_mapping(words[2])) == ends:
                return int(words[7])
    return None


def _written(end: tuple[str, int]) -> str | None:
    """127.0.0.1, 8000 to `0100007F:1F90`: words of four bytes, each as this machine has it in memory."""
    try:
        packed = ipaddress.ip_address(end[0]).packed
    except ValueError:
        return None
    words = (packed[at : at + 4][::-1].hex().upper() for at in range(0, len(packed), 4))
    return _without_mapping(f"{''.join(words)}:{end[1]:04X}")


def _without_mapping(text: str) -> str:
    """An IPv4 address that an IPv6 socket has (::ffff:127.0.0.1) as the address that it is."""
    return text.removeprefix("0000000000000000FFFF0000")
