"""What is installed is pinned, hashed, the same in every set, and names no index."""

from __future__ import annotations

import ast
import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

SETS = ("build", "light", "node", "demo", "test", "dev", "bench")
LIGHT = {"cffi", "cryptography", "msgspec", "pycparser", "rfc8785", "tomlkit", "tqdm", "colorama"}


def entries(text: str) -> list[str]:
    """Return the requirements of a lock file, each on one line with its hashes."""
    return text.replace("\\\n", " ").splitlines()


def problems(text: str) -> list[str]:
    """Return what is wrong with a lock file, line by line."""
    pinned = re.compile(
        r"[a-z0-9-]+==[0-9][0-9a-z.+!]*(?: ; [a-z_0-9 '\".=<>!()-]+?)?(?:\s+--hash=sha256:[0-9a-f]{64})+\s*",
        re.IGNORECASE,
    )
    return [entry for entry in entries(text) if pinned.fullmatch(entry) is None]


def versions(root: Path, name: str) -> dict[str, str]:
    text = (root / "requirements" / f"{name}.txt").read_text()
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", text, re.MULTILINE))


@pytest.mark.parametrize("name", SETS)
def test_every_entry_is_pinned_and_hashed_and_nothing_else_stands_there(root: Path, name: str) -> None:
    assert problems((root / "requirements" / f"{name}.txt").read_text()) == []


def test_the_sets_agree_on_every_version(root: Path) -> None:
    chosen: dict[str, set[str]] = {}
    for name in SETS:
        for package, version in versions(root, name).items():
            chosen.setdefault(package, set()).add(version)
    assert {package for package, found in chosen.items() if len(found) > 1} == set()


def test_the_verifier_brings_few_packages(root: Path) -> None:
    assert set(versions(root, "light")) <= LIGHT


def test_each_set_holds_what_the_smaller_ones_hold(root: Path) -> None:
    sets = [set(versions(root, name)) for name in ("light", "node", "demo", "test", "dev")]
    assert all(smaller <= larger for smaller, larger in pairwise(sets))


def imported(root: Path) -> set[str]:
    """Return the first names of all modules that the program imports, at the top or inside functions."""
    names: set[str] = set()
    for file in (root / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names.add(node.module.partition(".")[0])
    return names


def test_nothing_is_demanded_that_nothing_uses(root: Path) -> None:
    demanded = tomllib.loads((root / "pyproject.toml").read_text())["project"]["dependencies"]
    names = {re.split(r"[<>=~! ;\[]", demand)[0] for demand in demanded}
    assert names - imported(root) == set()


@pytest.mark.parametrize(
    "text",
    [
        "left==1.0\n",
        f"left>=1.0 --hash=sha256:{'0' * 64}\n",
        f"--index-url https://example.org/simple\nleft==1.0 --hash=sha256:{'0' * 64}\n",
        f"left==1.0 --hash=md5:{'0' * 32}\n",
        "left @ https://example.org/left.whl\n",
        "# made by something\n",
    ],
)
def test_what_has_no_place_in_a_lock_is_found(text: str) -> None:
    assert problems(text) != []
