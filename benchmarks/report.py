"""Tables of what was measured, printed as it comes and once more at the end, in Markdown, for docs/benchmarks.md."""

import os
import platform
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version


@dataclass
class Table:
    """`title`: with what was measured on, where it is not this machine's CPU."""

    title: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]] = field(default_factory=list)
    on_row: Callable[[str], None] = lambda row: print(row, flush=True)

    def add(self, *cells: str) -> None:
        """Note a row, and print it at once: a later one may never come. Cells left out at its end are empty."""
        self.rows.append((*cells, *[""] * (len(self.columns) - len(cells))))
        self.on_row(f"  {' | '.join(filter(None, cells))}")

    def markdown(self) -> str:
        lines = [self.columns, ("---",) * len(self.columns), *self.rows]
        return "\n".join([f"{self.title}:", "", *(f"| {' | '.join(line)} |" for line in lines)])


@dataclass
class Report:
    """Tables, and what could not be measured."""

    tables: list[Table] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def table(self, title: str, *columns: str) -> Table:
        made = Table(
            title, columns, on_row=lambda row: print(f"{time.monotonic() - self.began:6.1f} s{row}", flush=True)
        )
        self.tables.append(made)
        return made

    def attempt(self, name: str, measure: Callable[[], object]) -> None:
        """Measure, and go on whatever happens."""
        try:
            measure()
        except Exception as error:
            traceback.print_exc()
            self.failures.append(f"{name}: {type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")

    def end(self) -> None:
        """Print it all; exits with 1 when something failed."""
        print("", *(table.markdown() for table in self.tables if table.rows), machine(), sep="\n\n")
        if self.failures:
            print("\nnot measured:", *self.failures, sep="\n  ")
            sys.exit(1)


def machine() -> str:
    """What was measured on."""
    return (
        f"{os.cpu_count()} cores, {platform.machine()}, {platform.system()}, Python {platform.python_version()}, "
        f"torch {version('torch')}"
    )


def spread(values: list[float], written: Callable[[float], str]) -> str:
    """The median and, of several, the least and the greatest: `0.22 s (0.19 to 0.27)`."""
    middle = written(statistics.median(values))
    return middle if len(values) == 1 else f"{middle} ({written(min(values))} to {written(max(values))})"
