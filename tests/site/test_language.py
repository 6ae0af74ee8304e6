"""In which language a visitor gets a page, and what never changes with it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.test import Client
from django.utils import translation
from hypothesis import given
from hypothesis import strategies as st
from tests.site.sample import Sample
from tests.site.sample_world import LOG

from pellucid.release.portal.claims import (
    English,
    State,
    at,
    counted,
    day,
    listed,
    not_proven,
    sentence,
    strong,
)
from pellucid.release.portal.formats import decimal, grouped
from pellucid.release.portal.terms import term
from pellucid.site.language import safe_path
from pellucid.site.templatetags.pellucid import say

TWINS = ["/index.json", "/log.json", f"/logs/{LOG}/entries/3.json", "/api/openapi.json", "/nope.json"]
GERMAN = {"accept-language": "de-AT,de;q=0.9,en;q=0.5"}


def choose(client: Client, language: str, following: str = "/log", **headers: str) -> str:
    """Choose a language as the form in the foot of each page does; return where that leads."""
    response = client.post("/language", {"language": language, "next": following}, headers=headers)
    assert response.status_code == 302
    return response.headers["Location"]


def test_a_browser_gets_the_language_it_asks_for(client: Client) -> None:
    for headers, code in (({}, "en"), (GERMAN, "de"), ({"accept-language": "fr, *;q=0.1"}, "en")):
        response = client.get("/", headers=headers)
        assert response.headers["Content-Language"] == code
        assert f'<html lang="{code}"' in response.content.decode()
        assert {"Accept-Language", "Cookie"} <= set(response.headers["Vary"].split(", "))


def test_a_chosen_language_stays_whatever_the_browser_asks(client: Client) -> None:
    assert choose(client, "de") == "/log"
    cookie = client.cookies["language"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    assert "Das Log" in client.get("/log").content.decode()
    assert choose(client, "en", "/search?q=a&from=2") == "/search?q=a&from=2"
    assert "The log" in client.get("/log", headers=GERMAN).content.decode()


def test_each_page_offers_the_languages_by_their_own_names(client: Client) -> None:
    body = client.get("/search?q=a%26b").content.decode()
    form = re.search(r'(?s)<form class="languages" method="post" action="/language".*?</form>', body)
    assert form is not None
    assert 'name="next" value="/search?q=a%26b"' in form[0]
    assert re.search(r'value="de" lang="de"[^>]*>Deutsch<', form[0])
    assert re.search(r'value="en" lang="en"[^>]*>English<', form[0])


@pytest.mark.parametrize("language", ["", "xx", "de\r\nSet-Cookie: a=b", "../../en"])
def test_a_language_there_is_none_of_is_refused(client: Client, language: str) -> None:
    response = client.post("/language", {"language": language, "next": "/"})
    assert response.status_code == 400
    assert not response.cookies


@pytest.mark.parametrize("wish", ["x" * 5000, "de-" + "x" * 5000, "-".join("a" * 3000), "\x00", "../de", "de;q=x", "ä"])
@pytest.mark.parametrize("header", ["cookie", "accept-language"])
def test_a_hostile_wish_gets_a_page_in_a_language_there_is(client: Client, header: str, wish: str) -> None:
    response = client.get("/check", headers={header: f"language={wish}" if header == "cookie" else wish})
    assert response.status_code == 200
    assert response.headers["Content-Language"] in ("en", "de")


def test_only_a_form_of_this_site_changes_the_language(client: Client) -> None:
    fields = {"language": "de", "next": "/"}
    assert client.get("/language", fields).status_code == 405
    for origin in ("https://evil.example", "null", "http://localhost.evil.example", "http://[", "localhost"):
        response = client.post("/language", fields, headers={"origin": origin})
        assert (response.status_code, bool(response.cookies)) == (400, False), origin
    assert client.post("/language", fields, headers={"origin": "http://localhost"}).status_code == 302


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/x\\evil.example",
        "\\\\evil.example",
        "javascript:alert(1)",
        "/a\r\nSet-Cookie: a=b",
        "/a b",
        "evil",
        "",
        "/ä",
        "/" + "a" * 3000,
    ],
)
def test_it_leads_nowhere_else(client: Client, address: str) -> None:
    assert choose(client, "de", address) == "/"


@given(st.text())
def test_whatever_is_asked_for_the_answer_is_a_path_here(address: str) -> None:
    path = safe_path(address)
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert path.isascii()
    assert path.isprintable()


@pytest.mark.parametrize("address", TWINS)
def test_what_programs_read_is_the_same_in_every_language(client: Client, address: str) -> None:
    english = client.get(address)
    choose(client, "de")
    german = client.get(address, headers=GERMAN)
    assert _undated(german.content) == _undated(english.content)
    assert german.headers["Content-Language"] == "en"
    assert "Accept-Language" not in german.headers.get("Vary", "")


def _undated(content: bytes) -> object:
    found = json.loads(content)
    return {**found, "as_of": None} if isinstance(found, dict) else found


@pytest.mark.django_db
def test_pages_behind_sign_in_are_english_and_say_so(client: Client) -> None:
    response = client.get("/account/login/", headers=GERMAN)
    assert response.headers["Content-Language"] == "en"
    assert '<html lang="en"' in response.content.decode()
    assert 'action="/language"' not in response.content.decode()


def test_errors_are_told_in_the_readers_language(client: Client, serve: Callable[[Sample], Client]) -> None:
    response = client.get("/no/such/page", headers=GERMAN)
    assert (response.status_code, "Unter diesem Namen ist hier nichts bekannt" in response.content.decode()) == (
        404,
        True,
    )
    assert "Das war nicht zu lesen" in client.get("/", SERVER_NAME="evil.example", headers=GERMAN).content.decode()

    class Broken(Sample):
        def counts(self) -> dict[str, int]:
            raise OSError("disk")

    broken = serve(Broken())
    broken.raise_request_exception = False
    assert "Hier ist etwas kaputtgegangen" in broken.get("/", headers=GERMAN).content.decode()


def test_one_request_leaves_no_language_behind_for_the_next(client: Client) -> None:
    client.get("/", headers=GERMAN)
    assert translation.get_language() == "en"
    assert "Logged last" in client.get("/").content.decode()


def test_numbers_and_days_are_written_as_the_language_does() -> None:
    moment = datetime(2026, 3, 9, 7, 5, tzinfo=UTC)
    for code, number, share, when, date in (
        ("en", "1,204,331", "1.5", "9 Mar 2026 07:05 UTC", "9 Mar 2026"),
        ("de", "1.204.331", "1,5", "9. März 2026 07:05 UTC", "9. März 2026"),
        ("nl", "1,204,331", "1.5", "9 Mar 2026 07:05 UTC", "9 Mar 2026"),
    ):
        with translation.override(code):
            assert (grouped(1204331), decimal(1.5), at(moment).text) == (number, share, when)
            assert day("2026-03-09T23:59:59Z") == date
    with translation.override("de"):
        assert (counted(1, "file"), counted(1204, "entry", "entries")) == ("1 Datei", "1.204 Einträge")
        assert listed(["a", "b", "c"]) == "a, b und c"
        assert [term("vendor"), str(term("not-a-term"))] == ["Hersteller", "not-a-term"]
        assert not_proven()[1] == "warum der Code tut, was er tut"


def test_a_sentence_is_one_message_with_links_times_and_names_in_it() -> None:
    moment = datetime(2026, 3, 9, tzinfo=UTC)
    words = "{center} hat am {when} {log} gegengezeichnet."
    told = sentence(words, center=strong("a{b}<i>", href="/x"), when=at(moment), log=sentence("Log {n}", n="1"))
    assert told.text == "a{b}<i> hat am 9 Mar 2026 00:00 UTC Log 1 gegengezeichnet."
    assert say(told) == (
        '<strong><a href="/x">a{b}&lt;i&gt;</a></strong> hat am <strong><time datetime="2026-03-09T00:00:00Z">'
        "9 Mar 2026 00:00 UTC</time></strong> Log 1 gegengezeichnet."
    )
    with pytest.raises(KeyError):
        sentence("{who} left")


@given(st.text(), st.text())
def test_what_stands_in_a_place_is_never_read_as_a_message(first: str, second: str) -> None:
    assert sentence("{one}, {two}.", one=first, two=second).text == f"{first}, {second}."


def test_words_of_others_are_escaped_and_marked_only_where_the_page_is_in_another_language() -> None:
    words = English("<b>it's</b> broken")
    told = sentence("{what}.", what=words)
    assert say(told) == "&lt;b&gt;it&#x27;s&lt;/b&gt; broken."
    with translation.override("de"):
        assert say(told) == '<span lang="en">&lt;b&gt;it&#x27;s&lt;/b&gt; broken</span>.'
    assert json.dumps(words) == '"<b>it\'s</b> broken"'
    assert State.GOOD.value == "good"
