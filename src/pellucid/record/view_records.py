"""The part of the views that turns indexed statements into records, read from the logs themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pellucid.errors import EvidenceError, InputError
from pellucid.record.facts import Accreditation, Ending, PartyFact, Place, Record, Revocation, SubjectFact, Withdrawal
from pellucid.record.index_reader import Indexed, IndexedPlace, IndexReader
from pellucid.record.logs import Logs, Situation
from pellucid.record.openings import Openings
from pellucid.record.roster import PartyWord
from pellucid.record.view_logs import moment
from pellucid.statement.dsse import Envelope
from pellucid.statement.intoto import Statement, StatementError
from pellucid.statement.keys import Role
from pellucid.statement.predicate import Registry, read_predicate
from pellucid.statement.reference import subject_refs
from pellucid.tlog.recent import Recent
from pellucid.trust.predicate import Party, PartyAction
from pellucid.trust.predicate import Withdrawal as WithdrawalPredicate

_NAMES_MOST = 200
_PREFIX_LEAST = 4
_HEX = frozenset("0123456789abcdef")
_COMMITMENTS = ("identity", "details", "explanation")


@dataclass(frozen=True, slots=True)
class _Read:
    """What never changes of a statement: its payload, read."""

    envelope: Envelope
    statement: Statement
    model: Any


@dataclass(frozen=True, slots=True)
class _Around:
    """What the index says of several statements at once, by row, and of their authors, by key."""

    situation: Situation
    places: Mapping[int, list[IndexedPlace]]
    signers: Mapping[int, frozenset[str]]
    doubted: set[str]
    words: dict[str, list[tuple[Indexed, PartyWord]]] = field(default_factory=dict)


class RecordViews:
    """Reads statements; safe between threads, writes nothing."""

    def __init__(self, logs: Logs, index: IndexReader, registry: Registry, openings: Openings) -> None:
        self._logs = logs
        self._index = index
        self._registry = registry
        self._openings = openings
        self._reads: Recent[str, _Read] = Recent(2048)

    def records(self, found: Iterable[Indexed]) -> tuple[Record, ...]:
        """Return the records of indexed statements, in their order; what can no longer be read is left out."""
        found = tuple(found)
        if not found:
            return ()
        around = self._around(found)
        return tuple(record for item in found if (record := self._record(item, around)) is not None)

    def record(self, indexed: Indexed) -> Record | None:
        """Return the record of an indexed statement."""
        return next(iter(self.records([indexed])), None)

    def records_of(self, found: Mapping[str, Sequence[Indexed]]) -> dict[str, tuple[Record, ...]]:
        """Return the records of many lists of indexed statements at once."""
        flat = {item.row: item for items in found.values() for item in items}
        records = {record.id: record for record in self.records(flat.values())}
        return {name: tuple(records[item.id] for item in items if item.id in records) for name, items in found.items()}

    def _around(self, found: Sequence[Indexed]) -> _Around:
        rows = [item.row for item in found]
        places, signers = self._index.places_of(rows), self._index.signers_of(rows)
        return _Around(self._logs.now(), places, signers, self._index.doubted(found))

    def _record(self, indexed: Indexed, around: _Around) -> Record | None:
        places = around.places[indexed.row]
        read = self._read(indexed, places)
        if read is None:
            return None
        authors = _authors(read.envelope, around.signers[indexed.row])
        predicate = read.statement.predicate
        return Record(
            indexed.id,
            indexed.kind,
            indexed.type,
            authors,
            tuple(SubjectFact(s.name, tuple(sorted(subject_refs([s])))) for s in read.statement.subjects),
            predicate,
            read.model,
            self._opened(predicate),
            indexed.problem,
            tuple(_places(places, around.situation)),
            moment(indexed.logged),
            self._withdrawal(indexed) if indexed.id in around.doubted else None,
            self._revocation(authors[0], indexed, around) if authors else None,
        )

    def party(self, key: str) -> PartyFact | None:
        """Return what is known of a key that speaks, None if nothing is."""
        situation = self._logs.now()
        card = _card_names(situation).get(key)
        words, statements = self._index.party(key), self._index.signed(key)
        if card is None and not words and not statements:
            return None
        granted = [item for item in words if item[1].action is PartyAction.ACCREDIT]
        accreditations = tuple(
            Accreditation(role.value, by, statement.id, moment(statement.logged), party.custody.value)
            for statement, word in granted
            if (party := self._party(statement)) is not None
            for role in party.roles
            for by in sorted(word.by)
        )
        opened = self._identity(granted)
        name, affiliation = opened.get("name"), opened.get("affiliation")
        if card is not None:
            name, affiliation = name or card[0], affiliation or card[1]
        ended = self._ending(key, words, None)
        return PartyFact(key, name, affiliation, accreditations, ended, statements)

    def parties(self, matching: str, limit: int) -> tuple[PartyFact, ...]:
        """Return parties by a part of what their owners opened, or by the start of their key."""
        wanted = matching.casefold()
        cards = _card_names(self._logs.now())
        by_name = dict.fromkeys([*cards, *self._index.accredited(_NAMES_MOST)])
        found = {key: party for key in by_name if (party := self.party(key)) and _named(party, wanted)}
        if len(wanted) >= _PREFIX_LEAST and set(wanted) <= _HEX:
            begins = [*self._index.keys_starting_with(wanted, limit), *(key for key in cards if key.startswith(wanted))]
            found |= {key: party for key in begins if key not in found and (party := self.party(key))}
        return tuple(found.values())[:limit]

    def _party(self, indexed: Indexed) -> Party | None:
        read = self._read(indexed, self._index.places(indexed.row))
        return read.model if read and isinstance(read.model, Party) else None

    def _identity(self, granted: Iterable[tuple[Indexed, PartyWord]]) -> Mapping[str, str]:
        opened: dict[str, str] = {}
        for statement, _ in granted:
            read = self._read(statement, self._index.places(statement.row))
            if read is not None:
                opened.update(self._opened(read.statement.predicate))
        return opened

    def _read(self, indexed: Indexed, places: Iterable[IndexedPlace]) -> _Read | None:
        found = self._reads.get(indexed.id)
        if found is not None:
            return found
        for place in places:
            log = self._logs.get(place.log)
            if log is None:
                continue
            try:
                envelope = Envelope.parse(log.reader.entry(place.index), where="entry")
                statement = Statement.parse(envelope.payload, where="entry")
            except EvidenceError:
                continue
            read = _Read(envelope, statement, self._model(indexed, statement))
            self._reads.put(indexed.id, read)
            return read
        return None

    def _model(self, indexed: Indexed, statement: Statement) -> Any:
        kind = self._registry.get(indexed.type)
        if kind is None or indexed.problem is not None:
            return None
        try:
            return read_predicate(statement, kind)
        except (StatementError, InputError):
            return None

    def _opened(self, predicate: Mapping[str, Any]) -> Mapping[str, str]:
        findings = predicate.get("findings")
        roots = [predicate.get(name) for name in _COMMITMENTS]
        roots.append(findings.get("commitment") if isinstance(findings, Mapping) else None)
        opened: dict[str, str] = {}
        for root in roots:
            if isinstance(root, str):
                fields = self._openings.fields(root)
                opened.update({name: value for name, value in fields.items() if isinstance(value, str)})
        return opened

    def _withdrawal(self, indexed: Indexed) -> Withdrawal | None:
        found = self._index.withdrawals(indexed.row, indexed.id)
        if not found:
            return None
        read = self._read(found[0], self._index.places(found[0].row))
        reason = read.model.reason.value if read and isinstance(read.model, WithdrawalPredicate) else None
        return Withdrawal(found[0].id, reason, moment(found[0].logged))

    def _revocation(self, key: str, indexed: Indexed, around: _Around) -> Revocation | None:
        if key not in around.words:
            around.words[key] = self._index.party(key)
        return self._ending(key, around.words[key], indexed)

    def _ending(self, key: str, words: Iterable[tuple[Indexed, PartyWord]], hit: Indexed | None) -> Revocation | None:
        """Return a key's first ending by itself or an accreditor; with `hit`, the first that voids that statement."""
        words = list(words)
        may_end = {key}.union(*(word.by for _, word in words if word.action is PartyAction.ACCREDIT))
        for statement, word in words:
            by = sorted(word.by & may_end)
            if word.action is PartyAction.ACCREDIT or not by:
                continue
            if hit is None or _hits(word, statement, hit):
                ending = Ending.RETIRED if word.action is PartyAction.RETIRE else Ending.COMPROMISED
                return Revocation(ending, moment(word.since), by[0], statement.id, moment(statement.logged))
        return None


def _named(party: PartyFact, wanted: str) -> bool:
    return bool(wanted) and any(wanted in text.casefold() for text in (party.name, party.affiliation) if text)


def _places(places: Iterable[IndexedPlace], situation: Situation) -> Iterable[Place]:
    for place in places:
        log = situation.logs.get(place.log)
        if log is not None:
            yield Place(place.log, log.origin, log.own, place.index, place.covered_by, moment(place.logged))


def _hits(word: PartyWord, ending: Indexed, statement: Indexed) -> bool:
    """Tell whether the ending of a key voids a statement by it."""
    if ending.id == statement.id:
        return False
    if word.action is PartyAction.COMPROMISED:
        return statement.logged is None or word.since is None or statement.logged > word.since
    return ending.logged is not None and (statement.logged is None or statement.logged > ending.logged)


def _authors(envelope: Envelope, signers: frozenset[str]) -> tuple[str, ...]:
    """Return the signers in the order of the envelope's hints, then those that no hint names."""
    hinted = [s.keyid for s in envelope.signatures if s.keyid in signers]
    return tuple(dict.fromkeys([*hinted, *sorted(signers)]))


def _card_names(situation: Situation) -> dict[str, tuple[str, str]]:
    """Return name and operator of each known node by its party key."""
    settings = situation.settings
    found = {peer.keys[Role.PARTY].id: (peer.name, peer.card.operator) for peer in situation.peers}
    return found | {situation.party.id: (settings.name, settings.operator)}
