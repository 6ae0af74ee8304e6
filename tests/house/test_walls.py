"""The walls of the house stand, and a hole in any of them is found."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def lint_imports(root: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache", "--config", root / "pyproject.toml"],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root / "src")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_import_goes_through_a_wall(root: Path) -> None:
    result = lint_imports(root)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("room", "hole", "wall"),
    [
        ("errors.py", "import pellucid.statement.digest", "No arrow runs back up"),
        ("release/predicate.py", "import pellucid.source.predicate", "No arrow runs back up"),
        ("record/predicate.py", "import django", "Only the site and the portals import Django"),
        ("trust/predicate.py", "import sqlite3", "touch no disk and no network"),
        ("statement/digest.py", "import socket", "touch no disk and no network"),
        ("tlog/merkle.py", "import pellucid.storage.objects", "touch no disk and no network"),
        ("release/predicate.py", "import pellucid.storage.objects", "storage is for the floors above"),
    ],
)
def test_a_hole_in_a_wall_is_found(root: Path, tmp_path: Path, room: str, hole: str, wall: str) -> None:
    shutil.copytree(root / "src/pellucid", tmp_path / "src/pellucid", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(root / "pyproject.toml", tmp_path)
    with (tmp_path / "src/pellucid" / room).open("a") as file:
        file.write(f"\n{hole}\n")
    result = lint_imports(tmp_path)
    assert result.returncode == 1, result.stdout
    broken = [line for line in result.stdout.splitlines() if "BROKEN" in line]
    assert any(wall in line for line in broken), result.stdout
