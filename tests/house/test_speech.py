"""The project speaks of itself only, keeps no path or address of a machine, and uses its words as the glossary says."""

from __future__ import annotations

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


def test_pages_never_say_verified_trusted_or_secure_on_their_own(root: Path) -> None:
    templates = ((file, re.sub(r"(?s)\{[#%{].*?[#%}]\}|<[^>]*>", "", file.read_text())) for file in _templates(root))
    assert found(re.compile(r"(?i)\b(?:verified|trusted|secure)\b"), templates) == []


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
    ],
)
def test_what_must_not_be_said_is_found(pattern: re.Pattern[str], text: str) -> None:
    assert found(pattern, iter([(Path("page"), f"first\n{text}")])) != []
