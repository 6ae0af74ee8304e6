"""Salted commitments: fields are opened one by one, and nothing else is learnt or can be swapped."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pellucid.statement.commitment import CommitmentError, commit, open_commitment

_fields = st.dictionaries(st.text(max_size=10), st.text(max_size=20) | st.integers(0, 99), min_size=1, max_size=9)


@given(_fields, st.data())
def test_any_part_of_what_was_committed_can_be_opened(fields: dict[str, object], data: st.DataObject) -> None:
    root, opening = commit(fields)
    shown = data.draw(st.sets(st.sampled_from(sorted(fields))))
    assert open_commitment(root, opening) == fields
    assert open_commitment(root, opening.only(shown)) == {name: fields[name] for name in shown}


@given(_fields, st.data())
def test_a_changed_field_salt_or_leaf_does_not_open(fields: dict[str, object], data: st.DataObject) -> None:
    root, opening = commit(fields)
    place = data.draw(st.sampled_from(sorted(opening.fields)))
    field = opening.fields[place]
    for changed in (
        msgspec.structs.replace(field, value="another"),
        msgspec.structs.replace(field, name=field.name + "x"),
        msgspec.structs.replace(field, salt="00" * 32),
    ):
        with pytest.raises(CommitmentError):
            open_commitment(root, msgspec.structs.replace(opening, fields={**opening.fields, place: changed}))
    with pytest.raises(CommitmentError):
        open_commitment(root, msgspec.structs.replace(opening, leaves=(*opening.leaves, "00" * 32)))
    with pytest.raises(CommitmentError):
        open_commitment("00" * 32, opening)


def test_the_same_words_are_never_bound_to_the_same_root() -> None:
    assert commit({"name": "Rita"})[0] != commit({"name": "Rita"})[0]


def test_what_is_not_shown_leaves_no_trace_in_the_opening() -> None:
    _, opening = commit({"name": "Rita Example", "affiliation": "Example Lab"})
    assert b"Rita" not in msgspec.json.encode(opening.only(["affiliation"]))


def test_a_field_cannot_be_shown_at_two_places() -> None:
    root, opening = commit({"a": 1, "b": 2})
    with pytest.raises(CommitmentError):
        open_commitment(
            root, msgspec.structs.replace(opening, fields={"0": opening.fields["0"], "1": opening.fields["0"]})
        )
