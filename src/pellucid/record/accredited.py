"""The roster of the moment, from cards, the index, and what was accepted here but is not yet published."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from pellucid.record.accept import Accepted
from pellucid.record.index_reader import IndexReader
from pellucid.record.logs import Logs, Situation
from pellucid.record.roster import Roster, Word, word_of
from pellucid.statement.keys import PublicKey, Role


class Accredited:
    """Keeps a `Roster` up to date; safe between threads."""

    def __init__(self, logs: Logs, index: IndexReader) -> None:
        self._logs = logs
        self._index = index
        self._mutex = threading.Lock()
        self._token: tuple[object, ...] | None = None
        self._words: list[Word] = []
        self._pending: dict[str, Word] = {}
        self._roster = Roster({}, ())
        self._others: Mapping[str, PublicKey] = {}
        self.refresh()

    def roster(self) -> Roster:
        """Return who may have statements logged here."""
        return self._roster

    def others(self) -> Mapping[str, PublicKey]:
        """Return the keys, by id, of this node and its peers that are not party keys."""
        return self._others

    def refresh(self) -> None:
        """Take in what has been indexed and which nodes have been joined with since the last time."""
        situation = self._logs.now()
        token = (situation.revision, *self._index.authority_token())
        with self._mutex:
            if token == self._token:
                return
            self._words = self._index.words()
            indexed = {word.statement for word in self._words}
            self._pending = {sid: word for sid, word in self._pending.items() if sid not in indexed}
            self._others = _other_keys(situation, self._logs.home.keys)
            self._put_together(situation)
            self._token = token

    def remember(self, accepted: Accepted) -> None:
        """Honour what was accepted at once, before it is published and indexed."""
        word = word_of(accepted.parsed, accepted.signers)
        if word is not None:
            with self._mutex:
                self._pending[word.statement] = word
                self._put_together(self._logs.now())

    def _put_together(self, situation: Situation) -> None:
        direct = {key.id: key for key in (situation.party, *(peer.keys[Role.PARTY] for peer in situation.peers))}
        self._roster = Roster(direct, [*self._words, *self._pending.values()])


def _other_keys(situation: Situation, own: Mapping[Role, PublicKey]) -> dict[str, PublicKey]:
    held = (own, *(peer.keys for peer in situation.peers))
    return {key.id: key for keys in held for role, key in keys.items() if role is not Role.PARTY}
