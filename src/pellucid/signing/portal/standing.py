"""What the logs say of an enrolled key: who accredits it as what, kept how, and whether that still counts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from pellucid.people.roles import Role
from pellucid.record.facts import Accreditation, Revocation
from pellucid.signing.checks import NotFitError
from pellucid.signing.portal.door import ground
from pellucid.signing.portal.models import PartyKey
from pellucid.statement.keys import Role as KeyRole
from pellucid.statement.moment import parse_time
from pellucid.statement.predicate import Parsed
from pellucid.trust.predicate import Custody, Party, PartyRole

_PARTY_ROLES = {
    Role.VENDOR_CONTACT: PartyRole.VENDOR,
    Role.REVIEWER: PartyRole.REVIEWER,
    Role.ASSESSOR: PartyRole.ASSESSOR,
    Role.ATTESTOR: PartyRole.ATTESTOR,
    Role.RESEARCHER: PartyRole.RESEARCHER,
}


class Accredited(StrEnum):
    """How a key stands in the logs known here."""

    NOT_YET = "not-yet"
    YES = "yes"
    OTHER_CUSTODY = "other-custody"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Grant:
    """One accreditation: its roles, who says it, until when, and how it says the key is kept."""

    roles: tuple[str, ...]
    by: str
    statement: str
    custody: Custody
    expires: datetime | None
    over: bool


@dataclass(frozen=True, slots=True)
class KeyStanding:
    """What is logged about a key."""

    accredited: Accredited
    grants: tuple[Grant, ...]
    revocation: Revocation | None

    @property
    def roles(self) -> frozenset[str]:
        """The roles of the accreditations that are not over."""
        return frozenset(role for grant in self.grants if not grant.over for role in grant.roles)


def standing_of(key: PartyKey) -> KeyStanding:
    """Return what this node and its peers say of a key in the logs known here; others' words make nobody speak."""
    party = ground().views().party(key.key_id)
    if party is None:
        return KeyStanding(Accredited.NOT_YET, (), None)
    accreditors = _accreditors()
    grants = tuple(_grants([item for item in party.accreditations if item.by in accreditors]))
    live = [grant for grant in grants if not grant.over]
    if party.revocation is not None or (grants and not live):
        accredited = Accredited.ENDED
    elif not grants:
        accredited = Accredited.NOT_YET
    else:
        fits = all(grant.custody.value == key.custody for grant in live)
        accredited = Accredited.YES if fits else Accredited.OTHER_CUSTODY
    return KeyStanding(accredited, grants, party.revocation)


def refuse_unfit(parsed: Parsed, key: PartyKey) -> None:
    """Raise NotFitError if a key is known to lack every role in which such a statement counts, or is not what it seems.

    A key of which no log says anything goes on to the node, which refuses it in a signed receipt.
    """
    wanted = parsed.kind.spoken_by if parsed.kind else frozenset()
    held = standing_of(key)
    if held.accredited is Accredited.OTHER_CUSTODY:
        what = f"the log says that this key is kept otherwise than in custody `{key.custody}`, as you enrolled it"
        remedy = "have the operator withdraw that and accredit the key anew: verifiers go by what the log says"
        raise NotFitError(what, where=f"key {key.key_id}", remedy=remedy)
    if wanted and held.roles and not wanted & held.roles:
        what = f"your key is accredited as {_listed(held.roles)}, and such a statement counts by {_listed(wanted)} only"
        remedy = "sign with a key accredited for that, or have an operator accredit this one"
        raise NotFitError(what, where=f"key {key.key_id}", remedy=remedy)


def accredit_command(key: PartyKey, roles: frozenset[Role]) -> str:
    """Return what an operator types on the node's home to accredit a key in the roles of its holder."""
    wanted = [_PARTY_ROLES[role].value for role in sorted(roles) if role in _PARTY_ROLES]
    options = " ".join(f"--role {role}" for role in wanted) or "--role ROLE"
    return f"pellucid --home HOME party accredit {key.spki} {options} --custody {key.custody}"


def revoke_command(key: PartyKey) -> str:
    """Return what an operator types to say in the log that a key no longer speaks."""
    return f"pellucid --home HOME party revoke {key.key_id} --retired"


def _accreditors() -> frozenset[str]:
    """Return the party keys of this node and its peers: the accreditations that make a node log somebody's words."""
    views = ground().views()
    keys = [*views.node().keys, *(key for peer in views.peers() for key in peer.keys)]
    return frozenset(key.fingerprint for key in keys if key.role == KeyRole.PARTY)


def _grants(accreditations: list[Accreditation]) -> Iterator[Grant]:
    now = datetime.now(UTC)
    by_statement: dict[tuple[str, str], list[str]] = {}
    for item in accreditations:
        by_statement.setdefault((item.statement, item.by), []).append(item.role)
    for (statement, by), roles in by_statement.items():
        record = ground().views().statement(statement)
        if record is None or not isinstance(record.model, Party):
            continue
        model: Party = record.model
        expires = datetime.fromtimestamp(parse_time(model.expires), UTC) if model.expires else None
        over = record.withdrawn is not None or (expires is not None and expires <= now)
        yield Grant(tuple(roles), by, statement, model.custody, expires, over)


def _listed(roles: frozenset[str]) -> str:
    return " or ".join(sorted(roles))
