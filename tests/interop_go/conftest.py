"""Others' Go code, built once, as a judge of what is written here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent


class Refused(Exception):  # noqa: N818
    """The judge said no, and why."""


Oracle = Callable[..., Any]


def _go(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    return subprocess.run(
        ["go", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=240
    )


@pytest.fixture(scope="session")
def oracle_program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("go") is None:
        pytest.skip("no Go on this machine: golang.org/x/mod and transparency-dev/formats are not asked")
    source = tmp_path_factory.mktemp("oracle")
    for path in (*HERE.glob("*.go"), HERE / "go.mod", HERE / "go.sum"):
        shutil.copy(path, source)
    fetched = _go("mod", "download", directory=source)
    if fetched.returncode != 0:
        pytest.skip(f"Go modules cannot be fetched: {fetched.stderr.strip()[-300:]}")
    built = _go("build", "-o", "oracle", ".", directory=source)
    assert built.returncode == 0, built.stderr
    return source / "oracle"


@pytest.fixture(scope="session")
def oracle(oracle_program: Path) -> Oracle:
    """Return a function that asks a subcommand and returns its answer, or raises Refused."""

    def ask(subcommand: str, **question: Any) -> Any:
        result = subprocess.run(
            [oracle_program, subcommand],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
        if result.returncode == 1:
            raise Refused(result.stderr.strip())
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return ask


@pytest.fixture(scope="session")
def refused() -> type[Exception]:
    return Refused
