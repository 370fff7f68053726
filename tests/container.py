"""python -m tests.container ROOT: run the Dockerfile's steps in a fresh Debian root, where there is no Docker.

ROOT is made with debootstrap and stands for python:3.11-slim (bookworm's own Python is 3.11): every RUN, COPY, ENV,
WORKDIR and USER is carried out in it with chroot, then the health check and the command. Needs root, 8 GB and minutes;
not part of the test suite. What it can't show: the base image itself, layers, the GPU, Docker's own networking.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).parents[1]
PACKAGES = "python3,python3-venv,ca-certificates"


def steps() -> list[tuple[str, str]]:
    """Instruction and argument, continued lines joined."""
    text = re.sub(r"^#.*\n", "", (SOURCE / "Dockerfile").read_text(), flags=re.M)
    lines = [line for line in text.replace("\\\n", " ").splitlines() if line.strip()]
    return [(line.split(None, 1)[0], line.split(None, 1)[1].strip()) for line in lines]


class Container:
    """One root directory and what ENV, WORKDIR and USER have set."""

    def __init__(self, root: Path) -> None:
        self.root, self.directory, self.user = root, "/", "0:0"
        self.environment = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
        self.command: list[str] = []
        self.check: list[str] = []

    def do(self, instruction: str, argument: str) -> None:
        print(f"{instruction} {argument}", flush=True)
        if instruction == "RUN":
            subprocess.run(self.chroot(["sh", "-c", f"cd {self.directory} && {argument}"]), check=True, env=self.env())
        elif instruction == "COPY" and not argument.startswith("--from"):  # both stages are this one root
            *sources, target = argument.split()
            for source in sources:
                self.copy(SOURCE / source, self.root / (self.directory + "/" + target).lstrip("/"))
        elif instruction == "WORKDIR":
            self.directory = argument
            (self.root / argument.lstrip("/")).mkdir(parents=True, exist_ok=True)
        elif instruction == "ENV":
            for name, value in (part.split("=", 1) for part in shlex.split(argument)):
                self.environment[name] = value.replace("$PATH", self.environment["PATH"])
        elif instruction == "USER":
            self.user = argument
        elif instruction == "HEALTHCHECK":
            self.check = json.loads(argument[argument.index("[") :])
        elif instruction == "CMD":
            self.command = json.loads(argument)

    def copy(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target / source.name if target.is_dir() else target)

    def chroot(self, command: list[str]) -> list[str]:
        return ["chroot", f"--userspec={self.user}", str(self.root), *command]

    def env(self) -> dict[str, str]:
        passed = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
        return {**passed, **self.environment}


def main(root: Path) -> int:
    if not (root / "usr").exists():
        subprocess.run(["debootstrap", "--variant=minbase", f"--include={PACKAGES}", "bookworm", root], check=True)
    # this machine's own way to the network
    for name in ("etc/resolv.conf", "etc/hosts", "etc/pip.conf", "etc/ssl/certs/ca-certificates.crt"):
        if Path("/", name).exists():
            shutil.copy(Path("/", name), root / name)
    for name in ("proc", "dev"):
        if not os.path.ismount(root / name):
            subprocess.run(["mount", "--rbind", f"/{name}", root / name], check=True)
    container = Container(root)
    try:
        for instruction, argument in steps():
            container.do(instruction, argument)
        return serve(container)
    finally:
        for name in ("dev", "proc"):
            subprocess.run(["umount", "--recursive", "--lazy", root / name], check=True)


def serve(container: Container) -> int:
    """Start the command, await health, and see that it asks for a token; 0 when all that holds."""
    started = ["sh", "-c", f"cd {container.directory} && exec {shlex.join(container.command)}"]
    server = subprocess.Popen(container.chroot(started), env=container.env())
    try:
        for _ in range(60):
            checked = subprocess.run(container.chroot(container.check), env=container.env(), stderr=subprocess.DEVNULL)
            if checked.returncode == 0 or server.poll() is not None:
                break
            time.sleep(1)
        print(f"health check: exit code {checked.returncode}", flush=True)
        asked = (
            "import urllib.request as u, urllib.error as e\n"
            "try: u.urlopen('http://127.0.0.1:8000/api/v1/runs')\n"
            "except e.HTTPError as error: print('without a token:', error.code, flush=True)"
        )
        subprocess.run(container.chroot(["python3", "-c", asked]), env=container.env(), check=True)
        subprocess.run(container.chroot(["python3", "-c", "import os; print('user', os.getuid())"]), check=True)
        return checked.returncode
    finally:
        server.terminate()
        print(f"server ended with exit code {server.wait(15)}", flush=True)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).absolute()))
