"""A server that a proxy shows under a path of a host: RUNYARD_PUBLIC_URL=https://host/runyard."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Prefix:
    """Takes the public path off each request and puts it before each redirect, so that nothing within knows of it.

    A proxy may leave the path on or take it off. Links in pages and scripts have it from `root` (templates) and `url`
    (static/js/model/address.js).
    """

    def __init__(self, app: ASGIApp, path: str) -> None:
        self.app, self.path = app, path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.path:
            await self.app(scope, receive, send)
            return

        async def prefixed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                if headers.get("location", "").startswith("/"):
                    headers["location"] = self.path + headers["location"]
            await send(message)

        path: str = scope["path"]
        if path == self.path or path.startswith(f"{self.path}/"):
            scope = {**scope, "path": path.removeprefix(self.path) or "/"}
        await self.app(scope, receive, prefixed)
