"""Who may talk to the server, and how much: pure ASGI middleware, outermost first.

SecureHeaders    security headers and Content-Security-Policy on every answer; an unforeseen error as a problem
Hosts            Host allow-list, against DNS rebinding
Origins          no mutating request from another site, against CSRF
Authentication   a token or a session, where others can reach the server (app/web/login.py)

What a request may take: app/web/limits.py.
"""

import ipaddress
import logging
import socket
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.settings import Settings
from app.web.problems import problem

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),  # 'unsafe-inline' for styles only: Plotly sets them
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}

log = logging.getLogger("runyard.web")


def is_loopback(host: str) -> bool:
    """True for localhost, 127.0.0.0/8 and ::1: only programs of this machine get there."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class SecureHeaders:
    """Security headers on every answer, and a problem document for an error nobody foresaw."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008})
            return
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def secured(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Cache-Control", "no-cache")
            await send(message)

        try:
            await self.app(scope, receive, secured)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            detail = "The server met an error that nobody foresaw: its log has the details, please report it"
            await problem(500, detail)(scope, receive, secured)


def is_shared(settings: Settings) -> bool:
    """True where others than this machine's own user can reach the server: then a token is required."""
    public = urlsplit(settings.public_url or "http://localhost").hostname or ""
    return not (is_loopback(settings.host) and is_loopback(public))


def asks_everybody(settings: Settings) -> bool:
    """True where a token is required whoever asks; else of other users of this machine alone."""
    return is_shared(settings) or settings.token_required


FORWARDED = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-real-ip")


class Hosts:
    """Refuse a Host header that is no name of this server (DNS rebinding).

    Loopback's names always pass. A shared server also has its public name and this machine's, and goes by its
    addresses: those can't be rebound, only names can. Nor does a request pass that came through a proxy while nobody
    said that there is one: it would look as if it came from this machine.
    """

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self.shared = is_shared(settings)
        self.is_direct = settings.public_url is None and not asks_everybody(settings)
        self.names = {urlsplit(settings.public_url or "").hostname, settings.host.lower()}
        if self.shared:
            self.names.add(socket.gethostname().lower())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            named = Headers(scope=scope).getlist("host")
            if len(named) != 1 or not self._is_own(named[0]):
                given = ", ".join(named)[:80]
                way_out = "name it in RUNYARD_PUBLIC_URL" if self.shared else "use 127.0.0.1 or localhost"
                detail = f"Host is {given!r}: this server does not go by that name; {way_out}"
                await problem(400, detail)(scope, receive, send)
                return
            if self.is_direct and any(name in Headers(scope=scope) for name in FORWARDED):
                detail = "The request came through a proxy: name the server's public address in RUNYARD_PUBLIC_URL"
                await problem(403, detail)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _is_own(self, header: str) -> bool:
        try:
            parts = urlsplit(f"//{header}")
            host, _ = (parts.hostname or "").rstrip("."), parts.port
        except ValueError:
            return False
        if not host or parts.netloc != header or parts.username is not None:
            return False
        return is_loopback(host) or host in self.names or (self.shared and _is_address(host))


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


class Origins:
    """Refuse what a browser sends for another site: a request that changes something, or any to the API, whose answer
    that site could not read and whose work would be in vain. Scripts send neither header."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and (scope["method"] not in SAFE_METHODS or scope["path"].startswith("/api/")):
            headers = Headers(scope=scope)
            origin, site = headers.get("origin"), headers.get("sec-fetch-site")
            foreign = origin is not None and not _same(origin, headers.get("host", ""))
            if foreign or site not in (None, "same-origin", "none"):
                detail = f"The request comes from {origin or site!r:.80}: send it from this server's own pages"
                await problem(403, detail)(scope, receive, send)
                return
        await self.app(scope, receive, send)


def _same(origin: str, host: str) -> bool:
    try:
        given, own = urlsplit(origin), urlsplit(f"//{host}")
        default = {"http": 80, "https": 443}.get(given.scheme)
        return (
            default is not None and given.hostname == own.hostname and (given.port or default) == (own.port or default)
        )
    except ValueError:
        return False
