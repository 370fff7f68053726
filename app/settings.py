"""Every setting, its default and its help. Set one with the environment variable RUNYARD_<NAME>."""

import difflib
import os
import sys
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import platformdirs
from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

OWN_PATHS = (
    *("api", "compare", "data", "experiments", "favicon.ico", "healthz", "how-sure"),
    *("login", "logout", "models", "runs", "static", "system"),
)
"""What the paths of pages and calls begin with: none can be the path of a public address as well."""


class Settings(BaseSettings):
    """The settings of one server or worker; `RUNYARD_PORT=9000` sets `port`."""

    model_config = SettingsConfigDict(env_prefix="RUNYARD_", frozen=True, env_ignore_empty=True)

    home: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("runyard"),
        description="Directory that holds runyard.db, datasets/, prepared/, layers/, artifacts/ and logs/.",
    )
    datasets: Path | None = Field(
        default=None, description="Directory of the data sets in torchvision's layout, if not HOME/datasets."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on; beyond loopback a token is required.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port to listen on; 0 picks a free one.")
    public_url: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\-]+(:[0-9]{1,5})?(/[A-Za-z0-9_~\-][A-Za-z0-9._~\-]*)*/?$",
        description="Address at which browsers reach the server, such as https://runyard.example or "
        "https://host.example/runyard, when that is another than the one it listens on: its name is let in, and it "
        "stands in links. Beyond loopback a token is required.",
    )
    token_required: bool = Field(
        default=False, description="Ask everybody for a token, also on loopback, where this machine's user needs none."
    )
    cpu_slots: int = Field(
        default_factory=lambda: min(64, os.cpu_count() or 1),
        ge=0,
        le=64,
        description="Most runs at a time on the CPU, while the threads of all fit its cores, or the slots if these are "
        "more; 0: none; as many as it has cores by default.",
    )
    gpu_slots: int = Field(
        default=1, ge=0, le=64, description="Runs at a time on each GPU; 0: none, and auto then means the CPU."
    )
    nice: int = Field(
        default=10,
        ge=0,
        le=19,
        description="How far a run on the CPU stands back for the server and for other programs, as nice(1) has it; "
        "0: not at all.",
    )
    preload: bool = Field(
        default=sys.platform == "linux",
        description="Keep PyTorch imported in a process that forks each worker (Linux), so that runs begin at once; "
        "0 starts each worker cold.",
    )

    measure: bool = Field(
        default=True,
        description="Measure once, while nothing runs, how long a step of each preset takes here, so that New "
        "experiment can say how long it takes; 0: not.",
    )

    @field_validator("public_url")
    @classmethod
    def _is_no_path_of_ours(cls, given: str | None) -> str | None:
        first = urlsplit(given or "").path.split("/")[1:2]
        if first and first[0] in OWN_PATHS:
            raise ValueError(f"its path begins with /{first[0]}, as Runyard's own pages do: choose another")
        return given.rstrip("/") if given else None

    @cached_property
    def root(self) -> str:
        """The path of the public address, as `/runyard`; empty where the server has a host of its own."""
        return urlsplit(self.public_url or "").path

    @cached_property
    def datasets_dir(self) -> Path:
        return (self.datasets or self.home / "datasets").absolute()

    @cached_property
    def prepared_dir(self) -> Path:
        return self.home.absolute() / "prepared"

    @cached_property
    def layers_dir(self) -> Path:
        return self.home.absolute() / "layers"

    @cached_property
    def artifacts_dir(self) -> Path:
        return self.home.absolute() / "artifacts"

    @cached_property
    def logs_dir(self) -> Path:
        return self.home.absolute() / "logs"

    @cached_property
    def database(self) -> Path:
        return self.home.absolute() / "runyard.db"

    def source(self, name: str) -> str:
        """Where a setting's value came from: `default`, `environment` or `command line`."""
        if name not in self.model_fields_set:
            return "default"
        given = os.environ.get(f"RUNYARD_{name.upper()}")
        return (
            "environment" if given and str(getattr(type(self)(), name)) == str(getattr(self, name)) else "command line"
        )

    def environment(self) -> dict[str, str]:
        """The variables that give a child process these settings."""
        return {
            f"RUNYARD_{name.upper()}": str(value.absolute() if isinstance(value, Path) else value)
            for name, value in self
            if value is not None
        }


NOT_OF_A_SERVER = ("URL", "TOKEN", "DEBUG")
"""What else the command line reads: RUNYARD_URL, …; whatever begins with RUNYARD_TEST_ is for tests."""


def doubts(settings: Settings) -> list[str]:
    """What whoever starts a server may not have meant, a sentence each: misspelt variables, directories not there."""
    known = [f"RUNYARD_{name.upper()}" for name in (*Settings.model_fields, *NOT_OF_A_SERVER)]
    found = []
    for name in sorted(os.environ):
        if name.startswith("RUNYARD_") and name not in known and not name.startswith("RUNYARD_TEST_"):
            meant = difflib.get_close_matches(name, known, 1)
            found.append(f"{name} is no setting and has no effect{f': do you mean {meant[0]}?' if meant else ''}")
    if settings.datasets is not None and not settings.datasets.is_dir():
        found.append(
            f"RUNYARD_DATASETS is {settings.datasets}: there is no such directory; it is made by the first download"
        )
    return found


class SettingsError(Exception):
    """A setting is wrong; str() says which, and what it is."""


def read_settings(**given: Any) -> Settings:
    """The settings; what is given and not None wins over the environment. Raises SettingsError."""
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = "_".join(map(str, first["loc"])).upper()
        raise SettingsError(
            f"RUNYARD_{name} is {first['input']!r}: {first['msg'][0].lower()}{first['msg'][1:]}"
        ) from None
