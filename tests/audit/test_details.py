"""Nothing but closed words, digests, ids and numbers gets into the log, whatever a caller gives."""

from __future__ import annotations

import string
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.audit.details import DETAILS, NAME, TARGETS, DetailError, require_allowed
from pellucid.audit.events import Entry, Event, EventType
from pellucid.audit.trail import Trail
from pellucid.errors import EvidenceError, InputError
from pellucid.statement.canonical import canonical_json

RITA = "aa" * 16
SECRETS = (
    "correct horse battery staple",
    "rita@people.example",
    "Rita Example",
    "12345-67890-12345-67890-12345-67890-12345-67890",
    "otpauth://totp/x?secret=JBSWY3DPEHPK3PXP",
    "eyJhbGciOiJIUzI1NiJ9.e30.abc",
    "-----BEGIN PRIVATE KEY-----",
    "line\nbreak",
    "zwölf",
)


def test_every_type_says_which_details_it_has() -> None:
    assert set(DETAILS) == set(EventType)


@pytest.mark.parametrize("kind", EventType, ids=lambda item: item.value)
def test_no_detail_of_any_type_takes_a_secret_or_a_text(kind: EventType) -> None:
    for name, shape in DETAILS[kind].items():
        for secret in SECRETS:
            with pytest.raises(DetailError) as told:
                require_allowed(Event(kind, 1, RITA, (), None, {name: secret}))
            assert secret not in f"{told.value} {told.value.remedy}", "what is refused is not told on"
        assert not shape.allows(None)
        assert not shape.allows(1.5)


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("kind", TARGETS)
def test_no_target_takes_a_secret_or_a_text(kind: str, secret: str) -> None:
    with pytest.raises(DetailError):
        require_allowed(Event(EventType.ACCESS_GRANTED, 1, RITA, (), f"{kind}:{secret}"))


@pytest.mark.parametrize("path", ["/search?q=rita@people.example", "/people#x", "/a b", "/%41", "/a\n"])
def test_a_page_is_named_by_its_path_alone(path: str) -> None:
    require_allowed(Event(EventType.ACCESS_GRANTED, 1, RITA, (), "page:/people/aa.json"))
    with pytest.raises(DetailError):
        require_allowed(Event(EventType.ACCESS_GRANTED, 1, RITA, (), f"page:{path}"))


def test_a_detail_that_a_type_does_not_have_is_refused() -> None:
    allowed = Event(EventType.ACCOUNT_SIGNED_IN, 1, RITA, (), None, {"by": "passkey", "factor": "totp"})
    require_allowed(allowed)
    with pytest.raises(DetailError, match="no detail 'address'"):
        require_allowed(Event(EventType.ACCOUNT_SIGNED_IN, 1, RITA, (), None, {"address": 1}))


@given(
    kind=st.sampled_from(EventType),
    name=st.sampled_from(sorted({name for table in DETAILS.values() for name in table})) | st.text(max_size=30),
    value=st.text(max_size=80) | st.integers() | st.booleans() | st.binary(max_size=20).map(bytes.hex),
)
def test_whatever_is_allowed_is_short_and_made_of_few_letters(kind: EventType, name: str, value: Any) -> None:
    event = Event(kind, 1, RITA, (), None, {name: value})
    try:
        require_allowed(event.checked())
    except InputError:
        return
    assert name in DETAILS[kind]
    if isinstance(value, str):
        assert len(value) <= 64
        assert set(value) <= set(string.ascii_lowercase + string.digits + "-")
        open_words = DETAILS[kind][name] is NAME
        assert open_words or not value.isalpha() or len(value) <= 20 or set(value) <= set("0123456789abcdef")
    entry = Entry.of(event)
    assert Entry.parse(entry.to_bytes(), where="entry").event == event
    assert entry.to_bytes() == canonical_json(msgspec.to_builtins(entry))


@given(data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_whatever_is_no_entry_is_refused_in_plain_words(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        Entry.parse(data, where="entry 7")


@pytest.mark.parametrize(
    "event",
    [
        Event(EventType.ACCESS_GRANTED, -1),
        Event(EventType.ACCESS_GRANTED, 1, "rita"),
        Event(EventType.ACCESS_GRANTED, 1, RITA, ("Rita",)),
        Event(EventType.ACCESS_GRANTED, 1, RITA, (RITA,) * 21),
        Event(EventType.ACCESS_GRANTED, 1, RITA, (), "a target"),
        Event("no.such-event", 1),  # type: ignore[arg-type]
    ],
    ids=["time", "actor", "about", "too-many", "target", "type"],
)
def test_a_field_that_is_not_what_it_may_be_is_not_recorded(trail: Trail, event: Event) -> None:
    with pytest.raises(InputError):
        trail.record(event)
    assert trail.size == 0


@given(
    target=st.from_regex(r"\A[a-z-]{1,10}:[!-~]{1,200}\Z"),
    at=st.integers(0, 2**53 - 1),
    about=st.lists(st.binary(min_size=16, max_size=16).map(bytes.hex), max_size=20),
    details=st.dictionaries(
        st.from_regex(r"\A[a-z0-9][a-z0-9._:/-]{0,30}\Z"), st.booleans() | st.integers(0, 2**53 - 1), max_size=12
    ),
)
def test_every_entry_is_canonical_json(target: str, at: int, about: list[str], details: dict[str, int | bool]) -> None:
    entry = Entry.of(Event(EventType.ACCESS_GRANTED, at, None, tuple(about), target, details).checked())
    assert entry.to_bytes() == canonical_json(msgspec.to_builtins(entry))
    assert Entry.parse(entry.to_bytes(), where="entry") == entry
