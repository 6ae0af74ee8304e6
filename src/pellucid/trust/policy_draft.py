"""An acceptance policy as a file for people: drafted from nodes' own cards, to be read and changed by its owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import tomlkit
from tomlkit.items import Table

from pellucid.trust.policy import KeyUse, QuorumRule
from pellucid.trust.predicate import Custody

_HEAD = (
    "An acceptance policy: whose logs, keys and words you go by, and what you ask for. It is yours: change it.",
    "Each node's `obtained` says how its keys reached you; compare fingerprints over another way first.",
)
_QUORUM = (
    "How many operators other than a log's own must have seen it, from how many regions; how many mirrors must say",
    "that nothing is left out; how old the newest of these looks may be.",
)
_ACCREDITORS = "Nodes and parties whose accreditations of others count."
_CUSTODY = "How keys must be kept to speak for a file; without this line, in any way."
_URL = "where `pack` and `monitor` ask; `verify` asks nobody"


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
    custody: Sequence[Custody] = ()
    parties: Sequence[Mapping[str, Any]] = ()
    require: Mapping[str, Mapping[str, Any]] = field(default_factory=lambda: {"release": {}})

    def to_toml(self) -> str:
        """Return the policy as TOML with a comment on each part."""
        document = tomlkit.document()
        for line in _HEAD:
            document.add(tomlkit.comment(line))
        document.add("accreditors", tomlkit.item(list(self.accreditors)).comment(_ACCREDITORS))
        if self.custody:
            kept = [custody.value for custody in self.custody]
            document.add("custody", tomlkit.item(kept).comment(_CUSTODY))
        document.add("quorum", self._quorum())
        document.add("require", tomlkit.item({name: dict(table) for name, table in self.require.items()}))
        nodes = tomlkit.aot()
        for node in self.nodes:
            nodes.append(_node(node))
        document.add("node", nodes)
        if self.parties:
            document.add("party", tomlkit.item([dict(party) for party in self.parties]))
        return tomlkit.dumps(document)

    def _quorum(self) -> Table:
        table = tomlkit.table()
        for line in _QUORUM:
            table.add(tomlkit.comment(line))
        for name in QuorumRule.__struct_fields__:
            table.add(name, getattr(self.quorum, name))
        return table


def _node(node: DraftNode) -> Table:
    table = tomlkit.table()
    for name in ("name", "role", "region", "operator", "obtained"):
        table.add(name, getattr(node, name))
    if node.url is not None:
        table.add("url", tomlkit.string(node.url).comment(_URL))
    table.add("key", tomlkit.item([{"use": use.value, "key": key} for use, key in node.keys.items()]))
    return table
