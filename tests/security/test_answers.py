"""What every answer carries, whoever asked and whatever came of it; and what private answers carry beside."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from tests.security.walk import Seen

POLICY = ("object-src 'none'", "base-uri 'none'", "frame-ancestors 'none'", "form-action 'self'", "default-src 'self'")
FOR_EVERYBODY = re.compile(
    r"/(?:\?.*)?|/(?:log|nodes|products|reviews|open|check|design|search|digest|statements|parties|releases|logs|feed"
    r"|static|index\.json|api/(?:card|logs|openapi|statements)).*"
)


def without(answers: tuple[Seen, ...], header: str, *wanted: str) -> list[str]:
    """Return which answers lack a header, or a part of it."""
    return [str(seen) for seen in answers if any(part not in seen.answer.headers.get(header, "") for part in wanted)]


def test_every_kind_of_answer_is_among_them(answers: tuple[Seen, ...]) -> None:
    """The control: these are pages, redirects, refusals, files and errors, and none is a fault of the node."""
    kinds = {seen.answer.status_code for seen in answers}
    assert {200, 302, 404} <= kinds
    assert kinds & {401, 403}
    assert kinds & {405}
    assert not [str(seen) for seen in answers if seen.answer.status_code == 500]
    types = {seen.answer.headers.get("Content-Type", "").partition(";")[0] for seen in answers}
    assert {"text/html", "application/json", "application/atom+xml"} <= types


def test_nothing_is_framed_and_nothing_inline_runs(answers: tuple[Seen, ...]) -> None:
    assert without(answers, "Content-Security-Policy", *POLICY) == []
    assert not [str(seen) for seen in answers if "unsafe" in seen.answer.headers["Content-Security-Policy"]]
    assert without(answers, "X-Frame-Options", "DENY") == []


def test_no_browser_guesses_a_type_or_tells_where_it_came_from(answers: tuple[Seen, ...]) -> None:
    assert without(answers, "X-Content-Type-Options", "nosniff") == []
    told = {seen.answer.headers["Referrer-Policy"] for seen in answers}
    assert told <= {"same-origin", "no-referrer"}
    assert without(answers, "Cross-Origin-Opener-Policy", "same-origin") == []


def test_texts_say_how_they_are_written(answers: tuple[Seen, ...]) -> None:
    for seen in answers:
        kind = seen.answer.headers.get("Content-Type", "")
        assert kind or not seen.answer.content, seen
        if kind.startswith("text/") or "xml" in kind:
            assert "charset=utf-8" in kind, seen


def test_twins_and_the_api_are_json_whatever_came_of_it(answers: tuple[Seen, ...]) -> None:
    for seen in answers:
        if seen.address.endswith(".json") or seen.address.startswith("/api/"):
            is_json = seen.answer.headers.get("Content-Type", "").startswith("application/json")
            is_file = "attachment" in seen.answer.headers.get("Content-Disposition", "")
            assert is_json or is_file or seen.answer.status_code in {302, 405}, seen


def test_no_other_origin_may_read_an_answer(answers: tuple[Seen, ...]) -> None:
    assert not [str(seen) for seen in answers if any("access-control" in name.lower() for name in seen.answer.headers)]


def private(answers: tuple[Seen, ...]) -> Iterator[Seen]:
    """Yield what was answered to somebody signed in, and whatever a visitor got that is not for everybody."""
    yield from (seen for seen in answers if seen.who != "a visitor" or not FOR_EVERYBODY.fullmatch(seen.address))


def test_no_cache_keeps_what_is_private(answers: tuple[Seen, ...]) -> None:
    """Pages, twins, files, API, redirects and refusals; a visitor's sign-in pages and invitations too."""
    kept = []
    for seen in private(answers):
        rule = seen.answer.headers.get("Cache-Control", "")
        is_public = seen.address.startswith(("/feed.atom", "/static/"))
        has_content = seen.answer.status_code == 200 and seen.who != "a visitor"
        if ("no-store" not in rule) if has_content and not is_public else ("public" in rule and not is_public):
            kept.append(str(seen))
    assert kept == []


def test_a_visitor_is_given_nothing_that_is_somebodys(answers: tuple[Seen, ...]) -> None:
    """Whatever a visitor gets with status 200 beside the public pages is never to be kept."""
    for seen in answers:
        if seen.who == "a visitor" and seen.answer.status_code == 200 and not FOR_EVERYBODY.fullmatch(seen.address):
            assert "no-store" in seen.answer.headers.get("Cache-Control", ""), seen
            assert b"Rita Example" not in seen.answer.content, seen


@pytest.mark.parametrize(
    "secret", ["a pass phrase of the tests", "JBSWY3DPEHPK3PXP", "argon2$", "csrfmiddlewaretoken="]
)
def test_no_answer_holds_a_secret_and_no_address_a_token(answers: tuple[Seen, ...], secret: str) -> None:
    for seen in answers:
        assert secret.encode() not in seen.answer.content, seen
        assert secret not in str(seen.answer.headers), seen


def test_downloads_have_names_that_the_node_chose(answers: tuple[Seen, ...]) -> None:
    named = [seen.answer.headers["Content-Disposition"] for seen in answers
             if "Content-Disposition" in seen.answer.headers]  # fmt: skip
    assert all(re.fullmatch(r'attachment; filename="[A-Za-z0-9._-]+"', name) for name in named)


def test_no_answer_says_which_programs_made_it(answers: tuple[Seen, ...]) -> None:
    telling = {"server", "x-powered-by", "x-django-version", "via"}
    assert not [str(seen) for seen in answers if telling & {name.lower() for name in seen.answer.headers}]
