"""The plumbing of benchmarks: each part measures something and tells it in its table. No figure is judged."""

import json
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from benchmarks import answers, recording, training
from benchmarks.report import Report, Table, spread
from trainer.prepared import Places


def row(table: Table, start: str) -> tuple[str, ...]:
    (found,) = [row for row in table.rows if row[0].startswith(start)]
    assert len(found) == len(table.columns)
    return found


def test_a_report_tells_tables_and_what_failed(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report()
    table = report.table("Title", "what", "seconds", "n")
    table.add("one", spread([1.0], "{:.1f} s".format), "1")
    table.add("three", spread([3.0, 1.0, 2.0], "{:.1f} s".format))
    report.table("Nothing came", "what")

    def fails() -> None:
        raise ValueError("no card\nand more")

    report.attempt("of a card", fails)
    with pytest.raises(SystemExit):
        report.end()
    printed = capsys.readouterr().out
    assert "Title:\n\n| what | seconds | n |\n| --- | --- | --- |\n| one | 1.0 s | 1 |\n" in printed
    assert "| three | 2.0 s (1.0 s to 3.0 s) |  |" in printed
    assert "not measured:\n  of a card: ValueError: no card\n" in printed
    assert "Nothing came" not in printed


def test_an_epoch_is_measured_by_script_loop_and_run(places: Places, tmp_path: Path) -> None:
    bench = training.Bench(Report(), places, tmp_path, small=True, times=1)
    training.epochs(bench, "mnist-fc-vs-cnn", model="fc")
    bench.entitle()
    what, ours, alone, script, ratio, n = row(bench.table, "fc, digits")
    assert re.fullmatch(r"[\d.]+ s, [\d,]+ steps/s", ours), ours
    assert all(re.fullmatch(r"[\d.]+ s", cell) for cell in (alone, script)), what
    assert float(ratio) > 0
    assert n == "1"
    assert re.match(r"Training on .+, torch [\d.]+", bench.table.title)


def test_what_is_not_begun_in_time_is_said(places: Places, tmp_path: Path) -> None:
    bench = training.Bench(Report(), places, tmp_path, small=True, budget=0)
    bench.attempt("vgg", lambda: pytest.fail("it was begun"))
    assert bench.report.failures == ["vgg: OutOfTime: not begun, the budget of 0 s was used up"]


def test_what_recording_takes_is_measured_in_pairs(places: Places, tmp_path: Path) -> None:
    recipe = {**recording.PRESET, "model": "fc", "dataset": "digits", "normalization": "dataset"}
    with_it, without = recording.in_pairs(tmp_path, places.datasets, recipe, 1)
    assert with_it[0][0] > with_it[0][1] > 0, "of the processor's seconds, those of recording are a part"
    assert without[0][0] > 0
    assert without[0][1] == 0


def test_points_are_recorded_and_read_by_runyard_and_by_peers(tmp_path: Path) -> None:
    peer = tmp_path / "python"
    told = json.dumps({"record": 0.5, "read": 0.25, "version": "1.2"})
    peer.write_text(
        f"#!{sys.executable}\nimport sys\nassert sys.argv[4] == '500'\nprint('its banner')\nprint({told!r})\n"
    )
    peer.chmod(0o755)
    report = Report()
    recording.against_peers(report, peer, 500, 1)
    recorded, read = report.tables
    assert row(recorded, "TensorBoard 1.2")[1:] == ("1,000", "1")
    assert row(read, "Trackio 1.2")[1:] == ("0.250 s", "1")
    assert int(row(recorded, "Runyard")[1].replace(",", "")) > 0
    assert [cells[0] for cells in read.rows[:2]] == ["Runyard's chart, plain", "Runyard's chart, smoothed"]
    peer.write_text("#!/bin/sh\necho 'no module named trackio' >&2\nexit 1\n")
    with pytest.raises(RuntimeError, match="Trackio failed: no module named trackio"):
        recording.by_peer(peer, "trackio", 500, 1)


def test_lists_and_live_events_are_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answers, "CHANGES", 5)
    report = Report()
    with ThreadPoolExecutor(1) as thread:  # away from the event loop of a browser's tests, which this process may hold
        thread.submit(answers.live, report, (2,)).result()
    answers.lists(report, (100,))
    live, lists = report.tables
    assert row(live, "2")[3] == "10", "each change at each listener"
    assert len(lists.rows) == len(answers.LISTS)
    assert all(cells[1].endswith(" ms") for cells in lists.rows)
