"""python -m tests.imports: what each module of app and trainer imports, as JSON {module: [names]}.

A program of its own: in a process where Playwright has run, Python 3.11's ast.parse() fails by chance.
"""

import ast
import json
from pathlib import Path

ROOT = Path(__file__).parents[1]


def modules() -> dict[str, Path]:
    files = [*ROOT.glob("app/**/*.py"), *ROOT.glob("trainer/**/*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


def imported(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
    return found


if __name__ == "__main__":
    print(json.dumps({name: sorted(imported(path)) for name, path in modules().items()}))
