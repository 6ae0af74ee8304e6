"""The project speaks of itself only, keeps no path or address of a machine, and uses its words as the glossary says."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

# Each pattern is written so that it does not match itself.
MACHINE_PATHS = re.compile(r"(?<![\w.])/(?:w[o]rk|r[o]ot|h[o]me/(?!you/)[a-z]+|Us[e]rs)/")
REGISTRIES = re.compile(
    r"py[p]i\.org|python[h]osted\.org|npm[j]s\.(?:org|com)|yarn[p]kg\.com|crates[.]io|golang[.]org/dl|(?:proxy|sum)[.]golang"
    r"|deb[.]debian\.org|maven[.]org|maven[.]apache"
)
STRANGERS = re.compile(r"(?i)\b(?:cl[a]ude|anthr[o]pic|chat[g]pt|open[a]i|co[p]ilot)\b")
LEFTOVERS = re.compile(r"\b(?:TO[D]O|FIX[M]E|X[X]X)\b")
OTHER_WORDS = {
    "checkpoint": re.compile(r"(?i)signed[ -]tree[ -]head|\bS[T]H\b"),
    "cosignature": re.compile(r"(?i)\bco-sig[n]"),
    "acceptance policy": re.compile(r"(?i)trust[ -]pol[i]cy"),
}
GLOSSARY = "docs/reference/glossary.md"


def _texts(tracked: list[Path]) -> Iterator[tuple[Path, str]]:
    for file in tracked:
        data = file.read_bytes()
        if b"\0" not in data[:8192]:
            yield file, data.decode(errors="replace")


def found(pattern: re.Pattern[str], texts: Iterator[tuple[Path, str]]) -> list[str]:
    return [
        f"{file}:{text.count(chr(10), 0, match.start()) + 1}: {match[0]}"
        for file, text in texts
        for match in pattern.finditer(text)
    ]


@pytest.mark.parametrize("pattern", [MACHINE_PATHS, REGISTRIES, STRANGERS, LEFTOVERS])
def test_no_file_names_a_machine_a_registry_or_somebody_else(tracked: list[Path], pattern: re.Pattern[str]) -> None:
    assert found(pattern, _texts(tracked)) == []


@pytest.mark.parametrize("word", OTHER_WORDS)
def test_one_thing_has_one_word(tracked: list[Path], root: Path, word: str) -> None:
    ours = (pair for pair in _texts(tracked) if pair[0] != root / GLOSSARY and pair[0].name != "LICENSE")
    assert found(OTHER_WORDS[word], ours) == []


ALONE = re.compile(r"(?i)(?<![\w-])(?:verified|trusted|secure)(?![\w-])")


def test_pages_never_say_verified_trusted_or_secure_on_their_own(root: Path) -> None:
    templates = ((file, re.sub(r"(?s)\{[#%{].*?[#%}]\}|<[^>]*>", "", file.read_text())) for file in _templates(root))
    assert found(ALONE, templates) == []


def test_the_program_never_says_them_either(root: Path) -> None:
    assert found(ALONE, iter((file, "\n".join(sayings(file))) for file in _speaking(root))) == []


def test_documents_only_quote_them(root: Path, tracked: list[Path]) -> None:
    pages = (
        (file, re.sub(r'"(?:verified|trusted|secure)"', "", text))
        for file, text in _texts(tracked)
        if file.suffix == ".md" and file.name != "LICENSE"
    )
    assert found(ALONE, pages) == []


def sayings(file: Path) -> Iterator[str]:
    """Yield the texts of a module that people may read: every string, and its own docstring, but no other docstring."""
    tree = ast.parse(file.read_text())
    kept = {id(node.body[0].value) for node in ast.walk(tree) if _has_docstring(node)}  # type: ignore[attr-defined]
    yield ast.get_docstring(tree) or ""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in kept:
            yield node.value


def _has_docstring(node: ast.AST) -> bool:
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    return isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None


def _speaking(root: Path) -> list[Path]:
    """Return the modules whose module docstrings or strings reach a terminal or a page."""
    return [file for file in (root / "src/pellucid").rglob("*.py") if not {"statement", "tlog"} & set(file.parts)]


def _templates(root: Path) -> list[Path]:
    return sorted((root / "src").rglob("*.html"))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (MACHINE_PATHS, "see /ro" + "ot/x"),
        (MACHINE_PATHS, "in /ho" + "me/ann/x"),
        (REGISTRIES, "from py" + "pi.org"),
        (STRANGERS, "by Co" + "pilot"),
        (LEFTOVERS, "# TO" + "DO later"),
        (OTHER_WORDS["checkpoint"], "the signed tree" + " head"),
        (OTHER_WORDS["cosignature"], "it co-" + "signs"),
        (ALONE, "The file is Verified."),
    ],
)
def test_what_must_not_be_said_is_found(pattern: re.Pattern[str], text: str) -> None:
    assert found(pattern, iter([(Path("page"), f"first\n{text}")])) != []
