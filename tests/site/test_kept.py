"""A page that many read is made once in a while, and nobody gets one that was made for somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from pellucid.site import kept


def was_made(answer: Any) -> bool:
    """Whether a template was printed for this answer, rather than an earlier answer given out again."""
    return bool(answer.templates)


def test_many_readers_of_one_page_have_it_made_once(client: Client) -> None:
    answers = [client.get("/products") for _ in range(5)]
    assert len({answer.content for answer in answers}) == 1
    assert [was_made(answer) for answer in answers] == [True, False, False, False, False]


def test_a_page_is_made_again_after_its_moment(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "KEPT_FOR", -1.0)
    assert [was_made(client.get("/products")) for _ in range(3)] == [True, True, True]


def test_a_page_is_made_again_once_the_log_has_grown(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    client.get("/products")
    monkeypatch.setattr("pellucid.site.current.sizes", lambda: (10_000,))
    assert was_made(client.get("/products"))


@pytest.mark.parametrize("cookie", [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages"])
@pytest.mark.django_db
def test_who_brings_a_personal_cookie_gets_a_page_of_their_own(client: Client, cookie: str) -> None:
    client.get("/check")
    client.cookies[cookie] = "x" * 32
    assert [was_made(client.get("/check")) for _ in range(2)] == [True, True]


@pytest.mark.parametrize("address", ["/nowhere", "/account/login/"])
def test_what_is_no_page_for_everybody_is_never_kept(client: Client, address: str) -> None:
    assert [was_made(client.get(address)) for _ in range(2)] == [True, True]


def test_each_language_and_each_address_has_its_own_page(client: Client) -> None:
    german = client.get("/products", headers={"Accept-Language": "de"}).content
    english = client.get("/products", headers={"Accept-Language": "en"}).content
    assert german != english
    assert client.get("/products?from=Z").content != english
    assert client.get("/products", headers={"Accept-Language": "de"}).content == german


def test_a_kept_page_has_every_header_of_the_first(client: Client) -> None:
    first, second = client.get("/check"), client.get("/check")
    assert dict(first.items()) == dict(second.items())
    assert "Content-Security-Policy" in second.headers
    assert second.headers["X-Frame-Options"] == "DENY"
