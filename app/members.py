"""Runs of the database as comparing sees them."""

from collections.abc import Mapping

from app.compare.groups import Member
from app.spec import stored
from app.store import series
from app.store.tables import Run, Summary
from trainer.metrics import Metric, is_of_machine


def _is_chosen(name: str, summaries: Mapping[str, Summary]) -> bool:
    """Of a test beside which images were held out: they choose the epoch, not the test's own best."""
    return name.startswith("test/") and name.replace("test/", "validation/", 1) in summaries


def member(
    row: Run,
    value: float | None,
    summaries: Mapping[str, Summary] | None = None,
    declared: Mapping[str, Metric] | None = None,
) -> Member:
    """`value`: what is compared; None where the run has none. `summaries`, `declared`: of its series, by name."""
    assert row.id is not None
    summaries, declared = summaries or {}, declared or {}
    summaries = {name: found for name, found in summaries.items() if not is_of_machine(name, declared)}
    ends = {name: series.kept(found) for name, found in summaries.items()}
    last = {name: end for name, end in ends.items() if end is not None}
    bests = {name: series.best(found, declared[name]) for name, found in summaries.items() if name in declared}
    best = {name: found[0] for name, found in bests.items() if found is not None and not _is_chosen(name, summaries)}
    knobs = stored.flat(row.spec)
    return Member(
        row.id,
        "resuming" if row.retry_at is not None else str(row.status),
        row.configuration,
        knobs,
        last,
        best,
        declared,
        value,
        row.cause,
        seen=row.repeats is not None,
        steps_a_test=row.steps_total // knobs["epochs"],
        untrained=bool(row.untrained),
    )
