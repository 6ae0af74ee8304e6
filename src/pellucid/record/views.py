"""Everything that pages and the API read of a node, see `pellucid.record.facts.Views`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from pellucid.errors import EvidenceError
from pellucid.record.facts import (
    Alarm,
    AuthorRow,
    CheckpointFact,
    DayCount,
    EntryFact,
    LogFact,
    MirrorFact,
    NodeFact,
    PartyFact,
    PeerFact,
    ProductRow,
    Record,
)
from pellucid.record.home import Home
from pellucid.record.index_reader import IndexReader
from pellucid.record.live import Live
from pellucid.record.logs import KnownLog, Logs
from pellucid.record.openings import Openings
from pellucid.record.view_logs import LogViews, moment
from pellucid.record.view_records import RecordViews
from pellucid.statement.dsse import Envelope
from pellucid.statement.keys import PublicKey
from pellucid.statement.predicate import Registry
from pellucid.storage.alarms import AlarmFolder
from pellucid.tlog.merkle import leaf_hash

_ALARMS_MOST = 100
_EPOCH = date(1970, 1, 1)
_PREFIX_LEAST = 4
_STALE_AT_LEAST = 3600.0
_STALE_AFTER_REPUBLICATIONS = 3


class NodeViews:
    """The `Views` of one home, beside the node that runs on it or without one. Safe between threads; writes nothing.

    `live` is what the running node notices; without it nothing is known of the others' last answers.
    """

    def __init__(self, home: Home, registry: Registry, *, live: Live | None = None, logs: Logs | None = None) -> None:
        self._home = home
        self._known = logs or Logs(home)
        self._index = IndexReader(home.path / "index.db")
        self._logs = LogViews(home, self._known, live or Live())
        self._records = RecordViews(self._known, self._index, registry, Openings(home.path / "openings"))

    def node(self) -> NodeFact:
        """See `Views.node`."""
        return self._logs.node()

    def counts(self) -> Mapping[str, int]:
        """See `Views.counts`."""
        return {kind or "other": count for kind, count in self._index.counts().items()}

    def logs(self) -> tuple[LogFact, ...]:
        """See `Views.logs`."""
        return self._logs.logs()

    def log(self, log: str) -> LogFact | None:
        """See `Views.log`."""
        return self._logs.log(log)

    def newest(self, log: str, *, before: int | None, limit: int) -> tuple[tuple[int, Record | None], ...]:
        """See `Views.newest`."""
        size = self._index.size(log)
        start = size if before is None else max(0, min(before, size))
        count = max(0, min(limit, start))
        found = self._index.at(log, start, count)
        records = {record.id: record for record in self._records.records(found.values())}
        indexes = range(start - 1, start - 1 - count, -1)
        return tuple((i, records.get(found[i].id) if i in found else None) for i in indexes)

    def entry(self, log: str, index: int) -> EntryFact | None:
        """See `Views.entry`."""
        known = self._known.get(log)
        if known is None or not 0 <= index < self._size(known):
            return None
        data = known.reader.entry(index)
        try:
            envelope = Envelope.parse(data, where="entry")
        except EvidenceError:
            return EntryFact(log, index, leaf_hash(data).hex(), data, None, None)
        found = self._index.statement(envelope.id)
        statement = None if found is None else found.id
        return EntryFact(log, index, leaf_hash(data).hex(), data, envelope.payload, statement)

    def covering(self, log: str, index: int) -> CheckpointFact | None:
        """See `Views.covering`."""
        known = self._known.get(log)
        if known is None or not 0 <= index < self._size(known):
            return None
        sizes = known.tiles.kept(index, 1)
        return self._logs.kept(known, sizes[0]) if sizes else None

    def inclusion(self, log: str, index: int, size: int) -> tuple[str, ...] | None:
        """See `Views.inclusion`."""
        known = self._known.get(log)
        if known is None or not 0 <= index < size <= self._size(known):
            return None
        return tuple(item.hex() for item in known.reader.inclusion(index, size))

    def consistency(self, log: str, old: int, new: int) -> tuple[str, ...] | None:
        """See `Views.consistency`."""
        known = self._known.get(log)
        if known is None or not 0 <= old <= new <= self._size(known):
            return None
        return tuple(item.hex() for item in known.reader.consistency(old, new))

    def root(self, log: str, size: int) -> str | None:
        """See `Views.root`."""
        known = self._known.get(log)
        if known is None or not 0 <= size <= self._size(known):
            return None
        return known.reader.root(size).hex()

    def statement(self, statement: str) -> Record | None:
        """See `Views.statement`."""
        found = self._index.statement(statement)
        return None if found is None else self._records.record(found)

    def about(self, ref: str, *, kind: str | None = None, limit: int = 200) -> tuple[Record, ...]:
        """See `Views.about`."""
        return self._records.records(self._index.about(ref, kind, limit))

    def about_each(
        self, refs: Sequence[str], *, kind: str | None = None, limit: int = 200
    ) -> Mapping[str, tuple[Record, ...]]:
        """See `Views.about_each`."""
        return self._records.records_of(self._index.about_each(refs, kind, limit))

    def referring(self, ref: str, *, kind: str | None = None, limit: int = 200) -> tuple[Record, ...]:
        """See `Views.referring`."""
        return self._records.records(self._index.referring(ref, kind, limit))

    def referring_each(
        self, refs: Sequence[str], *, kind: str | None = None, limit: int = 200
    ) -> Mapping[str, tuple[Record, ...]]:
        """See `Views.referring_each`."""
        return self._records.records_of(self._index.referring_each(refs, kind, limit))

    def by_author(self, key: str, *, limit: int = 200) -> tuple[Record, ...]:
        """See `Views.by_author`."""
        return self._records.records(self._index.by_author(key, limit))

    def products(self, *, matching: str | None = None, limit: int = 500, offset: int = 0) -> tuple[ProductRow, ...]:
        """See `Views.products`."""
        rows = self._index.products(matching or "", limit, offset)
        newest = self._index.newest_of([product for product, _ in rows])
        return tuple(
            ProductRow(product, releases, sid, version, moment(logged))
            for product, releases in rows
            if product in newest
            for sid, version, logged in [newest[product]]
        )

    def product_total(self, *, matching: str | None = None) -> int:
        """See `Views.product_total`."""
        return self._index.product_total(matching or "")

    def releases(self, product: str, *, limit: int = 500, offset: int = 0) -> tuple[Record, ...]:
        """See `Views.releases`."""
        return self._records.records(self._index.releases(product, limit, offset))

    def release_total(self, product: str) -> int:
        """See `Views.release_total`."""
        return self._index.release_total(product)

    def starting_with(self, prefix: str, *, limit: int = 20) -> tuple[Record, ...]:
        """See `Views.starting_with`; fewer than four digits find nothing."""
        if not _PREFIX_LEAST <= len(prefix) <= 64 or any(char not in "0123456789abcdef" for char in prefix):
            return ()
        return self._records.records(self._index.starting_with(prefix, limit))

    def of_kind(self, kind: str, *, limit: int = 200, offset: int = 0) -> tuple[Record, ...]:
        """See `Views.of_kind`."""
        return self._records.records(self._index.of_kind(kind, limit, offset))

    def authors(self, kind: str, *, limit: int = 200) -> tuple[AuthorRow, ...]:
        """See `Views.authors`."""
        return tuple(AuthorRow(key, count, moment(newest)) for key, count, newest in self._index.authors(kind, limit))

    def newest_releases(self, *, limit: int = 200, offset: int = 0) -> tuple[Record, ...]:
        """See `Views.newest_releases`."""
        return self._records.records(self._index.newest_releases(limit, offset))

    def activity(self, since: datetime, kinds: Sequence[str]) -> tuple[DayCount, ...]:
        """See `Views.activity`."""
        rows = self._index.activity(int(since.timestamp()), kinds)
        return tuple(DayCount(_EPOCH + timedelta(days=day), kind, count) for day, kind, count in rows)

    def parties(self, matching: str, *, limit: int = 20) -> tuple[PartyFact, ...]:
        """See `Views.parties`."""
        return self._records.parties(matching, limit)

    def party(self, key: str) -> PartyFact | None:
        """See `Views.party`."""
        return self._records.party(key)

    def peers(self) -> tuple[PeerFact, ...]:
        """See `Views.peers`."""
        return self._logs.peers()

    def mirrors(self) -> tuple[MirrorFact, ...]:
        """See `Views.mirrors`."""
        return self._logs.mirrors()

    def alarms(self) -> tuple[Alarm, ...]:
        """See `Views.alarms`."""
        found = [*self._doubled(), *self._inconsistent(), *self._stale()]
        return tuple(sorted(found, key=lambda alarm: alarm.at or datetime.fromtimestamp(0, UTC), reverse=True))

    def key(self, key: str) -> PublicKey | None:
        """Return a party's key by its id, from cards and accreditations; None if it is not known here."""
        return self._index.key(key)

    def _size(self, known: KnownLog) -> int:
        return known.reader.checkpoint().checkpoint.size if known.published else 0

    def _doubled(self) -> list[Alarm]:
        alarms = []
        for releases in self._index.doubled(_ALARMS_MOST):
            live = [item for item in releases if not self._index.withdrawals(item[0].row, item[0].id)]
            if len({digest for _, digest in live}) > 1:
                statements = tuple(dict.fromkeys(indexed.id for indexed, _ in live))
                latest = max((indexed.logged or 0 for indexed, _ in live), default=0)
                what = "Two live releases give one artifact of one version different bytes."
                alarms.append(Alarm("doubled-release", what, None, statements, moment(latest or None)))
        return alarms

    def _inconsistent(self) -> list[Alarm]:
        folder = self._home.path / "alarms"
        alarms = []
        for kept in AlarmFolder(folder).all()[:_ALARMS_MOST]:
            known = self._known.by_origin(kept.origin)
            at = moment(int((folder / kept.name).stat().st_mtime))
            what = f"The log {kept.origin} contradicts itself: {kept.why}."
            alarms.append(Alarm("inconsistent-log", what, known.id if known else None, (), at))
        return alarms

    def _stale(self) -> list[Alarm]:
        longest = max(_STALE_AT_LEAST, _STALE_AFTER_REPUBLICATIONS * self._known.now().settings.republish_every)
        now = datetime.now(UTC)
        alarms = []
        for log in self._logs.logs():
            times = [item.at for item in log.head.cosignatures if item.cosigner.counts] if log.head else []
            newest = max(times, default=None)
            if newest is not None and not log.frozen and (now - newest).total_seconds() > longest:
                what = f"Nobody independent has cosigned the log {log.origin} for more than {longest / 3600:.0f} hours."
                alarms.append(Alarm("stale-log", what, log.id, (), newest))
        return alarms
