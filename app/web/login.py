"""Logging in, where others than the machine's own user can reach the server.

A script sends its token as `Authorization: Bearer`; a browser sends a session in a cookie, got for a token typed into
/login or for the one-time link that `runyard serve` prints. A token is never taken from an address: those are kept in
histories and logs.
"""

import platform
from importlib.metadata import version
from typing import Annotated
from urllib.parse import parse_qs, quote

from fastapi import FastAPI, Query, Request
from fastapi.responses import RedirectResponse, Response
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from app.settings import Settings
from app.store import credentials
from app.store.credentials import SESSION_DAYS, TOKEN_LENGTH, Grant
from app.store.errors import StoreError
from app.store.tables import Access, Kind
from app.web.limits import COOKIE, PEER, STATE, quickly
from app.web.peers import Peer, is_stranger
from app.web.problems import problem
from app.web.security import SAFE_METHODS, is_loopback
from app.web.state import Database, SettingsNow

SECONDS_A_DAY = 86_400
OPEN = ("/login", "/logout", "/healthz", "/favicon.ico")
"""Paths that need no token, beside /static/: none of them tells or changes anything."""

MISSING = "This server needs a token: send it as `Authorization: Bearer TOKEN`; `runyard token new NAME` makes one"
ANOTHERS = (
    "This server belongs to another user of this machine: send a token of theirs as `Authorization: Bearer TOKEN`; "
    "`runyard token new NAME`, which that user runs, makes one"
)
WRONG = "The token is none of this server's, or was revoked: `runyard token new NAME` makes one"
EXPIRED = "The session is over or was revoked: log in again"
READ_ONLY = "The token is read-only and this call changes something: use one with full rights"
IN_ADDRESS = (
    "A token in the address is not taken, since addresses are kept in logs: send it as `Authorization: Bearer TOKEN`"
)
USED = (
    "That link was used before, is older than 24 hours, or was revoked. Type the token, or make a new link on the "
    "server with: runyard token link"
)


class Authentication:
    """Lets in who has a token or a session; one that is read-only may call nothing that changes something. Where it is
    not for everybody, the server's own user and root need none."""

    def __init__(self, app: ASGIApp, engine: Engine, everybody: bool) -> None:
        self.app, self.engine, self.everybody = app, engine, everybody

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in OPEN or scope["path"].startswith("/static/"):
            await self.app(scope, receive, send)
            return
        if not self.everybody and not self._is_stranger(scope):
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        session: str | None = scope.get("state", {}).get(STATE)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        try:
            grant, refusal = await self._look(headers, session, query)
        except (StoreError, SQLAlchemyError) as error:
            await problem(503, f"No token can be looked up now: {error}")(scope, receive, send)
            return
        if grant is None:
            if scope["method"] in SAFE_METHODS and _is_page(scope, headers):
                question = scope["query_string"].decode("latin-1")
                wanted = scope["path"] + (f"?{question}" if question else "")
                await RedirectResponse(f"/login?next={quote(wanted, safe='/')}", 303)(scope, receive, send)
                return
            await problem(401, refusal, headers={"WWW-Authenticate": "Bearer"})(scope, receive, send)
        elif grant.access is Access.READ and scope["method"] not in SAFE_METHODS:
            await problem(403, READ_ONLY)(scope, receive, send)
        else:
            scope.setdefault("state", {}).update(
                access=grant.access,
                who=str(grant.token),
                let_in=lambda: self._is_let_in(headers, session, query),
            )
            await self.app(scope, receive, send)

    def _is_stranger(self, scope: Scope) -> bool:
        peer: Peer | None = scope.get("state", {}).get(PEER)
        return peer is not None and is_stranger(peer.uid(scope.get("client"), scope.get("server")))

    async def _is_let_in(self, headers: Headers, session: str | None, query: dict[str, list[str]]) -> bool:
        """Whether the token or session of a request that lasts still holds."""
        try:
            grant, _ = await self._look(headers, session, query)
        except (StoreError, SQLAlchemyError):
            return False
        return grant is not None

    async def _look(
        self, headers: Headers, session: str | None, query: dict[str, list[str]]
    ) -> tuple[Grant | None, str]:
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return await quickly(credentials.grant_of, self.engine, token.strip(), Kind.TOKEN), WRONG
        if session is not None:
            return await quickly(credentials.grant_of, self.engine, session, Kind.SESSION), EXPIRED
        return None, IN_ADDRESS if "token" in query else MISSING if self.everybody else ANOTHERS


def _is_page(scope: Scope, headers: Headers) -> bool:
    return not scope["path"].startswith("/api/") and "text/html" in headers.get("accept", "")


def mount(app: FastAPI) -> None:
    """Add /login and /logout. `app.state.page` renders the page."""

    def login_page(
        request: Request, settings: Settings, following: str, error: str = "", status: int = 200
    ) -> Response:
        client = request.client.host if request.client else ""
        rendered: Response = request.app.state.page(
            request,
            "login",
            status,
            error=error,
            following=following,
            machine=platform.node(),
            version=version("runyard"),
            days=SESSION_DAYS,
            exposed=not _is_secure(request, settings) and not is_loopback(client),
            port=request.url.port or 80,
        )
        rendered.headers["Cache-Control"] = "no-store"
        return rendered

    def welcome(request: Request, settings: Settings, session: str, following: str, stay: bool) -> Response:
        answer = RedirectResponse(following, 303, headers={"Cache-Control": "no-store"})
        answer.set_cookie(
            COOKIE,
            session,
            max_age=SESSION_DAYS * SECONDS_A_DAY if stay else None,
            httponly=True,
            samesite="strict",
            path=settings.root or "/",
            secure=_is_secure(request, settings),
        )
        return answer

    @app.get("/login", include_in_schema=False)
    def login(
        request: Request,
        engine: Database,
        settings: SettingsNow,
        code: str | None = None,
        following: Annotated[str, Query(alias="next")] = "/",
    ) -> Response:
        if code is None:
            return login_page(request, settings, _own_path(following))
        session = credentials.log_in(engine, code, Kind.LINK)
        if session is None:
            return login_page(request, settings, "/", USED, 403)
        return welcome(request, settings, session, "/", stay=True)

    @app.post("/login", include_in_schema=False)
    async def log_in(request: Request, engine: Database, settings: SettingsNow) -> Response:
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        token, following = form.get("token", [""])[0].strip(), _own_path(form.get("next", ["/"])[0])
        session = await quickly(credentials.log_in, engine, token, Kind.TOKEN)
        if session is None:
            return login_page(request, settings, following, _what_is_wrong(token), 403)
        return welcome(request, settings, session, following, stay="stay" in form)

    @app.post("/logout", include_in_schema=False)
    def log_out(request: Request, engine: Database, settings: SettingsNow) -> Response:
        session = getattr(request.state, STATE, None)
        if session is not None:
            credentials.log_out(engine, session)
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, path=settings.root or "/", httponly=True, samesite="strict")
        return answer


def _is_secure(request: Request, settings: Settings) -> bool:
    return request.url.scheme == "https" or (settings.public_url or "").startswith("https://")


def _own_path(wanted: str) -> str:
    """A path of this server, to go on to; never another site."""
    inside = wanted.startswith("/") and not wanted.startswith(("//", "/\\")) and wanted.isprintable()
    return wanted if inside and "\\" not in wanted else "/"


def _what_is_wrong(token: str) -> str:
    if not token:
        return "Type the token: it was printed when the server first started."
    if len(token) != TOKEN_LENGTH:
        missing = "missing at the end" if len(token) < TOKEN_LENGTH else "there twice"
        return (
            f"That is not this server's token. Check that nothing is {missing}: "
            f"it has {TOKEN_LENGTH} characters, this one has {len(token)}."
        )
    return "That is not this server's token, or it was revoked."
