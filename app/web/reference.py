"""The API page: the server's own description of its API (OpenAPI) as plain data for a template."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

TITLES = {"data sets": "Data sets"}


@dataclass(frozen=True)
class Value:
    """A parameter, or a field of a body."""

    name: str
    where: str
    kind: str
    default: str
    words: str
    required: bool


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    anchor: str
    summary: str
    description: str
    values: list[Value]
    curl: str
    statuses: list[str]


def reference(document: Mapping[str, Any], origin: str, *, token: bool) -> dict[str, list[Operation]]:
    """Title of each group to its operations, in the order of the document."""
    groups: dict[str, list[Operation]] = {}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tag = operation.get("tags", ["other"])[0]
            made = _operation(document, method.upper(), path, operation, origin, token)
            groups.setdefault(TITLES.get(tag, tag.capitalize()), []).append(made)
    return groups


def _operation(
    document: Mapping[str, Any], method: str, path: str, operation: Mapping[str, Any], origin: str, token: bool
) -> Operation:
    body = _body(document, operation)
    return Operation(
        method=method,
        path=path,
        anchor=operation["operationId"],
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        values=[*map(_parameter, operation.get("parameters", [])), *_fields(body)],
        curl=_curl(method, path, body, origin, token),
        statuses=sorted(f"{code} {answer['description']}" for code, answer in operation["responses"].items()),
    )


def _body(document: Mapping[str, Any], operation: Mapping[str, Any]) -> Mapping[str, Any]:
    if "requestBody" not in operation:
        return {}
    schema: Mapping[str, Any] = operation["requestBody"]["content"]["application/json"]["schema"]
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Mapping[str, Any] = document["components"]["schemas"].get(name, schema)
    return found


def _parameter(given: Mapping[str, Any]) -> Value:
    schema = given["schema"]
    words = given.get("description") or schema.get("description", "")
    return Value(given["name"], given["in"], _kind(schema), _default(schema), words, given.get("required", False))


def _fields(body: Mapping[str, Any]) -> Iterator[Value]:
    for name, schema in body.get("properties", {}).items():
        required = name in body.get("required", [])
        yield Value(name, "body", _kind(schema), _default(schema), schema.get("description", ""), required)


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"]))
    if "anyOf" in schema:
        kinds = [_kind(one) for one in schema["anyOf"] if one.get("type") != "null"]
        return " or ".join(dict.fromkeys(kinds))
    if "$ref" in schema:
        return str(schema["$ref"].rpartition("/")[2])
    if schema.get("type") == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("type", "any"))


def _default(schema: Mapping[str, Any]) -> str:
    value = schema.get("default")
    return "" if value in (None, "", [], {}) else str(value)


def _curl(method: str, path: str, body: Mapping[str, Any], origin: str, token: bool) -> str:
    words = ["curl", *([] if method == "GET" else ["-X", method]), f"{origin}{path}"]
    if token:
        words.append('-H "Authorization: Bearer $RUNYARD_TOKEN"')
    if body:
        example = json.dumps(body.get("examples", [{}])[0]).replace("'", "'\\''")
        words += ["-H 'Content-Type: application/json'", f"-d '{example}'"]
    return " ".join(words)
