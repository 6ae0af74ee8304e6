"""Every word of the public pages can be said in another language, and is said in German.

`PELLUCID_WRITE_MESSAGES=1 pytest tests/site/test_translations.py` takes new messages into the catalogues, drops those
that nothing says any more, and compiles. What is new is then still to be translated, by hand, in the `.po` file.
"""

from __future__ import annotations

import gettext
import os
import re
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path

import pytest
from django.test import Client
from django.utils.translation import trans_real
from tests.site import catalog
from tests.site.sample import Sample
from tests.site.sample_world import CENTER, LOG, MALLORY, PAUL, RITA, TREE_1, VENDOR, digest
from tests.site.visible import texts, unmarked

LANGUAGES = ["de"]
Serve = Callable[[Sample], Client]
WORDS = re.compile(r"[^\W\d_]{2,}")
# What is no sentence in any language: names of ours and of others, units, algorithms, and what stands for a digest.
NEUTRAL = re.compile(
    r"\b(?:[Pp]ellucid|Linux|macOS|Windows|SHA-256|SHA-1|SWHID|JSON|UTC|RFC|KiB|MiB|GiB|min|YAML|HTML|CSV)\b|[0-9a-f]{4,}…?[0-9a-f]*|§[\d.]+"
)
MONTH = r"(?:Jan|Feb|März|Apr|Mai|Juni|Juli|Aug|Sep|Okt|Nov|Dez)\.?"
TIME = re.compile(rf"\d+\. {MONTH} \d{{4}}")


def pages(world: Sample) -> list[str]:
    """Return an address of each public page, and of each sort of what it can show."""
    file = digest("file", "4.2.0", 0)
    return [
        "/",
        "/products",
        "/products?q=agent",
        "/products?q=qqq",
        "/products/Example%20Agent",
        "/products/Example%20Scanner",
        "/log",
        "/log?before=29",
        "/log?before=0",
        f"/logs/{LOG}/proof?index=5",
        f"/logs/{LOG}/proof?old=5&size=9",
        f"/logs/{LOG}/proof?index=5&size=4000",
        *(f"/logs/{LOG}/entries/{index}" for index in (0, 3, 4, 7, 8, 14, 18)),
        *(f"/releases/{record.id}" for record in world.marks.values()),
        "/nodes",
        *(f"/parties/{key}" for key in (RITA, PAUL, MALLORY, VENDOR, CENTER)),
        f"/digest/{file}",
        f"/digest/{TREE_1}",
        f"/digest/{'ab' * 32}",
        f"/digest/{world.marks['debt'].id}",
        "/search",
        "/search?q=agent",
        f"/search?q={file[:10]}",
        "/search?q=zzz",
        "/check",
        "/reviews",
        "/open",
        "/design",
        "/no/such/page",
    ]


# --- the catalogues


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_holds_what_the_pages_say_and_nothing_else(language: str) -> None:
    said = catalog.catalog(language, catalog.said(), catalog.read(language) if catalog.po(language).exists() else None)
    if os.environ.get("PELLUCID_WRITE_MESSAGES"):
        catalog.write(language, said)
    kept = catalog.read(language)
    wanted, found = ({(entry.id, entry.context) for entry in book if entry.id} for book in (said, kept))
    assert wanted - found == set(), (
        "said on a page, not in the catalogue: docs/howto/translate.md says how it gets there"
    )
    assert found - wanted == set(), "in the catalogue, said on no page"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_message_is_translated_with_the_same_places(language: str) -> None:
    wrong = {}
    for entry in catalog.read(language):
        said = entry.id if isinstance(entry.id, str) else tuple(entry.id)
        if said and (problem := fault(said, catalog.strings(entry))):
            wrong[said] = problem
        assert not entry.fuzzy, entry.id
    assert wrong == {}


def fault(said: str | tuple[str, ...], translated: tuple[str, ...]) -> str | None:
    """Return what is wrong with a translation."""
    forms = (said,) if isinstance(said, str) else tuple(said)
    if len(forms) != len(translated) or not all(translated):
        return "not translated"
    for one, other in zip(forms, translated, strict=True):
        places = [set(catalog.PLACES.findall(text)) for text in (one, other)]
        if places[0] != places[1]:
            return f"places differ: {places[0] ^ places[1]}"
        if one[-1] in ".?!" and other[-1] not in ".?!":
            return "ends otherwise"
    return None


@pytest.mark.parametrize(
    ("said", "translated"),
    [
        ("{who} left", ("ist gegangen",)),
        ("{who} left", ("",)),
        (("{n} file", "{n} files"), ("{n} Datei",)),
        ('<a href="/x">%(name)s</a>', ("%(name)s",)),
        ("%(name)s", ("%(nom)s",)),
        ("Done.", ("Fertig",)),
    ],
)
def test_a_bad_translation_is_found(said: str | tuple[str, ...], translated: tuple[str, ...]) -> None:
    assert fault(said, translated)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_django_reads_is_made_of_what_people_write(language: str) -> None:
    bare = catalog.catalog(language, catalog.said(), catalog.read(language))
    assert catalog.po(language).with_suffix(".mo").read_bytes() == catalog.compiled(bare)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_names_no_person_program_or_time(language: str) -> None:
    head = catalog.po(language).read_text().split("\n\n")[0]
    assert "@" not in head
    assert not re.search(r"\d{4}-\d\d|Date|Translator|Generated|Team|fuzzy", head)


def test_messages_are_found_where_they_are_said() -> None:
    source = (
        "from django.utils.translation import gettext as _, gettext_noop as noop, pgettext, ngettext\n"
        "A = noop('kept')\nB = _('a {n}')\nC = pgettext('where', 'bank')\nD = counted(3, 'file')\n"
        "E = counted(3, '{n} line read', '{n} lines read')\nF = terms('log', 'node')\nG = ngettext('a', 'b', 2)\n"
        "H = _(A)\n"
    )
    assert set(catalog.python_messages(source)) == {
        catalog.Message(None, "kept"),
        catalog.Message(None, "a {n}"),
        catalog.Message("where", "bank"),
        catalog.Message(None, "{n} file", "{n} files"),
        catalog.Message(None, "{n} line read", "{n} lines read"),
        catalog.Message("term", "log"),
        catalog.Message("term", "node"),
        catalog.Message(None, "a", "b"),
    }
    template = (
        '{% translate "One" %}<p title="{{ x|default:_("Two") }}">{{ n|counted:"entry|entries" }}</p>\n'
        "{% blocktranslate trimmed count n=x %}\n  {{ n }} thing\n{% plural %}\n  {{ n }} things\n"
        "{% endblocktranslate %}"
        '{% when x none=_("never") %}{% translate "bank" context "where" %}'
    )
    assert set(catalog.template_messages(template)) == {
        catalog.Message(None, "One"),
        catalog.Message(None, "Two"),
        catalog.Message(None, "never"),
        catalog.Message(None, "{n} entry", "{n} entries"),
        catalog.Message(None, "%(n)s thing", "%(n)s things"),
        catalog.Message("where", "bank"),
    }


# --- the templates


@pytest.mark.parametrize("template", sorted(catalog.PACKAGE.rglob("*.html")), ids=lambda path: path.name)
def test_no_template_says_what_cannot_be_translated(template: Path) -> None:
    assert unmarked(template.read_text()) == []


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ('<a title="Go there">{% translate "x" %}</a>', ["Go there"]),
        ('{% when x none="not yet" %}', ["not yet"]),
        ("<p>{{ n }} of {{ m }}</p>", ["of"]),
        ('{% translate "Hello" %} <code>pellucid verify</code> {% trans "x" %}{# a word #}', []),
        ("{% blocktranslate %}Hello {{ you }}{% endblocktranslate %}<b>{{ x }}</b> · SHA-256", []),
    ],
)
def test_unmarked_words_are_found(template: str, words: list[str]) -> None:
    assert unmarked(template) == words


SAID_IN_SCRIPT = re.compile(r"""(["'`])((?:\$\{|[A-Z])[^"'`\n]* [^"'`\n]*)\1""")
SCRIPTS = sorted((catalog.PACKAGE / "site" / "static" / "site").glob("*.js"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_no_script_has_words_of_its_own(script: Path) -> None:
    drawings = re.compile(r"M[\d. a-zA-Z-]+|\$\{.*?\}")
    found = [match[2] for match in SAID_IN_SCRIPT.finditer(script.read_text())]
    assert [text for text in found if WORDS.search(drawings.sub("", text))] == []


def test_words_in_a_script_are_found() -> None:
    assert [match[2] for match in SAID_IN_SCRIPT.finditer('rest("Stopped it."); x = "a-b"; y = `Reading ${name}`')] == [
        "Stopped it.",
        "Reading ${name}",
    ]


# --- the pages


class Brackets(gettext.GNUTranslations):
    """A language in which each message is itself in brackets: what stands outside of them is no message."""

    def language(self) -> str:
        return "de"

    def to_language(self) -> str:
        return "de"


@pytest.fixture
def brackets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the language of brackets in the place of German."""
    book = catalog.catalog("de", catalog.said())
    for entry in book:
        if entry.id:
            entry.string = f"⟦{entry.id}⟧" if isinstance(entry.id, str) else tuple(f"⟦{form}⟧" for form in entry.id)
    known: dict[str, object] = vars(trans_real)["_translations"]
    monkeypatch.setitem(known, "de", Brackets(BytesIO(catalog.compiled(book))))


def outside(text: str) -> str:
    """Return what of a text stands in no brackets."""
    depth, kept = 0, []
    for char in text:
        depth += (char == "⟦") - (char == "⟧")
        kept.append(char if char == "\n" or (depth == 0 and char != "⟧") else " ")
    return "".join(kept)


def data(world: Sample) -> re.Pattern[str]:
    """Return what matches every text that the world gives, longest first: names, versions, origins, file names."""
    found: set[str] = set()
    asked = (
        world.node(),
        world.logs(),
        world.peers(),
        world.mirrors(),
        world.records,
        [world.party(k) for k in (RITA, PAUL, CENTER)],
    )
    _collect(asked, found)
    names = sorted((text for text in found if WORDS.search(text) and len(text) < 80), key=len, reverse=True)
    return re.compile("|".join(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])" for text in names))


def _collect(value: object, found: set[str]) -> None:
    if isinstance(value, str):
        found.update({value, value.replace("-", " ")})
    elif isinstance(value, dict):
        _collect(list(value.values()), found)
    elif isinstance(value, (list, tuple)):
        for item in value:
            _collect(item, found)
    elif hasattr(value, "__dataclass_fields__"):
        _collect([getattr(value, name) for name in value.__dataclass_fields__], found)
    elif hasattr(value, "__struct_fields__"):
        _collect([getattr(value, name) for name in value.__struct_fields__], found)


def left(text: str, names: re.Pattern[str]) -> list[str]:
    """Return the words of a text that are neither data nor the same in every language."""
    return WORDS.findall(NEUTRAL.sub(" ", TIME.sub(" ", names.sub(" ", text))))


def walk(serve: Serve) -> Iterator[tuple[str, str]]:
    """Yield the address and the German text of every public page, of nodes as they should be and as they may be."""
    for world in (Sample(), Sample(required=0), Sample(cosigning=1), Sample(required=1), Sample(empty=True)):
        client = serve(world)
        whole = not world.empty and (world.required, world.cosigning) == (2, 3)
        every = pages(world) if whole else FEW
        yield from ((address, german(client, address)) for address in every)


FEW = ["/", "/products", "/log", "/nodes", "/reviews", "/open", f"/parties/{VENDOR}", f"/digest/{'ab' * 32}"]


def german(client: Client, address: str) -> str:
    return client.get(address, headers={"accept-language": "de"}).content.decode()


@pytest.mark.usefixtures("brackets")
def test_every_word_of_every_public_page_is_marked(serve: Serve) -> None:
    names = data(Sample())
    wrong = {}
    for address, body in walk(serve):
        assert "⟦" in body, address
        words = [text for text in _flat(body) if WORDS.search(text) and left(text, names)]
        if words and address != "/design":  # it shows what Django says of forms, which is in Django's own catalogues
            wrong[address] = words
    assert wrong == {}


@pytest.mark.usefixtures("brackets")
def test_a_word_that_is_not_marked_is_found(world: Sample) -> None:
    names = data(world)
    page = "<p>⟦Reviewed by <b>Rita Reviewer</b>, on⟧ 21. Nov. 2026</p><code>cd</code><p>Example Agent is ⟦logged⟧</p>"
    assert [word for text in _flat(page) for word in left(text, names)] == ["is"]


def _flat(body: str) -> list[str]:
    """Return a page's texts without what is in brackets; a message may hold elements, so it may be several texts."""
    return [text for text in outside("\n".join(texts(body))).split("\n") if text.strip()]


ENGLISH = re.compile(
    r"(?i)\b(?:the|of|and|is|are|were|by|with|has|have|had|that|this|these|it|its|not|from|what|who|which|nobody|no"
    r"|on|for|here|there|each|one|your|their|they|you|can|to|at|be|been|or|if|how|log(?:ged)|says|reviewed"
    r"|file|files|key|newest|entry|entries|change[ds]?|source|open|page|read|line|lines)\b"
)


def test_no_english_sentence_is_left_on_a_german_page(serve: Serve) -> None:
    names = data(Sample())
    wrong = {}
    for address, body in walk(serve):
        assert '<html lang="de"' in body, address
        suspect = (text for text in texts(body) if ENGLISH.search(text))
        words = [text for text in suspect if ENGLISH.search(NEUTRAL.sub(" ", names.sub(" ", text)))]
        if words:
            wrong[address] = words
    assert wrong == {}


def test_an_english_sentence_would_be_found() -> None:
    assert ENGLISH.findall("Dieses Log hat 3 entries and is von niemandem") == ["entries", "and", "is"]


def test_what_engines_say_is_marked_as_english(serve: Serve) -> None:
    world = Sample()
    client = serve(world)
    home, nodes = german(client, "/open"), german(client, "/nodes")
    assert '<span lang="en">Example Agent 0.8 is released twice with different files.</span>' in home
    assert '<span lang="en">the log contradicts an earlier head</span>' in nodes
    assert '<span lang="en">' not in client.get("/nodes").content.decode()


@pytest.fixture(autouse=True)
def _english_again() -> Iterator[None]:
    yield
    trans_real.deactivate()
