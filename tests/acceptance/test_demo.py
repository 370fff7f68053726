"""`runyard demo` and `runyard serve` as a person types them."""

import os
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.serving import ROOT

TIMEOUT = 400


def runyard(home: Path, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    variables = {"RUNYARD_HOME": str(home), "COLUMNS": "80", **environment}
    return subprocess.run(
        [sys.executable, "-m", "app.cli", *words],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )


def test_the_demo_trains_four_ways_and_a_second_start_shows_what_is_there(tmp_path: Path) -> None:
    # one seed, as nobody waits for more: the effect is of 15 points (README.md has five seeds)
    demo = ("demo", "--exit", "--port", "0", "--seeds", "1")
    first = runyard(tmp_path, *demo, RUNYARD_CPU_SLOTS="2")
    assert first.returncode == 0, first.stdout + first.stderr
    rows = re.findall(
        r"^ (FC|CNN), (in order|shuffled) +([\d,]+) +(\d)/1 +([\d.]+) +[\d.]+ ", first.stdout, re.MULTILINE
    )
    assert [row[:4] for row in rows] == [
        ("FC", "in order", "6,442", "1"),
        ("FC", "shuffled", "6,442", "1"),
        ("CNN", "in order", "6,422", "1"),
        ("CNN", "shuffled", "6,422", "1"),
    ]
    fc, _, cnn, cnn_shuffled = (float(row[4]) for row in rows)
    assert cnn > fc
    assert cnn - cnn_shuffled >= 5
    assert re.search(r"With this one seed the\s+CNN has", first.stdout)
    table = first.stdout[first.stdout.index("Digits, pixels") :]
    assert all(len(line) <= 80 for line in table.splitlines() if "http" not in line)
    assert "…" not in table
    assert re.search(r"Compare: http://127\.0\.0\.1:\d+/compare\?experiment=1", first.stdout)

    second = runyard(tmp_path, *demo)
    assert second.returncode == 0
    assert "compare?experiment=1" in second.stdout
    assert table.split("Compare:")[0] in second.stdout


def test_without_a_network_the_demo_on_mnist_says_which_files_to_put_where(tmp_path: Path) -> None:
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    found = runyard(tmp_path, "demo", "--dataset", "mnist", "--exit", "--port", "0", RUNYARD_DATASETS="", **nowhere)
    assert found.returncode == 1
    assert "mnist could not be downloaded" in found.stdout
    assert "train-images-idx3-ubyte.gz" in found.stdout
    assert f"into {tmp_path}/datasets/MNIST/raw" in found.stdout
    assert "or use the data set digits" in found.stdout


def test_a_port_in_use_is_said_plainly(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for command in ("serve", "demo"):
            found = runyard(tmp_path, command, "--port", str(port))
            assert found.returncode == 1
            assert f"port {port} of 127.0.0.1 can't be used (address already in use)" in found.stderr
            assert "Traceback" not in found.stderr


@pytest.mark.parametrize("command", ["serve", "demo"])
def test_a_home_that_can_not_be_made_is_said_plainly(tmp_path: Path, command: str) -> None:
    (tmp_path / "file").write_text("not a directory")
    found = runyard(tmp_path / "file" / "home", command, "--port", "0")
    assert found.returncode == 1
    assert "can't be made or written (not a directory); choose a directory that you can write to" in found.stderr
    assert "Traceback" not in found.stderr


def test_the_demo_is_for_this_machine_alone(tmp_path: Path) -> None:
    found = runyard(tmp_path, "demo", "--host", "0.0.0.0", "--port", "0")
    assert found.returncode == 2
    assert "leave out --host" in found.stdout


def test_a_file_that_is_no_database_is_said_plainly(tmp_path: Path) -> None:
    (tmp_path / "runyard.db").write_bytes(b"this is no database, only words" * 100)
    found = runyard(tmp_path, "serve", "--port", "0")
    assert found.returncode == 1
    assert "can't be used as the database (file is not a database)" in found.stderr
