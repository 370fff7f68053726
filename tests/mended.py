"""Which faults that were found have a test that they stay mended, and which have none: python -m tests.mended"""

import contextlib
import io
import sys
from collections import defaultdict

import pytest

FOUND = [*(f"A{n}" for n in range(1, 10)), *(f"B{n}" for n in range(1, 10)), *(f"C{n}" for n in range(1, 11))]
"""A: frozen, filled or emptied by one request. B: something lost, or another's. C: what is on the screen is not so."""


class Mended:
    def __init__(self) -> None:
        self.tests: dict[str, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        for item in items:
            for marker in item.iter_markers("mend"):
                self.tests[str(marker.args[0])].append(item.nodeid)


def main() -> int:
    mended = Mended()
    with contextlib.redirect_stdout(io.StringIO()) as said:
        code = pytest.main(["--collect-only", "-q", "-m", "mend", "tests"], plugins=[mended])
    if code:
        print(said.getvalue())
    for number in FOUND:
        tests = sorted({name.partition("[")[0] for name in mended.tests.get(number, [])})
        print(f"{number:<4}{tests[0] if tests else 'none yet'}")
        for name in tests[1:]:
            print(f"    {name}")
    return code


if __name__ == "__main__":
    sys.exit(main())
