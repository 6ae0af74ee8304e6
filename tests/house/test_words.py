"""The glossary, the pages and the code use the same words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

import pytest

from pellucid.statement.keys import Role
from pellucid.trust.predicate import PartyRole
from pellucid.trust.verdict import Answer

# Labels that say what everybody says.
PLAIN = {
    "about", "also", "by", "compared", "criteria", "expired", "expires", "file", "findings", "from", "hash", "holds",
    "git\N{RIGHT SINGLE QUOTATION MARK}s sha-1", "in", "last answer", "left out", "lines", "measured with", "name",
    "of", "on", "paid by", "region", "root", "scope", "seen here", "side", "signed", "since", "step", "to", "tolerates",
    "tree", "two", "what", "when",
}  # fmt: skip
_LABEL = re.compile(r"<(?:dt|th)\b[^>]*>(.*?)</(?:dt|th)>", re.DOTALL)
_MARKUP = re.compile(r"\{%.*?%\}|\{\{.*?\}\}|<[^>]*>", re.DOTALL)


def glossary(root: Path) -> dict[str, str]:
    """Return what the glossary says, by its words in lower case."""
    text = (root / "docs/reference/glossary.md").read_text()
    found = re.findall(r"^([A-Za-z][^\n]*)\n((?:  [^\n]*\n)+)", text, re.MULTILINE)
    return {word.lower(): said for word, said in found}


def labels(template: str) -> Iterator[str]:
    """Yield the words in which a template names the columns of tables and the rows of lists."""
    for found in _LABEL.findall(template):
        for part in re.split(r"\{%\s*(?:else|elif).*?%\}", found):
            words = " ".join(_MARKUP.sub(" ", part).split()).lower()
            if words:
                yield words


def unexplained(labels: Iterator[str], known: set[str]) -> list[str]:
    """Return what is left of labels without plain and known words, and these in the plural."""
    words = sorted(known | PLAIN, key=len, reverse=True)
    said = re.compile(rf"\b(?:{'|'.join(re.escape(word.removesuffix('y')) for word in words)})(?:y|ies|s|es)?(?!\w)")
    return sorted({left for label in labels if (left := " ".join(said.sub(" ", label).split()))})


def test_every_label_of_a_page_is_plain_or_in_the_glossary(root: Path) -> None:
    templates = [file.read_text() for file in (root / "src").rglob("*.html")]
    assert unexplained((word for text in templates for word in labels(text)), set(glossary(root))) == []


@pytest.mark.parametrize("role", PartyRole)
def test_every_role_of_a_party_is_in_the_glossary(root: Path, role: PartyRole) -> None:
    assert role.value in glossary(root)


@pytest.mark.parametrize(("word", "values"), [("key", Role), ("verdict", Answer)])
def test_every_value_is_named_where_the_glossary_tells_its_word(root: Path, word: str, values: type[StrEnum]) -> None:
    assert [value for value in values if value not in glossary(root)[word]] == []


def test_every_word_of_the_glossary_is_used(root: Path, tracked: list[Path]) -> None:
    used = "\n".join(
        file.read_text().lower()
        for file in tracked
        if file.suffix in {".md", ".html", ".py"} and file.name not in {"glossary.md", "test_docs.py", "test_words.py"}
    )
    assert [word for word in glossary(root) if not re.search(rf"\b{re.escape(word)}", used)] == []


def test_what_the_glossary_lacks_is_found(root: Path) -> None:
    known = set(glossary(root))
    page = "<dt>Logged time</dt><dt>{% if x %}Expired{% else %}Blessed{% endif %}</dt><th scope=col>Receipts</th>"
    assert list(labels(page)) == ["logged time", "expired", "blessed", "receipts"]
    assert unexplained(labels(page), known) == ["blessed"]
