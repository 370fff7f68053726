"""The API answers as it says it does: schemathesis against the running server, for up to a minute."""

import subprocess
import sys
from pathlib import Path

from tests.serving import Server

ROOT = Path(__file__).parents[2]


def test_schemathesis_finds_no_answer_outside_the_schema(server: Server) -> None:
    tried = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run", f"{server.url}/api/v1/openapi.json"),
            *("--exclude-path", "/api/v1/events"),  # it never ends
            *(
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            ),
            *("--phases", "examples,coverage,fuzzing", "--max-examples", "25", "--seed", "1"),
            # one worker: Python 3.11 counts the depth of ast.parse() for all threads together and then fails by chance
            *("--workers", "1", "--max-time", "40", "--request-timeout", "20"),
            *("--generation-database", "none", "--max-failures", "10"),
        ],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=170,
    )
    for experiment in server.call("GET", "/experiments", params={"limit": 500})["items"]:
        server.call("POST", f"/experiments/{experiment['id']}/stop")
    for run in server.call("GET", "/runs", params={"limit": 500, "status": ["queued", "starting", "running"]})["items"]:
        with server.api() as client:
            client.post(f"/runs/{run['id']}/stop")
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
