"""The API answers as it says it does: schemathesis against the running server, for a minute."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.serving import Server, serving
from trainer.prepared import Places

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def server(places: Places, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without slots: what is launched waits."""
    idle = {"RUNYARD_CPU_SLOTS": "0", "RUNYARD_PRELOAD": "0"}
    with serving(tmp_path_factory.mktemp("idle") / "home", places.prepared, **idle) as found:
        yield found


def test_schemathesis_finds_no_answer_outside_the_schema(server: Server) -> None:
    tried = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/v1/openapi.json"),
            *("--exclude-path", "/api/v1/events"),  # it never ends
            *(
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            ),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "100", "--seed", "1"),
            # one worker: Python 3.11 counts the depth of ast.parse() for all threads together and then fails by chance
            *("--workers", "1", "--max-time", "60", "--request-timeout", "150"),
            *("--generation-database", "none", "--max-failures", "10"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=400,
    )
    assert tried.returncode == 0, tried.stdout[-6000:] + tried.stderr[-2000:]


def test_every_post_has_an_example_and_every_parameter_words(server: Server) -> None:
    described = server.call("GET", "/openapi.json")
    schemas = described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if "requestBody" in operation:
                schema = operation["requestBody"]["content"]["application/json"]["schema"]
                assert schemas[schema["$ref"].rpartition("/")[2]]["examples"], path
            for parameter in operation.get("parameters", []):
                if parameter["name"] not in ("count", "order", "permutation_seed"):
                    assert parameter.get("description") or parameter["schema"].get("description"), (
                        path,
                        method,
                        parameter,
                    )
