"""Who may import whom (docs/architecture.md): no circle, no arrow back up the line."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TORCH_FREE = {
    "trainer.spec",
    "trainer.paths",
    "trainer.metrics",
    "trainer.catalog",
    "trainer.permutation",
    "trainer.prepared",
    "trainer.entries",
    "trainer.hardware",
    "trainer.layers",
    "trainer.plugins",
    "trainer.presets",
    "trainer.schedule",
    "trainer.data.folder",
}
MAY = {
    "trainer": set(),
    "app.settings": set(),
    "app.compare": {"trainer.metrics", "trainer.paths"},
    "app.spec": TORCH_FREE,
    "app.store": {"app.settings", "app.spec", *TORCH_FREE},
    "app.members": {"app.store", "app.spec", "app.compare", *TORCH_FREE},
    "app.asking": {"app.members", "app.store", "app.spec", "app.compare", *TORCH_FREE},
    "app.jobs": {"app.asking", "app.settings", "app.spec", "app.store", "app.jobs.forkserver", *TORCH_FREE},
    "app.jobs.worker": {"app.settings", "app.spec", "app.store", "app.jobs", "app.jobs.forkserver", "trainer"},
    "app.web": {"app.asking", "app.members", "app.settings", "app.spec", "app.store", "app.compare", *TORCH_FREE},
    "app.jobs.forkserver": {"trainer"},
    "app.client": set(),
    "app.commands": {"app.client", "app.settings"},
    "app.demo": {"app.client", "app.commands", "app.settings", "app.spec", "app.store", "app.web", *TORCH_FREE},
    "app.serving": {"app.settings", "app.store", "app.web", "app.jobs"},
    "app.cli": {"app.commands", "app.demo", "app.serving", "app.settings", "app.store", "app.web"},
}


def read_imports() -> dict[str, set[str]]:
    """Module to what it imports of ours."""
    read = subprocess.run([sys.executable, "-m", "tests.imports"], capture_output=True, text=True, cwd=ROOT, check=True)
    found: dict[str, list[str]] = json.loads(read.stdout)
    packages = ("app", "trainer", "app.web", "app.spec", "app.store", "app.jobs", "app.asking", "app.compare")
    return {
        name: {target for target in targets if target in found and target not in packages}
        for name, targets in found.items()
    }


IMPORTS = read_imports()


def room(name: str) -> str:
    return next(
        (room for room in sorted(MAY, key=len, reverse=True) if name == room or name.startswith(f"{room}.")), name
    )


def allowed(name: str, target: str) -> bool:
    own = room(name)
    return room(target) == own or target in MAY[own] or room(target) in MAY[own]


@pytest.mark.parametrize("name", [name for name in IMPORTS if name != "app"])
def test_a_module_imports_only_what_its_room_may(name: str) -> None:
    assert [target for target in sorted(IMPORTS[name]) if not allowed(name, target)] == []


def test_there_is_no_circle() -> None:
    arrows = {name: targets - {name} for name, targets in IMPORTS.items()}
    while arrows:
        ends = {name for name, targets in arrows.items() if not targets & arrows.keys()}
        assert ends, f"a circle of imports among {sorted(arrows)}"
        arrows = {name: targets for name, targets in arrows.items() if name not in ends}


def test_the_server_and_the_command_import_no_torch() -> None:
    heavy = "{'torch', 'torchvision', 'sklearn', 'scipy'}"
    code = f"import sys, app.cli, app.demo, app.serving; print(sorted({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"


def test_a_command_that_only_asks_a_server_does_not_import_one() -> None:
    code = "import sys, app.cli; print(sorted({'fastapi', 'sqlmodel', 'sqlalchemy', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT).stdout == "[]\n"
