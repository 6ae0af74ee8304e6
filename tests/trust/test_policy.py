"""Acceptance policies: drafted ones read back, and every mistake in one is named by line and column."""

from __future__ import annotations

from typing import Any

import pytest

from pellucid.capabilities import REQUIREMENTS
from pellucid.errors import InputError
from pellucid.statement.keys import Role, generate_key
from pellucid.tlog.note import NoteSigner, SignatureKind
from pellucid.trust.keyring import read_keyring
from pellucid.trust.policy import KeyUse, Policy, QuorumRule, parse_policy
from pellucid.trust.policy_draft import DraftNode, PolicyDraft
from pellucid.trust.verdict import check_requirements


def _vkey(name: str, role: Role) -> str:
    kind = SignatureKind.ED25519 if role is Role.LOG else SignatureKind.COSIGNATURE
    name = name if role is Role.LOG else f"{name}/{role.value}"
    return NoteSigner(name, kind, generate_key(role, name)).vkey


def _node(name: str, operator: str, region: str = "Europe", **changes: Any) -> DraftNode:
    keys = {use: _vkey(name, Role(use.value)) for use in (KeyUse.LOG, KeyUse.WITNESS, KeyUse.MIRROR)}
    for use in (KeyUse.LOOKUP, KeyUse.NODE, KeyUse.PARTY):
        keys[use] = generate_key(Role(use.value), name).public.spki_base64
    fields = {"name": name, "role": "center", "region": region, "operator": operator, "obtained": 'from "a" file\\'}
    return DraftNode(**(fields | {"keys": keys, "url": "http://127.0.0.1:1"} | changes))


def _draft(*nodes: DraftNode, **changes: Any) -> str:
    fields: dict[str, Any] = {"quorum": QuorumRule(witnesses=1, mirrors=1), "accreditors": [nodes[0].name]}
    fields["require"] = {"release": {"source": True}, "review": {"count": 1, "criteria": ["no-hidden-channel"]}}
    return PolicyDraft(nodes, **(fields | changes)).to_toml()


def _read(text: str) -> Policy:
    policy = parse_policy(text.encode())
    check_requirements(policy, REQUIREMENTS, text, where="policy.toml")
    read_keyring(policy)
    return policy


def test_a_draft_reads_back_as_what_was_drafted() -> None:
    policy = _read(_draft(_node("a.example", "A"), _node("b.example", "B")))
    assert [node.name for node in policy.node] == ["a.example", "b.example"]
    assert policy.node[0].obtained == 'from "a" file\\'
    assert policy.quorum == QuorumRule(witnesses=1, mirrors=1)
    assert policy.require["review"]["criteria"] == ["no-hidden-channel"]
    assert read_keyring(policy).quorum("a.example").reachable


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("witnesses = 1", "witnesses = -1", ">= 0"),
        ("witnesses = 1", "witneses = 1", "witneses"),
        ('max_age = "7d"', 'max_age = "soon"', "matching regex"),
        ("[require.review]", "[require.revue]", "revue"),
        ("count = 1", "cuont = 1", "cuont"),
        ("count = 1", 'count = "one"', "Expected `int`"),
        ('role = "center"', 'role = "centre"', "Invalid enum value"),
        ('accreditors = ["a.example"]', 'accreditors = ["z.example"]', "is no node or party"),
        ('name = "b.example"', 'name = "a.example"', "stands twice"),
        ('use = "log"', 'use = "log"\nuntil = "soon"', "not a time"),
        ('use = "party"', f'use = "party"\nfrozen = {{size = 1, root = "{"0" * 64}"}}', "only a log can be frozen"),
    ],
)
def test_a_mistake_is_named_at_its_line(old: str, new: str, what: str) -> None:
    text = _draft(_node("a.example", "A"), _node("b.example", "B"))
    assert old in text
    changed = text.replace(old, new)
    with pytest.raises(InputError, match=what) as caught:
        _read(changed)
    assert caught.value.where is not None
    line = int(caught.value.where.split(":")[1])
    lines = changed.splitlines()
    nearby = "\n".join(lines[max(0, line - 2) : line + 2])
    assert new.splitlines()[-1].split(" = ")[0] in nearby or "stands twice" in what
    assert caught.value.remedy


def test_a_policy_that_requires_nothing_is_refused() -> None:
    with pytest.raises(InputError, match="requires nothing"):
        _read(_draft(_node("a.example", "A"), require={}))


def test_one_public_key_in_two_roles_is_refused() -> None:
    key = generate_key(Role.LOG, "a.example")
    log = NoteSigner("a.example", SignatureKind.ED25519, key).vkey
    node = _node("a.example", "A")
    text = _draft(
        DraftNode(**_fields(node) | {"keys": {**node.keys, KeyUse.LOG: log, KeyUse.PARTY: key.public.spki_base64}})
    )
    with pytest.raises(InputError, match="one public key stands for"):
        _read(text)


def test_a_key_of_the_wrong_kind_is_refused() -> None:
    node = _node("a.example", "A")
    text = _draft(DraftNode(**_fields(node) | {"keys": {**node.keys, KeyUse.LOG: node.keys[KeyUse.WITNESS]}}))
    with pytest.raises(InputError, match="a log key has 1"):
        _read(text)


def test_two_logs_of_one_origin_are_refused() -> None:
    one, other = _node("a.example", "A"), _node("a.example", "B")
    text = _draft(one, DraftNode(**_fields(other) | {"name": "b.example"}))
    with pytest.raises(InputError, match="one origin"):
        _read(text)


def _fields(node: DraftNode) -> dict[str, Any]:
    return {name: getattr(node, name) for name in DraftNode.__slots__}


def test_the_logs_own_operator_does_not_count_towards_its_quorum() -> None:
    policy = _read(_draft(_node("a.example", "One"), _node("b.example", "One")))
    assert not read_keyring(policy).quorum("a.example").reachable
