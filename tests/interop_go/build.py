"""Others' Go code, built once per session into programs that judge what is written here."""

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
Oracle = Callable[..., Any]


class Refused(Exception):  # noqa: N818 - an answer, not a mistake
    """The judge said no, and why."""


def build(folder: Path, package: str) -> Path:
    """Build a package of the Go module beside this file in `folder`; skip the test where that cannot be done."""
    if shutil.which("go") is None:
        pytest.skip("no Go on this machine: the judges written in Go are not asked")
    source = folder / "source"
    shutil.copytree(HERE, source, ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    fetched = _go("mod", "download", directory=source)
    if fetched.returncode != 0:
        pytest.skip(f"Go modules cannot be fetched: {fetched.stderr.strip()[-300:]}")
    built = _go("build", "-o", str(folder / "judge"), package, directory=source)
    assert built.returncode == 0, built.stderr
    return folder / "judge"


def asking(program: Path, *, seconds: float = 60) -> Oracle:
    """Return a function that asks a subcommand and returns its answer, or raises Refused."""

    def ask(subcommand: str, **question: Any) -> Any:
        result = subprocess.run(
            [program, subcommand],
            input=json.dumps(question),
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
        )
        if result.returncode == 1:
            raise Refused(result.stderr.strip())
        assert result.returncode == 0, result.stderr
        return json.loads(result.stdout)

    return ask


def _go(*arguments: str, directory: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "GOFLAGS": "-mod=readonly -buildvcs=false", "GOWORK": "off"}
    return subprocess.run(
        ["go", *arguments], cwd=directory, env=environment, capture_output=True, text=True, check=False, timeout=280
    )
