"""An acceptance policy as a file for people: drafted from nodes' own cards, to be read and changed by its owner."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid.trust.policy import KeyUse, QuorumRule

_HEAD = """\
# An acceptance policy: whose logs, keys and words you go by, and what you ask for. It is yours: read it, change it.
# Each node's `obtained` says how its keys reached you; compare fingerprints over another way before you rely on them.
"""


@dataclass(frozen=True, slots=True)
class DraftNode:
    """A node for the draft: what its card says and how the card was obtained; `keys` maps each use to its key."""

    name: str
    role: str
    region: str
    operator: str
    obtained: str
    keys: Mapping[KeyUse, str]
    url: str | None = None


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """Everything that stands in a drafted policy."""

    nodes: Sequence[DraftNode]
    quorum: QuorumRule
    accreditors: Sequence[str] = ()
    parties: Sequence[Mapping[str, Any]] = ()
    require: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"release": {}})

    def to_toml(self) -> str:
        """Return the policy as TOML with a comment on each part."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield _HEAD
        yield "# Nodes and parties whose accreditations of others count."
        yield f"accreditors = {_value(list(self.accreditors))}"
        yield "\n# How many operators other than a log's own must have seen it, from how many regions; how many mirrors"
        yield "# must say that nothing is left out; how old the newest of these looks may be."
        yield "[quorum]"
        yield from (f"{name} = {_value(getattr(self.quorum, name))}" for name in QuorumRule.__struct_fields__)
        for name, table in self.require.items():
            yield f"\n[require.{name}]"
            yield from (f"{key} = {_value(value)}" for key, value in table.items())
        for node in self.nodes:
            yield from _node_lines(node)
        for party in self.parties:
            yield "\n[[party]]"
            yield from (f"{key} = {_value(value)}" for key, value in party.items())


def _node_lines(node: DraftNode) -> Iterator[str]:
    yield "\n[[node]]"
    for name in ("name", "role", "region", "operator", "obtained"):
        yield f"{name} = {_value(getattr(node, name))}"
    if node.url is not None:
        yield f"url = {_value(node.url)}  # where `pack` and `monitor` ask; `verify` asks nobody"
    for use, key in node.keys.items():
        yield "[[node.key]]"
        yield f"use = {_value(use.value)}"
        yield f"key = {_value(key)}"


def _value(value: Any) -> str:
    """Write a text, number, boolean or list of them; JSON's spelling of these is TOML's too."""
    return json.dumps(value, ensure_ascii=False)
