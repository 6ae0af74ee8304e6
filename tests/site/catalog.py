"""What the pages say, found in their source, and the files that hold it in other languages.

A message is known by its context, its singular and its plural. In Python it stands in a call of Django's functions,
of `counted` or of `terms`; in a template in `translate`, `blocktranslate`, `_("…")`, or as the noun of `counted`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import NamedTuple

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

PACKAGE = Path(__file__).parents[2] / "src" / "pellucid"
LOCALES = PACKAGE / "site" / "locale"
ROOMS = ("site", "release/portal")  # whose pages are translated
ENGLISH = re.compile(
    r"site/(?:accounts|templates/(?:account|allauth|mfa|socialaccount|usersessions))/|site/templates/private\.html"
)
PLACES = re.compile(r"\{[a-z_]+\}|%\([a-z_]+\)s|</?[a-z]+[^>]*>")
_COUNTED = re.compile(r"""\|counted:(?:"([^"]+)"|'([^']+)')""")
_KEYWORDS = {"gettext": None, "_": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3)}
_ONE = {"gettext", "gettext_noop", "gettext_lazy"}


class Message(NamedTuple):
    """One thing that is said; `plural` is None where there is only one form."""

    context: str | None
    one: str
    plural: str | None = None

    @property
    def id(self) -> str | tuple[str, str]:
        return self.one if self.plural is None else (self.one, self.plural)


@dataclass(frozen=True)
class Found:
    """A message and the file that says it."""

    message: Message
    file: str


def files(kind: str) -> list[Path]:
    """Return the sources of translated pages with this ending, in order."""
    every = (path for room in ROOMS for path in (PACKAGE / room).rglob(f"*{kind}"))
    return sorted(path for path in every if not ENGLISH.search(path.relative_to(PACKAGE).as_posix()))


@cache
def said() -> tuple[Found, ...]:
    """Return every message of the translated pages, ordered by file."""
    found: list[Found] = []
    for kind, read in ((".py", python_messages), (".html", template_messages)):
        for path in files(kind):
            name = path.relative_to(PACKAGE).as_posix()
            found += [Found(message, name) for message in read(path.read_text())]
    return tuple(found)


def python_messages(source: str) -> Iterator[Message]:
    """Yield the messages of a module."""
    tree = ast.parse(source)
    called = {"_": "gettext"}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module == "django.utils.translation":
            called |= {alias.asname or alias.name: alias.name for alias in node.names}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            yield from _of_call(called.get(node.func.id, node.func.id), node)


def template_messages(source: str) -> Iterator[Message]:
    """Yield the messages of a template."""
    code = "\n".join(line.strip() for line in templatize(source).splitlines())
    for _line, function, words, _comments in extract_python(
        BytesIO(code.encode()), _KEYWORDS, (), {"encoding": "utf-8"}
    ):
        values = [words] if isinstance(words, str) else list(words)
        if function in {"gettext", "_"}:
            yield Message(None, values[0])
        elif function == "ngettext":
            yield Message(None, values[0], values[1])
        elif function == "pgettext":
            yield Message(values[0], values[1])
        elif function == "npgettext":
            yield Message(values[0], values[1], values[2])
    for match in _COUNTED.finditer(source):
        yield counted(*(match[1] or match[2]).split("|"))


def counted(one: str, many: str | None = None) -> Message:
    """Return the message of `counted`."""
    if "{n}" in one:
        return Message(None, one, many or one)
    return Message(None, "{n} " + one, "{n} " + (many or one + "s"))


def _of_call(function: str, call: ast.Call) -> Iterator[Message]:
    words = [arg.value if isinstance(arg, ast.Constant) and isinstance(arg.value, str) else None for arg in call.args]
    if function in _ONE and words[:1] != [None]:
        yield Message(None, str(words[0]))
    elif function == "ngettext" and None not in words[:2]:
        yield Message(None, str(words[0]), str(words[1]))
    elif function == "pgettext" and None not in words:
        yield Message(words[0], str(words[1]))
    elif function == "counted" and words[1:] and words[1] is not None:
        yield counted(words[1], words[2] if words[2:] else None)
    elif function == "terms":
        yield from (Message("term", str(word)) for word in words)


class Bare(Catalog):
    """A catalogue whose header names no person, program or time: equal messages make equal bytes."""

    @property
    def mime_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale)),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Plural-Forms", self.plural_forms),
        ]


def catalog(language: str, messages: Iterable[Found], known: Catalog | None = None) -> Bare:
    """Return a catalogue of `messages`, translated as in `known`."""
    bare = Bare(
        locale=language,
        fuzzy=False,
        header_comment="# What the public pages say.",
    )
    for found in messages:
        nothing = "" if found.message.plural is None else ("", "")
        bare.add(found.message.id, nothing, locations=[(found.file, 1)], context=found.message.context)
    for entry in bare:
        old = known.get(entry.id, entry.context) if known is not None and entry.id else None
        if old is not None:
            entry.string = old.string
    return bare


def read(language: str) -> Catalog:
    """Return the catalogue as it is kept."""
    with po(language).open("rb") as file:
        return read_po(file, locale=language)


def write(language: str, bare: Bare) -> None:
    """Keep a catalogue: the text for people, and what Django reads."""
    with po(language).open("wb") as file:
        write_po(file, bare, width=120, sort_output=True, include_lineno=False)
    po(language).with_suffix(".mo").write_bytes(compiled(bare))


def compiled(bare: Catalog) -> bytes:
    """Return a catalogue as Django reads it."""
    data = BytesIO()
    write_mo(data, bare)
    return data.getvalue()


def po(language: str) -> Path:
    """Return where a language is kept."""
    return LOCALES / language / "LC_MESSAGES" / "django.po"


def strings(entry: object) -> tuple[str, ...]:
    """Return the translated forms of a catalogue's entry."""
    value = entry.string  # type: ignore[attr-defined] # Babel's Message
    return (value,) if isinstance(value, str) else tuple(value)
