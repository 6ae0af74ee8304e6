"""How a policy asks for evidence: each `[require.NAME]` table is read and decided by one requirement kind.

A kind is a model of the table and a pure function from what is known to results. Capabilities bring theirs in their
`requirement.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from pellucid.statement.reference import Ref, file_ref
from pellucid.trust.authority import Authority
from pellucid.trust.predicate import PartyRole
from pellucid.trust.testimony import Testimony


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The base of the models of `[require.*]` tables: unknown fields are refused."""


class Recomputed(msgspec.Struct, frozen=True):
    """What the verifier measured on its own copy of the source: tree ids, and deltas by (base, target)."""

    trees: frozenset[str] = frozenset()
    deltas: Mapping[tuple[str, str], Any] = {}


class Case(msgspec.Struct, frozen=True):
    """Everything a requirement may look at: the file, the statements in view, who spoke, and the moment."""

    sha256: str
    moment: int
    testimonies: Sequence[Testimony]
    authority: Authority
    recomputed: Recomputed | None = None

    @property
    def file(self) -> Ref:
        """The reference of the file under judgement."""
        return file_ref(self.sha256)

    def source_trees(self) -> frozenset[Ref]:
        """Return the source trees to which what accepted vendors say, and stand by, about the file leads."""
        spoken = (t for t in self.testimonies if t.concerns(self.file) and self.authority.speakers(t, PartyRole.VENDOR))
        return frozenset(ref for t in spoken for ref in t.parsed.leads_to if ref.startswith("gitTree:"))


class Result(msgspec.Struct, frozen=True):
    """One requirement decided: whether it is met, why in one sentence, and the ids of the statements it rests on."""

    name: str
    met: bool
    why: str
    evidence: tuple[str, ...] = ()


class RequirementKind(msgspec.Struct, frozen=True):
    """The requirement of one `[require.NAME]` table.

    `unasked` are the settings by which it is decided for a policy without that table: what no policy may overlook.
    `on_own_copy`: also asked when source is given to recompute.
    """

    name: str
    model: type[Requirement]
    decide: Callable[[Case, Any], Iterable[Result]]
    on_own_copy: bool = False
    unasked: Mapping[str, Any] | None = None


Requirements = Mapping[str, RequirementKind]


def requirements_of(*kinds: RequirementKind) -> Requirements:
    """Return the registry of `kinds` by the name of their table."""
    return {kind.name: kind for kind in kinds}
