"""What somebody reads of a page or hears of it: its texts and the attributes that are spoken, each with its place."""

from __future__ import annotations

import re
from html.parser import HTMLParser

SPOKEN = {"aria-label", "title", "placeholder", "alt", "aria-description"}
SILENT = {"script", "style", "code", "pre"}  # codes and commands are the same in every language
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, bool]] = []
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        hidden = tag in SILENT or given.get("translate") == "no" or (tag != "html" and "lang" in given)
        quiet = hidden or bool(self.open and self.open[-1][1])
        if not quiet:
            self.texts += [value for name, value in attrs if value and _is_spoken(name, value)]
            if tag == "meta" and given.get("name") == "description":
                self.texts += [text for text in [given.get("content") or ""] if text.strip()]
        if tag not in VOID:
            self.open.append((tag, quiet))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        for place in range(len(self.open) - 1, -1, -1):
            if self.open[place][0] == tag:
                del self.open[place:]
                return

    def handle_data(self, data: str) -> None:
        if data.strip() and not (self.open and self.open[-1][1]):
            self.texts.append(" ".join(data.split()))


def texts(page: str) -> list[str]:
    """Return the texts of a page, but those in another language than the page, and codes."""
    reader = _Reader()
    reader.feed(page)
    return reader.texts


def _is_spoken(name: str, value: str) -> bool:
    """Say whether an attribute is for people: scripts and styles show what stands in `data-` attributes."""
    words = value.strip()
    return bool(words) and (name in SPOKEN or (name.startswith("data-") and (" " in words or words[0].isupper())))


# What Django's template language says itself, taken out so that only the words of the template are left.
_MARKED = re.compile(r"(?s)\{% *(?:blocktrans(?:late)?)\b.*?\{% *endblocktrans(?:late)? *%\}")
_COMMENT = re.compile(r"(?s)\{% *comment\b.*?\{% *endcomment *%\}|\{#.*?#\}")
_TOKEN = re.compile(r"(?s)\{%.*?%\}|\{\{.*?\}\}")
_LITERAL = re.compile(r"""\b(?!with\b)[a-z_]+=(?:"([^"]*)"|'([^']*)')|\|default:(?:"([^"]*)"|'([^']*)')""")
_WORDS = re.compile(r"[^\W\d_]{2,}")
NAMES = frozenset({"pellucid", "Pellucid", "Linux", "macOS", "Windows", "SHA", "JSON", "SWHID", "UTC", "TOTP", "Atom"})


def unmarked(template: str) -> list[str]:
    """Return the words of a template that are marked for no translation."""
    bare = _COMMENT.sub("", _MARKED.sub("", template))
    words = [
        literal
        for token in _TOKEN.findall(bare)
        if not re.match(r"\{% *(?:url|load|extends|static|icon)\b", token)
        for match in _LITERAL.finditer(token)
        for literal in match.groups()
        if literal and (" " in literal or literal[0].isupper())
    ]
    plain = _TOKEN.sub(lambda found: "\n" * found[0].count("\n"), bare)
    return [text for text in (*words, *texts(plain)) if not text.startswith("/") and set(_WORDS.findall(text)) - NAMES]
