"""Who may use a server that others can reach: tokens, the link that logs a browser in once, browser sessions.

Only SHA-256 hashes are kept. That is enough here, since each secret is 256 random bits: there is nothing to guess.
Links and sessions belong to a token and go with it.
"""

import hashlib
import secrets
from datetime import timedelta
from typing import NamedTuple

from sqlalchemy import Engine, delete, or_
from sqlmodel import Session, col, select

from app.store.engine import Writing, reading, writing
from app.store.errors import Conflict, StoreError
from app.store.tables import Access, Credential, Kind, now

PREFIX = "ryd_"
TOKEN_LENGTH = len(PREFIX) + 43
LINK_HOURS = 24
SESSION_DAYS = 30
OWNER, READER = "owner", "reader"


def new_token(engine: Engine, name: str, access: Access) -> str:
    """A new token, told this once. Raises Conflict when the name is taken."""
    with writing(engine) as session:
        if _named(session, name) is not None:
            raise Conflict(f"token {name!r} is there already: choose another name, or revoke that one first")
        return _add(session, Kind.TOKEN, access, name=name)


def new_link(engine: Engine, name: str) -> str:
    """The code of a link that logs one browser in, once, within 24 hours, with the rights of that token."""
    with writing(engine) as session:
        token = _get(session, name)
        return _add(session, Kind.LINK, token.access, parent=token.id, life=timedelta(hours=LINK_HOURS))


def revoke(engine: Engine, name: str) -> None:
    """Delete a token, its links and its sessions. Raises StoreError when there is none of that name."""
    with writing(engine) as session:
        session.execute(delete(Credential).where(col(Credential.id) == _get(session, name).id))


def tokens(session: Session) -> list[Credential]:
    return list(session.exec(select(Credential).where(Credential.kind == Kind.TOKEN).order_by(col(Credential.id))))


def log_in(engine: Engine, secret: str, kind: Kind) -> str | None:
    """A session for a token or for a link, which is used up by it; None when that is none of ours, or too old."""
    with reading(engine) as session:
        if _find(session, secret, kind) is None:
            return None  # whoever tries at random never waits for the write lock, nor takes it
    with writing(engine) as session:
        found = _find(session, secret, kind)
        if found is None:
            return None
        if kind is Kind.LINK:
            session.execute(delete(Credential).where(col(Credential.id) == found.id))
        session.execute(delete(Credential).where(col(Credential.expires_at) < now()))
        parent = found.id if kind is Kind.TOKEN else found.parent_id
        return _add(session, Kind.SESSION, found.access, parent=parent, life=timedelta(days=SESSION_DAYS))


def log_out(engine: Engine, secret: str) -> None:
    """End a session. Nothing else ends so: a token or a link in a session's place stays."""
    with reading(engine) as session:
        if _find(session, secret, Kind.SESSION) is None:
            return
    with writing(engine) as session:
        ended = delete(Credential).where(col(Credential.hash) == _hash(secret), col(Credential.kind) == Kind.SESSION)
        session.execute(ended)


class Grant(NamedTuple):
    """What a token or a session may do."""

    access: Access
    token: int
    """Id of the token; of a session that of the one it was got with."""


def grant_of(engine: Engine, secret: str, kind: Kind) -> Grant | None:
    """None when it is none of ours, revoked, or too old."""
    with reading(engine) as session:
        found = _find(session, secret, kind)
        return Grant(found.access, found.parent_id or found.id or 0) if found else None


def _find(session: Session, secret: str, kind: Kind) -> Credential | None:
    fresh = or_(col(Credential.expires_at).is_(None), col(Credential.expires_at) > now())
    wanted = select(Credential).where(Credential.hash == _hash(secret), Credential.kind == kind, fresh)
    return session.exec(wanted).first()


def _named(session: Session, name: str) -> Credential | None:
    return session.exec(select(Credential).where(Credential.kind == Kind.TOKEN, Credential.name == name)).first()


def _get(session: Session, name: str) -> Credential:
    found = _named(session, name)
    if found is None:
        there = " or ".join(token.name or "" for token in tokens(session)) or "there is none yet"
        raise StoreError(f"token {name!r} does not exist: {there}")
    return found


def _add(
    session: Writing,
    kind: Kind,
    access: Access,
    *,
    name: str | None = None,
    parent: int | None = None,
    life: timedelta | None = None,
) -> str:
    secret = PREFIX + secrets.token_urlsafe(32)
    until = now() + life if life else None
    session.add(Credential(kind=kind, name=name, access=access, hash=_hash(secret), parent_id=parent, expires_at=until))
    return secret


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
