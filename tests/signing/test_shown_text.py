"""What is shown for signing reads as it stands: no character turns it round or hides in it."""

from __future__ import annotations

import json

import pytest
from tests.signing.desk import Desk, review


@pytest.mark.parametrize("char", ["\u202e", "\u2066", "\u200b", "\ufeff", "\u2028", "\U000e0041", "\ue000"])
@pytest.mark.parametrize("escaped", [False, True], ids=["as it is", "escaped"])
def test_text_that_would_read_otherwise_than_it_stands_is_not_shown_for_signing(
    desk: Desk, char: str, escaped: bool
) -> None:
    """Direction overrides and what cannot be seen are named; scripts that run from right to left need none."""
    fields = {**review().as_json(), "predicateType": "https://x.example/v1"}
    turned = json.dumps({**fields, "predicate": {"x": f"fail{char}pass"}}, ensure_ascii=escaped)
    answered = desk.client.post("/signing/new", {"text": turned})
    assert answered.status_code == 400
    assert f"U+{ord(char):04X}" in answered.text
    plain = {"x": "مريم\u200cها and \U0001f469\u200d\U0001f52c, שלום"}  # noqa: RUF001 - letters as people write them
    desk.bring(json.dumps({**fields, "predicate": plain}, ensure_ascii=escaped).encode())
