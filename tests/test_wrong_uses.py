"""The command line used wrongly, and where it can't go on: one line on stderr, an exit code, never a traceback."""

import contextlib
import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from app import commands
from tests.serving import ROOT, Server, until
from tests.template import template
from tests.test_commands import runyard

OK, FAILED, WRONG_USE, NO_SERVER, NOT_SUCCEEDED = 0, 1, 2, 3, 4
KNOBS = ["model=fc", "dataset=digits", "batch_size=500"]


@pytest.fixture(scope="module")
def server(quick_server: Server) -> Server:
    """With one run that has succeeded, whose name and log want to steer a terminal."""
    run = quick_server.launch(model="fc", dataset="digits", batch_size=500)
    quick_server.wait_for(run, "succeeded")
    quick_server.call("PATCH", f"/runs/{run}", json={"note": "=1+1"})
    with contextlib.closing(sqlite3.connect(quick_server.home / "runyard.db")) as database, database:
        database.execute("UPDATE run SET name = ? WHERE id = ?", ("\x1b]0;mine\x07\x1b[2Jred [bold]", run))
    files = quick_server.files(run).name
    with (quick_server.home / "logs" / f"{files}-1.log").open("a") as log:
        log.write("\x1b[2Jgone\n1%\r2%\n")
    return quick_server


def used(server: Server, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "RUNYARD_URL": server.url, "COLUMNS": "80", **variables}
    return template().run([*words], environment)


Use = tuple[list[str], int, str]
WRONG: list[Use] = [  # words, exit code, what the line says
    (["nonsense"], WRONG_USE, "No such command 'nonsense'; see runyard --help"),
    (["--nonsense"], WRONG_USE, "No such option: --nonsense; see runyard --help"),
    (["runs", "--nonsense"], WRONG_USE, "see runyard runs --help"),
    (["show"], WRONG_USE, "Missing argument"),
    (["show", "x"], WRONG_USE, "'x'|integer"),
    (["show", "1", "2"], WRONG_USE, "unexpected extra argument"),
    (["runs", "--limit", "0"], WRONG_USE, "--limit"),
    (["runs", "--limit", "many"], WRONG_USE, "--limit"),
    (["launch", *KNOBS, "--random", "x"], WRONG_USE, "--random"),
    (["launch", *KNOBS, "--random", "501", "optimizer.lr=0.1..1"], WRONG_USE, "--random"),
    (["launch", *KNOBS, "--random", "7"], FAILED, "--random 7 draws nothing: give a range"),
    (["launch", *KNOBS, "optimizer.lr=0.1..1"], FAILED, "optimizer.lr is a range: say with --random"),
    (["launch", *KNOBS, "optimizer.lr=a..b", "--random", "2"], FAILED, "a range is LOW..HIGH"),
    (["launch", "fc"], FAILED, "'fc' is no KNOB=VALUE"),
    (["launch", "=3"], FAILED, "'=3' is no KNOB=VALUE"),
    (["launch", "epochs="], FAILED, "'epochs=' is no KNOB=VALUE"),
    (["launch", *KNOBS, "optimizer.lr=nan"], FAILED, "optimizer.lr is 'nan': choose a number over 0"),
    (["launch", *KNOBS, "optimizer.lr=inf"], FAILED, "optimizer.lr is 'inf'"),
    (["launch", *KNOBS, "optimizer.lr=-inf"], FAILED, "optimizer.lr is '-inf'"),
    (["launch", *KNOBS, "optimizer.lr=0"], FAILED, "optimizer.lr is 0"),
    (["launch", *KNOBS, "optimizer.lr=1e999"], FAILED, "optimizer.lr is '1e999'"),
    (["launch", *KNOBS, f"epochs=1{'0' * 400}"], FAILED, "epochs is 1000"),
    (["launch", *KNOBS, f"epochs=1{'0' * 5000}"], FAILED, "epochs is"),
    (["launch", *KNOBS, "epochs=1.5"], FAILED, "epochs is 1.5: choose a whole number"),
    (["launch", *KNOBS, "epochs=many"], FAILED, "epochs is 'many'"),
    (["launch", "model=nosuch"], FAILED, "model"),
    (["launch", "dataset=nosuch"], FAILED, "there is no such data set"),
    (["launch", "dataset=folder:nosuch"], FAILED, "that folder was not read yet"),
    (["launch", *KNOBS, "nosuch=1"], FAILED, "grid.nosuch is not a knob"),
    (["launch", *KNOBS, "optimizer.nosuch=1"], FAILED, "optimizer.nosuch"),
    (["launch", *KNOBS, "precision=float16"], FAILED, "precision is 'float16': the CPU has float32 and bfloat16"),
    (["launch", *KNOBS, "device=cuda:7"], FAILED, "device is 'cuda:7'"),
    (["launch", *KNOBS, "seed=1,1"], FAILED, "grid.seed has 1 twice"),
    (["launch", *KNOBS, f"seed={','.join(map(str, range(501)))}"], FAILED, "makes 501 runs"),
    (["launch", "--preset", "nosuch"], FAILED, "there is no such preset"),
    (["launch", *KNOBS, "--name", "x" * 300], FAILED, "name"),
    (["launch", "model=\udcff"], WRONG_USE, "is not UTF-8"),
    (["note", "1", "\udcff"], WRONG_USE, "is not UTF-8"),
    (["ask", *KNOBS], FAILED, "--about is missing"),
    (["ask", *KNOBS, "pixel_order=original,shuffled", "--seeds", "2"], WRONG_USE, "--seeds"),
    (["show", "99999"], FAILED, "run 99999 does not exist"),
    (["show", str(10**30)], FAILED, "run|id"),
    (["watch", "99999"], FAILED, "run 99999 does not exist"),
    (["watch"], FAILED, "which runs is missing"),
    (["log", "99999"], FAILED, "run 99999 does not exist"),
    (["compare"], FAILED, "run and experiment: give one of them"),
    (["compare", "99999"], FAILED, "run 99999 does not exist"),
    (["compare", "-e", "99999"], FAILED, "experiment 99999 does not exist"),
    (["compare", "1", "--measure", "nosuch!"], FAILED, "nosuch"),
    (["export"], FAILED, "run and experiment: give one of them"),
    (["export", "1", "-o", "/no/such/directory/x.csv"], FAILED, "/no/such/directory/x.csv: No such file or directory"),
    (["export", "1", "-o", "/proc/x.csv"], FAILED, "/proc/x.csv: "),
    (["relaunch"], FAILED, "what to relaunch is missing"),
    (["relaunch", "99999"], FAILED, "run 99999 does not exist"),
    (["more", "1"], FAILED, "what to add is missing"),
    (["replay", "99999"], FAILED, "run 99999 does not exist"),
    (["stop", "99999"], FAILED, "run 99999 does not exist"),
    (["tag", "1", "--add", "x" * 500], FAILED, "add_tags"),
    (["data", "nosuch"], FAILED, "there is no such data set"),
    (["data", "folder:nosuch"], FAILED, "does not exist: put the images there"),
    (["data", "/data/pets"], FAILED, "/data/pets is a path: put the folder, or a link to it, into"),
    (["data", "folder:../pets"], FAILED, "folder:../pets is a path"),
    (["launch", "dataset=/data/pets"], FAILED, "that is a path; put the folder, or a link to it"),
    (["data", "digits", "--again"], FAILED, "digits is no folder of images"),
    (["runs", "--search", "lr >"], FAILED, "a value is missing behind it"),
    (["runs", "--search", "model:nosuch"], FAILED, "'nosuch' is no model; choose"),
    (["runs", "--sort", "nosuch"], FAILED, "sort is 'nosuch'"),
    (["runs", "--status", "nosuch"], FAILED, "status"),
    (["runs", "--url", "nonsense"], FAILED, "the address of the server is 'nonsense'"),
    (["runs", "--url", "ftp://x"], FAILED, "the address of the server is 'ftp://x'"),
    (["runs", "--url", "http://127.0.0.1:1"], NO_SERVER, "no Runyard answers at http://127.0.0.1:1 "),
    (["runs", "--url", "http://me:secret@127.0.0.1:1"], NO_SERVER, "no Runyard answers at http://127.0.0.1:1 "),
    (["runs", "--token", "a\nb"], FAILED, "the token has characters that no token has"),
    (["serve", "--port", "99999"], WRONG_USE, "--port"),
    (["backup"], WRONG_USE, "Missing argument"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "code", "said"), WRONG, ids=[" ".join(words)[:60] for words, _, _ in WRONG])
def test_wrong_use_is_a_line_and_an_exit_code(server: Server, words: list[str], code: int, said: str) -> None:
    found = used(server, *words)
    line = found.stderr.strip()
    assert found.returncode == code, found
    assert line.startswith("runyard: ")
    assert "\n" not in line
    assert "Traceback" not in line
    assert "nobody foresaw" not in line
    assert any(one in line for one in said.split("|")), line
    assert "secret" not in line


@pytest.mark.parametrize("words", [[], ["token"]])
def test_a_command_that_is_left_out_shows_the_help(server: Server, words: list[str]) -> None:
    found = used(server, *words)
    assert found.returncode == WRONG_USE
    assert "Usage: runyard" in found.stdout + found.stderr


@pytest.mark.parametrize("words", [["-h"], ["--help"], ["runs", "-h"], ["token", "new", "--help"]])
def test_help_is_had_either_way(server: Server, words: list[str]) -> None:
    found = used(server, *words)
    assert (found.returncode, found.stderr) == (OK, "")
    assert "Usage: runyard" in found.stdout


def test_it_says_its_version(server: Server) -> None:
    assert re.fullmatch(r"Runyard \d+\.\d+\.\d+\n", used(server, "--version").stdout)


@pytest.mark.parametrize("token", ["  secret-abc", "secret-abc\n", "\tsecret-abc  "])
def test_white_space_around_a_token_is_taken_off(server: Server, token: str) -> None:
    assert used(server, "runs", RUNYARD_TOKEN=token).returncode == OK


def test_a_long_list_of_knobs_makes_a_name_that_fits(server: Server) -> None:
    many = [f"optimizer.lr={','.join(f'0.{at:03}' for at in range(1, 60))}"]
    made = used(server, "launch", *KNOBS, *many, "--plan")
    assert made.returncode == OK, made.stderr


@pytest.mark.parametrize("width", [40, 50, 62, 80, 120, 200])
def test_a_comparison_has_its_names_at_any_width(server: Server, width: int) -> None:
    found = used(server, "compare", "1", COLUMNS=str(width))
    assert "Configuration" in found.stdout
    assert any(line.startswith((" FC, in order", "FC, in order")) for line in found.stdout.splitlines())
    assert max(map(len, found.stdout.splitlines())) <= width


@pytest.mark.parametrize("words", [["runs"], ["show", "1"], ["compare", "1"], ["watch", "1"], ["log", "1"]])
def test_what_others_wrote_steers_no_terminal(server: Server, words: list[str]) -> None:
    found = used(server, *words)
    assert found.returncode == OK, found.stderr
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f]", found.stdout)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f\x7f]|\x1b\]", found.stderr)  # a bar moves the cursor


def test_runs_are_listed_with_experiment_and_data_set(server: Server) -> None:
    head, *rest = runyard(server, "runs").splitlines()
    assert head.split() == ["run", "status", "steps", "test", "experiment", "data", "name"]
    assert all(" digits " in line for line in rest)


def test_a_spreadsheet_takes_no_text_for_a_formula(server: Server) -> None:
    assert ",'=1+1," in runyard(server, "export", "1", "--what", "runs")


def _hear_ctrl_c() -> None:
    """As in a shell's foreground: what is started in the background ignores it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def cold(server: Server, words: list[str], **more: object) -> "subprocess.Popen[str]":
    """As a shell starts it."""
    environment = {**os.environ, "RUNYARD_URL": server.url, "PYTHONIOENCODING": "ascii"}
    command = [sys.executable, "-m", "app.cli", *words]
    more |= {"preexec_fn": _hear_ctrl_c, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **more)  # type: ignore[call-overload, no-any-return]


def test_a_full_device_a_closed_pipe_and_ctrl_c(server: Server) -> None:
    with open("/dev/full", "w") as full, cold(server, ["runs"], stdout=full) as one:
        assert one.stderr is not None
        assert one.stderr.read() == "runyard: the output can't be written: No space left on device\n"
        assert one.wait(60) == FAILED
    reading, writing = os.pipe()
    os.close(reading)
    with cold(server, ["show", "1", "--json"], stdout=writing) as one:
        os.close(writing)
        assert one.stderr is not None
        assert one.stderr.read() == ""
        assert one.wait(60) == commands.CLOSED_PIPE
    run = server.launch(model="cnn", dataset="digits", epochs=500)
    with cold(server, ["watch", str(run)], stdout=subprocess.PIPE) as one:
        server.wait_for(run, "running", steps=1)
        until(lambda: server.call("GET", "/system")["listeners"] > 0, "it watches")
        one.send_signal(signal.SIGINT)
        assert one.stderr is not None
        assert "Traceback" not in one.stderr.read()
        assert one.wait(60) == commands.INTERRUPTED
    server.call("POST", f"/runs/{run}/stop")
    server.wait_for(run, "stopped")


@pytest.mark.parametrize("moment", ["_run", "_refuse"])
def test_ctrl_c_in_the_last_moment_of_a_command_leaves_no_traceback(moment: str) -> None:
    """Where Typer no longer looks: what a command printed is out, and its process is about to end."""
    press = (
        f"import os, signal; from app import cli; cli.{moment} = lambda *_: os.kill(os.getpid(), signal.SIGINT) or 1; "
    )
    command = [sys.executable, "-c", f"{press} cli.cli(['show', 'no-number'])"]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, preexec_fn=_hear_ctrl_c, timeout=60)
    assert ended.stderr == ""
    assert ended.returncode == commands.INTERRUPTED


def test_a_terminal_without_the_signs_gets_escapes(server: Server) -> None:
    with cold(server, ["compare", "1"], stdout=subprocess.PIPE) as one:
        assert one.stdout is not None
        assert r"Mean \xb1 sample deviation" in one.stdout.read()
        assert one.wait(60) == OK


def test_what_may_not_have_been_meant_is_said_at_the_start(tmp_path: Path) -> None:
    variables = {"RUNYARD_HOME": str(tmp_path), "RUNYARD_PROT": "9000", "RUNYARD_DATASETS": str(tmp_path / "no")}
    environment = {**os.environ, **variables, "RUNYARD_PRELOAD": "0"}
    command = [sys.executable, "-m", "app.cli", "serve", "--port", "0"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, **pipes) as one:  # type: ignore[call-overload]
        address = one.stdout.readline().split()[-1]
        link = template().run(["token", "new", "me"], environment).stdout.splitlines()[-1]
        one.send_signal(signal.SIGINT)
        said = one.stderr.read()
    assert "RUNYARD_PROT is no setting and has no effect: do you mean RUNYARD_PORT?" in said
    assert f"RUNYARD_DATASETS is {tmp_path / 'no'}: there is no such directory" in said
    assert link.startswith(f"{address}/login?code="), "the port of the server that runs"
