"""What pages ask of a node: the read-only query layer `Views`, and the facts it answers with.

Times are aware UTC datetimes; hashes, key ids and statement ids are lowercase hex; references are the `Ref`
strings of the statement layer (`sha256:…`, `gitTree:…`, `statement:…`, `key:…`, `release:…`). A log is named by
the SHA-256 of its origin. Lists are bounded by their `limit`; nothing here raises for "not found": it answers
`None` or an empty tuple.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class KeyFact:
    """One public key of a node."""

    role: str  # log, witness, mirror, lookup, audit, node, party
    name: str
    fingerprint: str  # SHA-256 of the SPKI
    vkey: str | None  # log, witness and mirror keys only


@dataclass(frozen=True, slots=True)
class NodeFact:
    """The installation that answers."""

    name: str
    role: str  # vendor or center
    region: str
    operator: str
    url: str | None
    keys: tuple[KeyFact, ...]


@dataclass(frozen=True, slots=True)
class Cosigner:
    """Somebody whose cosignature this node asks for or knows."""

    name: str
    role: str  # witness or mirror
    operator: str
    region: str
    vkey: str
    counts: bool  # towards the witness quorum: False for mirrors and for the log's own operator


@dataclass(frozen=True, slots=True)
class CosignatureFact:
    """A valid cosignature on one checkpoint."""

    cosigner: Cosigner
    at: datetime


@dataclass(frozen=True, slots=True)
class CheckpointFact:
    """One published head of a log, with what was signed on it."""

    origin: str
    size: int
    root: str
    note: str  # the signed note, exactly
    cosignatures: tuple[CosignatureFact, ...]  # valid ones of known cosigners, oldest first
    required: int  # the witness quorum that held for it
    time: datetime | None  # k-th earliest counting cosignature; None if the quorum is 0 or not met


@dataclass(frozen=True, slots=True)
class LogFact:
    """One log that this node keeps or mirrors."""

    id: str
    origin: str
    own: bool
    operator: str
    region: str
    vkey: str
    head: CheckpointFact | None  # None until the first publication
    head_seen: datetime | None  # when this node published it or pulled it
    candidates: tuple[Cosigner, ...]
    required: int
    outages: int  # tolerated by the quorum
    colluders: int
    pending: int  # durable here, not yet under a published head
    frozen: bool


@dataclass(frozen=True, slots=True)
class Place:
    """Where a statement stands in one log."""

    log: str
    origin: str
    own: bool
    index: int
    covered_by: int | None  # size of the first kept checkpoint that covers it
    logged_at: datetime | None  # time of that checkpoint


@dataclass(frozen=True, slots=True)
class SubjectFact:
    """One subject of a statement."""

    name: str | None
    refs: tuple[str, ...]


class Ending(StrEnum):
    """Why a party's key no longer counts."""

    RETIRED = "retired"
    COMPROMISED = "compromised"


@dataclass(frozen=True, slots=True)
class Revocation:
    """The party itself or its accreditor ended a key."""

    ending: Ending
    since: datetime | None  # for compromised keys: what was logged after this is void
    by: str  # key id
    statement: str
    logged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """The author took a statement back."""

    statement: str
    reason: str | None  # the enum of the withdrawal predicate
    logged_at: datetime | None


@dataclass(frozen=True, slots=True)
class Record:
    """One statement as this node knows it, wherever it is logged."""

    id: str
    kind: str | None  # release, review, delta, party or withdrawal; None if not known here
    predicate_type: str
    authors: tuple[str, ...]  # key ids whose signature was found good; empty if none is known here
    subjects: tuple[SubjectFact, ...]
    predicate: Mapping[str, Any]  # as it stands
    model: Any  # the predicate as its kind's model (Release, Review, Delta, Party …); None if unknown or `problem`
    opened: Mapping[str, str]  # fields of its commitments whose openings this node publishes
    problem: str | None  # why its predicate does not fit its type; None if it fits or the type is unknown
    places: tuple[Place, ...]  # earliest logged first; never empty
    logged_at: datetime | None  # earliest over its places
    withdrawn: Withdrawal | None
    revoked: Revocation | None  # of its (first) author, only if it voids or limits this statement


@dataclass(frozen=True, slots=True)
class Accreditation:
    """Somebody granted a party a role, and says how its key is kept."""

    role: str
    by: str
    statement: str
    logged_at: datetime | None
    custody: str = "file"  # file, browser or token


@dataclass(frozen=True, slots=True)
class PartyFact:
    """A key that speaks, and what others said about it."""

    key: str
    name: str | None  # opened by its owner, else None
    affiliation: str | None
    accreditations: tuple[Accreditation, ...]
    revocation: Revocation | None
    statements: int


@dataclass(frozen=True, slots=True)
class PeerFact:
    """Another node that this one was joined with."""

    name: str
    role: str
    region: str
    operator: str
    url: str | None
    keys: tuple[KeyFact, ...]
    log: str | None
    witnesses_us: bool
    mirrors_us: bool
    last_answer: datetime | None  # last successful exchange
    problem: str | None  # what went wrong at the last attempt


@dataclass(frozen=True, slots=True)
class MirrorFact:
    """A copy of somebody's log: kept here of a peer's, or kept by a peer of ours."""

    log: str
    origin: str
    kept_by: str  # node name
    size: int
    source_size: int | None  # the log's own size as last seen
    at: datetime | None  # of the mirror's cosignature
    problem: str | None


@dataclass(frozen=True, slots=True)
class Alarm:
    """Evidence that something is wrong with a log or a release."""

    kind: str  # doubled-release, inconsistent-log, stale-log
    what: str  # one sentence, neutral
    log: str | None
    statements: tuple[str, ...]
    at: datetime | None


@dataclass(frozen=True, slots=True)
class EntryFact:
    """One entry of a log, to the byte, and its proof."""

    log: str
    index: int
    leaf_hash: str
    data: bytes  # the entry: the envelope's bytes
    payload: bytes | None  # the envelope's payload; None if the entry is no envelope
    statement: str | None


@dataclass(frozen=True, slots=True)
class ProductRow:
    """One product with live or ended releases."""

    product: str
    releases: int
    latest: str  # statement id of the release logged last
    latest_version: str
    latest_at: datetime | None


@dataclass(frozen=True, slots=True)
class AuthorRow:
    """One key, and how much of one kind it has said."""

    key: str
    statements: int
    newest: datetime | None


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many statements of one kind were logged on one day (UTC)."""

    day: date
    kind: str
    statements: int


class Views(Protocol):
    """Everything that pages read."""

    def node(self) -> NodeFact: ...

    def counts(self) -> Mapping[str, int]:
        """Return how many statements of each kind are known here (`other` for unknown kinds)."""

    def logs(self) -> tuple[LogFact, ...]:
        """Return the node's own log first, then the mirrored ones by origin."""

    def log(self, log: str) -> LogFact | None: ...

    def newest(self, log: str, *, before: int | None, limit: int) -> tuple[tuple[int, Record | None], ...]:
        """Return entries with index < `before` (default: all), highest first; `None` for what is no statement."""

    def entry(self, log: str, index: int) -> EntryFact | None:
        """Return an entry under the published head."""

    def covering(self, log: str, index: int) -> CheckpointFact | None:
        """Return the first kept checkpoint that covers an entry."""

    def inclusion(self, log: str, index: int, size: int) -> tuple[str, ...] | None:
        """Return an inclusion proof (hex, leaf end first); `None` if out of range."""

    def consistency(self, log: str, old: int, new: int) -> tuple[str, ...] | None:
        """Return a consistency proof; `None` if out of range."""

    def root(self, log: str, size: int) -> str | None:
        """Return the root hash of the first `size` entries."""

    def statement(self, statement: str) -> Record | None: ...

    def about(self, ref: str, *, kind: str | None = None, limit: int = 200) -> tuple[Record, ...]:
        """Return statements that have `ref` among their subjects, newest logged first."""

    def about_each(
        self, refs: Sequence[str], *, kind: str | None = None, limit: int = 200
    ) -> Mapping[str, tuple[Record, ...]]:
        """Return what `about` gives for each of many references."""

    def referring(self, ref: str, *, kind: str | None = None, limit: int = 200) -> tuple[Record, ...]:
        """Return statements that name `ref` in their predicate (base trees, sources, withdrawn ids …)."""

    def referring_each(
        self, refs: Sequence[str], *, kind: str | None = None, limit: int = 200
    ) -> Mapping[str, tuple[Record, ...]]:
        """Return what `referring` gives for each of many references."""

    def by_author(self, key: str, *, limit: int = 200) -> tuple[Record, ...]:
        """Return statements that a key signed, newest logged first."""

    def products(self, *, matching: str | None = None, limit: int = 500, offset: int = 0) -> tuple[ProductRow, ...]:
        """Return products by name; `matching` is a case-insensitive substring."""

    def product_total(self, *, matching: str | None = None) -> int:
        """Return how many products `products` could give."""

    def releases(self, product: str, *, limit: int = 500, offset: int = 0) -> tuple[Record, ...]:
        """Return all release statements of a product, newest logged first, withdrawn ones too."""

    def release_total(self, product: str) -> int:
        """Return how many release statements of a product there are."""

    def starting_with(self, prefix: str, *, limit: int = 20) -> tuple[Record, ...]:
        """Return statements whose id, or one of whose subject digests, starts with these hex digits."""

    def of_kind(self, kind: str, *, limit: int = 200, offset: int = 0) -> tuple[Record, ...]:
        """Return all statements of a kind, newest logged first."""

    def authors(self, kind: str, *, limit: int = 200) -> tuple[AuthorRow, ...]:
        """Return whose keys signed statements of a kind, those with the newest first."""

    def newest_releases(self, *, limit: int = 200, offset: int = 0) -> tuple[Record, ...]:
        """Return each product's release that was logged last, newest first, withdrawn ones too."""

    def activity(self, since: datetime, kinds: Sequence[str]) -> tuple[DayCount, ...]:
        """Return how many statements of each of these kinds were logged on each day from `since` on, oldest first."""

    def parties(self, matching: str, *, limit: int = 20) -> tuple[PartyFact, ...]:
        """Return parties whose opened name or affiliation holds `matching` in any case, or whose key starts with it.

        Names are looked through for the 200 accredited last: they are not indexed, so that they can be erased.
        """

    def party(self, key: str) -> PartyFact | None: ...

    def peers(self) -> tuple[PeerFact, ...]: ...

    def mirrors(self) -> tuple[MirrorFact, ...]: ...

    def alarms(self) -> tuple[Alarm, ...]:
        """Return what `monitor` would raise now: doubled releases and inconsistent or stale logs, newest first."""
