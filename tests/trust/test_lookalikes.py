"""Names that look like others, policies with a slip of the pen, and texts made to break programs."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.trust.bench_of_judges import TREE, Court, key_of

from pellucid.errors import EvidenceError, InputError
from pellucid.release.predicate import RELEASE, Release
from pellucid.source.predicate import DELTA
from pellucid.statement.canonical import parse_canonical
from pellucid.statement.intoto import Statement, StatementError, Subject
from pellucid.statement.predicate import make_statement, read_predicate
from pellucid.tlog.tiles import MAX_ENTRY
from pellucid.trust.policy import parse_policy
from pellucid.trust.predicate import PARTY, WITHDRAWAL, Party, PartyAction, Withdrawal, WithdrawalReason, key_subject

# Names that look alike


def release_model(**changes: Any) -> Release:
    fields = {"product": "example", "version": "1", "kind": "software", "artifacts": [{"name": "a.bin", "size": 1}]}
    return msgspec.convert({**fields, **changes}, Release)


@pytest.mark.parametrize("field", ["product", "version", "previous"])
def test_a_newline_at_the_end_makes_no_second_product(field: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        release_model(**{field: "example\n"})


@pytest.mark.parametrize(
    "name", ["a\u200b.bin", "a.bin\n", "a.bin ", " a.bin", "\u0430.bin", "a\u202e.bin", "a\u00a0b", "a/b", "a\\b", ""]
)
def test_an_artifact_has_no_name_that_looks_like_another(name: str) -> None:
    with pytest.raises(msgspec.ValidationError):
        release_model(artifacts=[{"name": name, "size": 1}])


@pytest.mark.parametrize("changes", [{"name": "A.bin"}, {"product": "Example"}])
def test_names_that_differ_in_case_are_one_place(court: Court, changes: dict[str, str]) -> None:
    court.release()
    court.release(file="e" * 64, **changes)
    assert "2 live releases" in court.ask("release").why


def test_the_verdict_names_the_artifact(court: Court) -> None:
    court.release(name="for-you-alone.bin")
    assert "for-you-alone.bin of example 1" in court.ask("release").why


def test_a_copy_that_stood_there_for_a_while_leaves_a_trace_in_the_verdict(court: Court) -> None:
    other = court.release(file="e" * 64)
    court.withdraw("vera", other)
    mine = court.release()
    result = court.ask("release")
    assert (result.met, set(result.evidence)) == (True, {mine.id, other.id})
    assert "withdrawn" in result.why


@pytest.mark.parametrize("digest", ["F1" * 32, "f1" * 20, "f1" * 32 + "\n"])
def test_a_digest_in_another_spelling_is_refused(digest: str) -> None:
    with pytest.raises(StatementError):
        make_statement([Subject({"sha256": digest}, "a.bin")], RELEASE, release_model())
    with pytest.raises(StatementError):
        make_statement([Subject({"sha256": digest}, "statement")], WITHDRAWAL, Withdrawal(WithdrawalReason.OTHER))


@pytest.mark.parametrize("kind", ["key", "statement", "release"])
def test_a_review_is_about_bytes_or_a_tree_and_nothing_else(court: Court, kind: str) -> None:
    said = court.review().parsed.statement
    odd = Statement((Subject({kind: TREE}),), said.predicate_type, {**said.predicate, "of": "update"})
    with pytest.raises(StatementError):
        read_predicate(odd, court.testimonies[0].parsed.kind or DELTA)


# Policies


def node_table(name: str, operator: str, *keys: str, region: str = "Asia") -> str:
    lines = ["[[node]]", f'name = "{name}"', 'role = "center"', f'region = "{region}"', f'operator = "{operator}"']
    return "\n".join([*lines, 'obtained = "aloud"', *keys, ""])


def key_table(who: str, *more: str) -> str:
    return "\n".join(["[[node.key]]", 'use = "party"', f'key = "{key_of(who).public.spki_base64}"', *more])


@pytest.mark.parametrize("operator", ["example corp", "Example  Corp", "Example\u00a0Corp", "\uff25xample Corp"])
def test_one_operator_in_two_spellings_is_a_mistake(operator: str) -> None:
    nodes = node_table("a", "Example Corp", key_table("carla")) + node_table("b", operator, key_table("cyril"))
    text = f"[quorum]\nwitnesses = 1\n{nodes}"
    with pytest.raises(InputError, match="differ only in"):
        parse_policy(text.encode())


def test_one_region_in_two_spellings_is_a_mistake() -> None:
    first, second = key_table("carla"), key_table("cyril")
    text = "[quorum]\nwitnesses = 1\n" + node_table("a", "A", first) + node_table("b", "B", second, region="asia")
    with pytest.raises(InputError, match="the regions 'Asia' and 'asia' differ only in"):
        parse_policy(text.encode())


def test_a_validity_that_ends_before_it_begins_is_a_mistake() -> None:
    key = key_table("carla", 'from = "2027-01-01"', 'until = "2026-01-01"')
    with pytest.raises(InputError, match="ends before it begins"):
        parse_policy(("[quorum]\nwitnesses = 0\n" + node_table("a", "A", key)).encode())


def test_a_key_with_two_validities_is_a_mistake() -> None:
    keys = (key_table("carla", 'until = "2026-01-01"'), key_table("carla", 'from = "2027-01-01"'))
    with pytest.raises(InputError, match="stands twice"):
        parse_policy(("[quorum]\nwitnesses = 0\n" + node_table("a", "A", *keys)).encode())


# Numbers and texts that break programs


@pytest.mark.parametrize("data", [b'{"\\ud800":1}', b'"\\ud800"', b"9" * 30, b"[" * 5000, b"1e9", b"NaN"])
def test_json_that_breaks_programs_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError):
        parse_canonical(data, where="test", limit=MAX_ENTRY)


def test_a_key_in_an_accreditation_that_is_none_is_damage_and_no_usage_error() -> None:
    party = Party(action=PartyAction.ACCREDIT, roles=("reviewer",), spki="A" * 60)  # type: ignore[arg-type]
    with pytest.raises(StatementError):
        make_statement([key_subject("0" * 64)], PARTY, party)
