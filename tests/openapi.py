"""Print the server's own description of its API: `make types` makes TypeScript's types of it."""

import json
import tempfile
from pathlib import Path
from typing import Any, cast

from app.settings import Settings
from app.store.engine import open_database
from app.web.server import create_app


def description() -> dict[str, Any]:
    """The OpenAPI document; nothing is served and nothing runs."""
    with tempfile.TemporaryDirectory() as home:
        engine = open_database(Path(home) / "runyard.db")
        found = create_app(Settings(home=Path(home)), engine, cast(Any, None)).openapi()
        engine.dispose()
    return found


if __name__ == "__main__":
    print(json.dumps(description()))
