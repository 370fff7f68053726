"""Every error of the web as a problem document (RFC 9457): fact, value, next step, and the field at fault."""

import json
import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app.store import errors as store
from trainer.entries import shown
from trainer.spec import Problem, SpecError

MEDIA_TYPE = "application/problem+json"
log = logging.getLogger("runyard.web")


class FieldProblem(BaseModel):
    """One field that is wrong."""

    field: str = Field(description="Path of the field in the body, or name of the parameter.")
    message: str = Field(description="A whole sentence: field, value, way out.")


class ProblemDocument(BaseModel):
    """What every error looks like."""

    type: str = Field(default="about:blank", description="URI of the kind of problem; about:blank: as `title` says.")
    title: str = Field(description="The kind of problem in a few words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What is wrong here, with the value and the way out.")
    errors: list[FieldProblem] = Field(default=[], description="The fields at fault, where fields are.")


class ProblemResponse(Response):
    """A problem document on the wire. Text that UTF-8 can't hold (lone surrogates) is sent escaped."""

    media_type = MEDIA_TYPE

    def render(self, content: Any) -> bytes:
        return json.dumps(content, ensure_ascii=False).encode("utf-8", "backslashreplace")


def problem(
    status: int, detail: str, errors: Sequence[Problem] = (), headers: Mapping[str, str] | None = None
) -> ProblemResponse:
    """The response for one error."""
    document = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "errors": [{"field": item.field, "message": item.message} for item in errors],
    }
    return ProblemResponse(document, status, headers={"Cache-Control": "no-store", **(headers or {})})


class Refused(HTTPException):
    """Raise for one field of a request; SpecError does the same for a spec."""

    def __init__(self, status: int, field: str, message: str) -> None:
        super().__init__(status, message)
        self.problem = Problem(field, message)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of a route that may answer with these errors, for OpenAPI."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDocument"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def add_handlers(app: FastAPI) -> None:
    """Answer every error of `app` with a problem document."""
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(SpecError, _spec)
    app.add_exception_handler(store.StoreError, _store)
    app.add_exception_handler(SQLAlchemyError, _database)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    detail = error.detail
    if _wants_page(request):
        if error.status_code == 404 and detail == HTTPStatus.NOT_FOUND.phrase:
            detail = f"Nothing is at {request.url.path:.100}: the address may be mistyped, or from another version."
        return _page(request, error.status_code, detail)
    if isinstance(error, Refused):
        return problem(error.status_code, detail, [error.problem])
    if detail == HTTPStatus(error.status_code).phrase:  # raised by the framework: only the status is known
        detail = {
            404: f"{request.url.path} does not exist: /api/v1/openapi.json lists what does",
            405: f"{request.method} is not possible on {request.url.path}: "
            f"use {(error.headers or {}).get('Allow') or 'another method'}",
        }.get(error.status_code, detail)
    elif error.status_code == 400 and detail == "There was an error parsing the body":
        detail = "The body can't be read: send JSON in UTF-8"
    return problem(error.status_code, detail, headers=error.headers)


def _wants_page(request: Request) -> bool:
    """True for a person's browser outside the API."""
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


def _page(request: Request, status: int, detail: str, title: str = "") -> Response:
    page: Response = request.app.state.error_page(request, status, detail, title)
    return page


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    if _wants_page(request):
        wrong = shown(error.errors()[0]["input"])
        return _page(request, 404, f"The address has {wrong} where a number belongs: it may be mistyped.")
    items = error.errors()
    if items and items[0]["type"] == "json_invalid":
        where, why = items[0]["loc"][-1], items[0]["ctx"]["error"]
        return problem(400, f"The body is not JSON ({why} at character {where}): send valid JSON")
    found = [_sentence(item) for item in items][:50]
    detail = "; ".join(item.message for item in found[:5])
    return problem(422, detail, found)


def _sentence(item: Mapping[str, Any]) -> Problem:
    """One of pydantic's errors as field, value, way out."""
    where, *path = item["loc"]
    field = ".".join(f"{part!s:.60}" for part in path) or str(where)
    if item["type"] == "missing":
        return Problem(field, f"{field} is missing: give it a value")
    if item["type"] == "extra_forbidden":
        return Problem(field, f"{field} is unknown here: leave it out")
    if item["type"] == "value_error":
        return Problem(field, f"{field} {item['ctx']['error']}")
    if item["type"] == "string_too_long":
        length, most = len(item["input"]), item["ctx"]["max_length"]
        return Problem(field, f"{field} has {length} characters: shorten it to at most {most}")
    if item["type"] == "string_too_short":
        return Problem(field, f"{field} is empty: give it at least one character")
    if item["type"] == "model_attributes_type":
        return Problem(field, f"{field} is {shown(item['input'])}: send a JSON object as application/json")
    if item["type"] == "list_type" and where == "body" and path[:1] == ["grid"]:
        way = f'a list of values: {{"grid": {{"{path[-1]}": [...]}}}}'
        if isinstance(item["input"], Mapping):
            knob = next(iter(item["input"]), "KNOB")
            way = f'a list of values; knobs of it go by path: {{"grid": {{"{path[-1]}.{knob}": [...]}}}}'
        return Problem(field, f"{field} is {shown(item['input'])}: give {way}")
    message = item["msg"][0].lower() + item["msg"][1:]
    return Problem(field, f"{field} is {shown(item['input'])}: {message}")


def _spec(_: Request, error: Exception) -> Response:
    assert isinstance(error, SpecError)
    shown_problems = error.problems[:50]
    return problem(422, "; ".join(item.message for item in shown_problems[:5]), shown_problems)


def _store(request: Request, error: Exception) -> Response:
    status = 404 if isinstance(error, store.NotFound) else 409 if isinstance(error, store.Conflict) else 503
    if _wants_page(request):
        if isinstance(error, store.NotFound):
            way = {"run": "Runs", "experiment": "Compare"}[error.what]
            words = f"It was deleted, or it never existed: {way} lists those that there are."
            return _page(request, status, words, f"There is no {error.what} {error.wanted}")
        return _page(request, status, str(error))
    return problem(status, str(error))


def _database(_: Request, error: Exception) -> Response:
    log.error("database error", exc_info=error)
    cause = (str(getattr(error, "orig", None) or error).splitlines() or [""])[0][:200]
    return problem(503, f"The database did not answer ({cause}): try again, or look at the server's log")
