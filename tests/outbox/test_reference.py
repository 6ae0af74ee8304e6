"""The reference of notices says what the program does."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import msgspec
import pytest
from tests.outbox.posting import DIGEST, sample

from pellucid.outbox.channel import DeliveryState, Problem
from pellucid.outbox.notice import WORDS, NoticeKind, WordForm
from pellucid.outbox.portal.texts import KIND_NAMES, telling
from pellucid.outbox.webhook import FORMAT, PAYLOAD_TYPE, Call
from pellucid.record.settings import Settings
from pellucid.statement.canonical import parse_canonical

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/reference/notices.md").read_text()


def part(title: str, following: str) -> str:
    """Return what stands under a title of the page."""
    return PAGE.partition(f"## {title}\n")[2].partition(f"## {following}\n")[0]


ROWS = re.findall(r"^\| `([a-z-]+)` \| (.*) \| (.*) \|$", part("Kinds", "Mail"), re.MULTILINE)


def test_every_kind_is_explained_and_no_other() -> None:
    assert [kind for kind, _when, _words in ROWS] == [kind.value for kind in NoticeKind]
    assert set(KIND_NAMES) == set(WORDS) == set(NoticeKind)


@pytest.mark.parametrize("kind", NoticeKind, ids=lambda kind: kind.value)
def test_the_words_of_a_kind_are_explained(kind: NoticeKind) -> None:
    [written] = [words for name, _when, words in ROWS if name == kind.value]
    always, _, sometimes = written.partition("(")
    found = {True: re.findall(r"`([a-z]+)` ([a-z]+)", always), False: re.findall(r"`([a-z]+)` ([a-z]+)", sometimes)}
    for needed, words in found.items():
        assert words == [(name, word.form.value) for name, word in WORDS[kind].items() if word.needed is needed]


def test_the_settings_of_the_guide_are_settings() -> None:
    guide = (ROOT / "docs/howto/be-told.md").read_text()
    for written in re.findall(r"```toml\n(.*?)```", guide, re.DOTALL):
        head = {"name": "log.example/1", "role": "vendor", "region": "europe", "operator": "Example Vendor"}
        assert msgspec.convert({**head, **tomllib.loads(written)}, Settings)


def test_every_form_state_and_problem_is_explained() -> None:
    for word in (*WordForm, *DeliveryState, *Problem):
        assert f"`{word.value}`" in PAGE


def test_the_format_of_a_webhooks_call_is_explained() -> None:
    fields = re.findall(r"^\| `([a-z]+)` \| (?!`)", part("Webhooks", "Feeds"), re.MULTILINE)
    call = Call(
        "0" * 32, "1" * 32, "log.example/1", "alarm", 1_800_000_000, "https://node.example/", {"alarm": "stale"}
    )
    said = parse_canonical(call.payload(), where="call", limit=10_000)
    assert {*fields, "format"} == set(said)
    assert said["format"] == FORMAT
    assert FORMAT in PAGE
    assert PAYLOAD_TYPE in PAGE


@pytest.mark.parametrize("kind", NoticeKind, ids=lambda kind: kind.value)
def test_a_notice_with_all_its_words_says_each_of_them(kind: NoticeKind) -> None:
    notice = sample(kind)
    said = telling(kind, notice.words)
    text = f"{said.line} {said.text}"
    for value in notice.words.values():
        shown = {1_800_000_000: "2027-01-15 08:00 UTC", "check-logs": "check logs", DIGEST: DIGEST}.get(value, value)
        assert str(shown) in text
    assert said.why.startswith("You get this because")
