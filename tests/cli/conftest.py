"""Homes to work on, and the program as a person runs it."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pellucid.cli import main
from pellucid.statement import keys


@dataclass(frozen=True)
class Ran:
    """What a run of the program gave."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON document on stdout."""
        return json.loads(self.out)


Run = Callable[..., Ran]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line in this process; `home` is where `--home` leads unless it is given."""
    monkeypatch.chdir(tmp_path)
    for name in ("PELLUCID_PASSPHRASE_FILE", "CREDENTIALS_DIRECTORY", "PELLUCID_DEBUG"):
        monkeypatch.delenv(name, raising=False)

    def run_it(*words: str | Path) -> Ran:
        capsys.readouterr()
        code = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run_it


@pytest.fixture
def shell(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the program in a process of its own."""

    def run_it(*words: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "pellucid.cli", *map(str, words)]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, stdin=subprocess.DEVNULL, check=False, **options
        )

    return run_it


@pytest.fixture(scope="session", autouse=True)
def cheap_keys() -> Iterator[None]:
    """Seal new keys with the least work that is allowed: opening them many times is not what is tested here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keys, "_SCRYPT_N", 1024)
        yield


@pytest.fixture(scope="session")
def made_homes(tmp_path_factory: pytest.TempPathFactory, cheap_keys: None) -> Path:
    """A vendor's and a center's home, made once."""
    folder = tmp_path_factory.mktemp("homes")
    vendor = (
        "--role",
        "vendor",
        "--name",
        "log.vendor.example/1",
        "--region",
        "europe",
        "--operator",
        "Example Vendor",
    )
    asia = ("--role", "center", "--name", "log.asia.example/1", "--region", "asia", "--operator", "Center Asia")
    for name, words in (("vendor", vendor), ("asia", asia)):
        assert main(["--home", str(folder / name), "init", *words]) == 0
    return folder


@pytest.fixture
def home(made_homes: Path, tmp_path: Path) -> Path:
    """The home of a vendor's node."""
    return shutil.copytree(made_homes / "vendor", tmp_path / "vendor")


@pytest.fixture
def center(made_homes: Path, tmp_path: Path) -> Path:
    """The home of a center's node."""
    return shutil.copytree(made_homes / "asia", tmp_path / "asia")
