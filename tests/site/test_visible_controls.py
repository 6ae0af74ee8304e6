"""What turns text round is shown for what it is: a page never reads otherwise than what is logged."""

from __future__ import annotations

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client

from pellucid.site.middleware import visible_controls


@pytest.mark.parametrize("code", [0x061C, 0x200E, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069])
def test_a_character_that_turns_text_round_is_printed_as_its_code_point(client: Client, code: int) -> None:
    page = client.get("/search", {"q": f"agent{chr(code)}exe"}).content.decode()
    assert chr(code) not in page
    assert f"agent[U+{code:04X}]exe" in page


@pytest.mark.parametrize(
    "text",
    [
        "\u05e9\u05dc\u05d5\u05dd",
        "\u0645\u0631\u062d\u0628\u0627",
        "\U0001f469\u200d\U0001f4bb",
        "caf\u00e9 \u2014 \u2026",
    ],
)
def test_languages_and_their_joiners_stay_as_they_are(client: Client, text: str) -> None:
    assert text in client.get("/search", {"q": text}).content.decode()


def test_what_programs_read_is_left_alone() -> None:
    def answer(_request: HttpRequest) -> HttpResponse:
        return HttpResponse("\u202e", content_type="application/json")

    assert visible_controls(answer)(HttpRequest()).getvalue().decode() == "\u202e"
