"""The socket that the server listens on."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.settings import read_settings
from app.web.server import bind


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_an_answer_is_sent_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str) -> None:
    """Without TCP_NODELAY an answer on an open connection waits 40 ms for the client's word that it got the headers."""
    monkeypatch.setenv("RUNYARD_HOME", str(tmp_path))

    async def serve() -> int:
        told: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def meet(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            told.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            writer.close()

        async with await asyncio.start_server(meet, sock=bind(read_settings(host=host, port=0))) as server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            writer.close()
            return await told

    with ThreadPoolExecutor(1) as pool:  # where Playwright has run, this thread has an event loop already
        assert pool.submit(asyncio.run, serve()).result(30)
