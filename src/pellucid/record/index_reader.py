"""Questions to `index.db`, beside whoever writes it: read-only, one connection for each thread."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from pellucid.errors import UnavailableError
from pellucid.record.index_schema import CONCERN, LEADS_TO, SUBJECT, UNFIT
from pellucid.record.roster import PartyWord, WithdrawalWord, Word
from pellucid.statement.keys import PublicKey
from pellucid.trust.predicate import PartyAction

Row = tuple[Any, ...]
Item = TypeVar("Item")

ORDER = "ORDER BY s.logged IS NULL, s.logged DESC, s.first DESC, s.sid"
_BATCH = 500
_STATEMENT = "s.id, s.sid, s.type, s.kind, s.problem, s.logged"


@dataclass(frozen=True, slots=True)
class IndexedPlace:
    """Where a statement stands: log id, index, and the first kept checkpoint that covers it with its time."""

    log: str
    index: int
    covered_by: int | None
    logged: int | None


@dataclass(frozen=True, slots=True)
class Indexed:
    """A statement as the index knows it; `logged` in POSIX seconds."""

    row: int
    id: str
    type: str
    kind: str | None
    problem: str | None
    logged: int | None


class IndexReader:
    """Reads the index at `path`; an index that is not there yet has nothing in it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._local = threading.local()

    def size(self, log: str) -> int:
        """Return how many entries of a log are indexed."""
        rows = self.rows("SELECT size FROM log WHERE hash = ?", log)
        return int(rows[0][0]) if rows else 0

    def listed(self, refs: Iterable[str], log: str, size: int) -> list[tuple[int, str]]:
        """Return index and id of the log's statements below `size` that concern any of `refs`, by index."""
        query = """
            SELECT p.entry, s.sid FROM log l JOIN reference r JOIN place p ON p.log = l.id AND p.statement = r.statement
            JOIN statement s ON s.id = r.statement WHERE l.hash = ? AND r.ref = ? AND r.how IN (?, ?) AND p.entry < ?
        """
        found = {row for ref in refs for row in self.rows(query, log, ref, SUBJECT, CONCERN, size)}
        return sorted((int(index), str(sid)) for index, sid in found)

    def statement(self, sid: str) -> Indexed | None:
        """Return a statement by its id."""
        return _first(self._statements("statement s WHERE s.sid = ?", sid))

    def at(self, log: str, before: int, limit: int) -> dict[int, Indexed]:
        """Return the statements in the `limit` entries below `before`, by index."""
        rows = self.rows(
            f"SELECT p.entry, {_STATEMENT} FROM log l JOIN place p ON p.log = l.id"  # noqa: S608 - our own names
            " JOIN statement s ON s.id = p.statement WHERE l.hash = ? AND p.entry >= ? AND p.entry < ?",
            log,
            before - limit,
            before,
        )
        return {row[0]: Indexed(*row[1:]) for row in rows}

    def about(self, ref: str, kind: str | None, limit: int) -> Sequence[Indexed]:
        """Return statements found under `ref`, newest first; also those that do not fit their type."""
        return self._referring(ref, (SUBJECT, CONCERN, UNFIT), kind, limit)

    def about_each(self, refs: Sequence[str], kind: str | None, limit: int) -> dict[str, list[Indexed]]:
        """Return what `about` gives for each of many references, `limit` of them for each."""
        return self._each(refs, (SUBJECT, CONCERN, UNFIT), kind, limit)

    def referring_each(self, refs: Sequence[str], kind: str | None, limit: int) -> dict[str, list[Indexed]]:
        """Return what `referring` gives for each of many references, `limit` of them for each."""
        return self._each(refs, (CONCERN, LEADS_TO), kind, limit)

    def referring(self, ref: str, kind: str | None, limit: int) -> Sequence[Indexed]:
        """Return statements whose predicate names `ref`, newest first."""
        return self._referring(ref, (CONCERN, LEADS_TO), kind, limit)

    def by_author(self, key: str, limit: int) -> Sequence[Indexed]:
        """Return statements that a key signed, newest first."""
        return self._statements(
            f"signer g JOIN statement s ON s.id = g.statement WHERE g.key = ? {ORDER} LIMIT ?", key, limit
        )

    def releases(self, product: str, limit: int, offset: int = 0) -> Sequence[Indexed]:
        """Return a product's releases, newest first."""
        source = f"release r JOIN statement s ON s.id = r.statement WHERE r.product = ? {ORDER} LIMIT ? OFFSET ?"
        return self._statements(source, product, limit, offset)

    def release_total(self, product: str) -> int:
        """Return how many releases a product has."""
        return int((self.rows("SELECT COUNT(*) FROM release WHERE product = ?", product) or [(0,)])[0][0])

    def product_total(self, matching: str) -> int:
        """Return how many products there are; `matching` as in `products`."""
        query = "SELECT COUNT(DISTINCT product) FROM release WHERE instr(lower(product), lower(?)) > 0"
        return int((self.rows(query, matching) or [(0,)])[0][0])

    def products(self, matching: str, limit: int, offset: int = 0) -> Sequence[Row]:
        """Return (product, releases) by name; `matching` is a substring in any case."""
        return self.rows(
            "SELECT product, COUNT(*) FROM release WHERE instr(lower(product), lower(?)) > 0"
            " GROUP BY product ORDER BY product COLLATE NOCASE, product LIMIT ? OFFSET ?",
            matching,
            limit,
            offset,
        )

    def newest_of(self, products: Sequence[str]) -> dict[str, tuple[str, str, int | None]]:
        """Return id, version and logged time of the release of each product that was logged last."""
        found: dict[str, tuple[str, str, int | None]] = {}
        for some in _batches(products):
            query = (
                "SELECT product, sid, version, logged FROM (SELECT r.product, r.version, s.*,"  # noqa: S608 - our own names
                f" ROW_NUMBER() OVER (PARTITION BY r.product {ORDER}) AS place FROM release r"
                f" JOIN statement s ON s.id = r.statement WHERE r.product IN ({_marks(some)})) WHERE place = 1"
            )
            found |= {product: (sid, version, logged) for product, sid, version, logged in self.rows(query, *some)}
        return found

    def of_kind(self, kind: str, limit: int, offset: int = 0) -> Sequence[Indexed]:
        """Return the statements of a kind, newest first."""
        source = "statement s WHERE s.kind = ? ORDER BY s.logged DESC, s.first DESC, s.sid LIMIT ? OFFSET ?"
        return self._statements(source, kind, limit, offset)

    def authors(self, kind: str, limit: int) -> Sequence[Row]:
        """Return (key, statements of that kind, newest logged time), those with the newest first."""
        return self.rows(
            "SELECT g.key, COUNT(*), MAX(s.logged) FROM statement s JOIN signer g ON g.statement = s.id"
            " WHERE s.kind = ? GROUP BY g.key ORDER BY MAX(s.logged) IS NULL, MAX(s.logged) DESC, g.key LIMIT ?",
            kind,
            limit,
        )

    def newest_releases(self, limit: int, offset: int = 0) -> Sequence[Indexed]:
        """Return each product's release that was logged last, newest first."""
        newest = f"SELECT s.*, ROW_NUMBER() OVER (PARTITION BY r.product {ORDER}) AS place FROM release r"  # noqa: S608 - our own names
        source = f"({newest} JOIN statement s ON s.id = r.statement) s WHERE s.place = 1 {ORDER} LIMIT ? OFFSET ?"
        return self._statements(source, limit, offset)

    def activity(self, since: int, kinds: Sequence[str]) -> Sequence[Row]:
        """Return (days since 1970, kind, statements) for what was logged from `since` on, oldest first."""
        return self.rows(
            f"SELECT logged / 86400 AS day, kind, COUNT(*) FROM statement WHERE kind IN ({_marks(kinds)})"  # noqa: S608 - marks only
            " AND logged >= ? GROUP BY day, kind ORDER BY day, kind",
            *kinds,
            since,
        )

    def accredited(self, limit: int) -> Sequence[str]:
        """Return the keys that were accredited last."""
        query = "SELECT key FROM party WHERE action = 'accredit' GROUP BY key ORDER BY MAX(statement) DESC, key LIMIT ?"
        return [key for (key,) in self.rows(query, limit)]

    def keys_starting_with(self, prefix: str, limit: int) -> Sequence[str]:
        """Return keys that somebody spoke about, or that spoke, whose id starts with these hexadecimal digits."""
        query = (
            "SELECT key FROM party WHERE key >= ? AND key < ? UNION SELECT key FROM signer WHERE key >= ? AND key < ?"
            " ORDER BY key LIMIT ?"
        )
        end = prefix + "g"
        return [key for (key,) in self.rows(query, prefix, end, prefix, end, limit)]

    def starting_with(self, prefix: str, limit: int) -> Sequence[Indexed]:
        """Return statements whose id, or one of whose subject digests, starts with these hexadecimal digits."""
        end = prefix + "g"
        found = {
            item.id: item
            for item in self._statements("statement s WHERE s.sid >= ? AND s.sid < ? LIMIT ?", prefix, end, limit)
        }
        for algorithm in ("sha256:", "gitTree:"):
            source = "reference r JOIN statement s ON s.id = r.statement WHERE r.ref >= ? AND r.ref < ?"
            source += " AND r.how IN (?, ?) LIMIT ?"
            bounds = (algorithm + prefix, algorithm + end, SUBJECT, UNFIT, limit)
            found |= {item.id: item for item in self._statements(source, *bounds)}
        return sorted(found.values(), key=lambda item: (-(item.logged or 0), item.id))[:limit]

    def places(self, row: int) -> list[IndexedPlace]:
        """Return where a statement stands, earliest logged first."""
        return self.places_of([row])[row]

    def places_of(self, statements: Sequence[int]) -> dict[int, list[IndexedPlace]]:
        """Return where each of the statements with these rows stands, earliest logged first."""
        found: dict[int, list[IndexedPlace]] = {row: [] for row in statements}
        for some in _batches(statements):
            query = (
                "SELECT p.statement, l.hash, p.entry,"  # noqa: S608 - marks only
                " (SELECT MIN(size) FROM checkpoint WHERE log = p.log AND size > p.entry),"
                " (SELECT time FROM checkpoint WHERE log = p.log AND size > p.entry ORDER BY size LIMIT 1)"
                f" FROM place p JOIN log l ON l.id = p.log WHERE p.statement IN ({_marks(some)})"
            )
            for row, *place in self.rows(query, *some):
                found[row].append(IndexedPlace(*place))
        for places in found.values():
            places.sort(key=lambda item: (item.logged is None, item.logged or 0, item.log, item.index))
        return found

    def signers(self, row: int) -> frozenset[str]:
        """Return the ids of the known keys that signed a statement."""
        return self.signers_of([row])[row]

    def signers_of(self, statements: Sequence[int]) -> dict[int, frozenset[str]]:
        """Return for each of the statements with these rows the ids of the known keys that signed it."""
        found: dict[int, set[str]] = {row: set() for row in statements}
        for some in _batches(statements):
            query = f"SELECT statement, key FROM signer WHERE statement IN ({_marks(some)})"  # noqa: S608 - marks only
            for row, key in self.rows(query, *some):
                found[row].add(key)
        return {row: frozenset(keys) for row, keys in found.items()}

    def doubted(self, statements: Sequence[Indexed]) -> set[str]:
        """Return the ids of those statements that some withdrawal names, be it by their author or not."""
        refs = {f"statement:{item.id}": item.id for item in statements}
        named: set[str] = set()
        for some in _batches(list(refs)):
            query = f"SELECT DISTINCT ref FROM reference WHERE ref IN ({_marks(some)}) AND how = ?"  # noqa: S608 - marks only
            named |= {refs[ref] for (ref,) in self.rows(query, *some, CONCERN)}
        return named

    def signed(self, key: str) -> int:
        """Return how many statements a key signed."""
        return int((self.rows("SELECT COUNT(*) FROM signer WHERE key = ?", key) or [(0,)])[0][0])

    def withdrawals(self, row: int, sid: str) -> Sequence[Indexed]:
        """Return the withdrawals of a statement by one of its own signers, earliest logged first."""
        return self._statements(
            "reference r JOIN statement s ON s.id = r.statement WHERE r.ref = ? AND r.how = ? AND s.kind = 'withdrawal'"
            " AND EXISTS (SELECT 1 FROM signer a JOIN signer b ON b.key = a.key WHERE a.statement = s.id"
            " AND b.statement = ?) ORDER BY s.logged IS NULL, s.logged, s.first",
            f"statement:{sid}",
            CONCERN,
            row,
        )

    def party(self, key: str) -> list[tuple[Indexed, PartyWord]]:
        """Return what `party` statements say about a key, earliest logged first."""
        return self._party("WHERE w.key = ? ORDER BY s.logged IS NULL, s.logged, s.first, s.sid", key)

    def key(self, key: str) -> PublicKey | None:
        """Return a known key by its id."""
        rows = self.rows("SELECT public FROM key WHERE id = ?", key)
        return PublicKey(rows[0][0]) if rows else None

    def words(self) -> list[Word]:
        """Return everything that says who may speak, for a `Roster`."""
        found: list[Word] = [word for _, word in self._party("")]
        withdrawn = self.rows(
            "SELECT s.sid, s.id, a.sid FROM party w JOIN statement a ON a.id = w.statement"
            " JOIN reference r ON r.ref = 'statement:' || a.sid AND r.how = ? JOIN statement s ON s.id = r.statement"
            " WHERE s.kind = 'withdrawal'",
            CONCERN,
        )
        found += [WithdrawalWord(sid, self.signers(row), target) for sid, row, target in withdrawn]
        return found

    def authority_token(self) -> tuple[object, ...]:
        """Return a value that differs once `words` does."""
        kinds = "SELECT COUNT(*) FROM statement WHERE kind IN ('party', 'withdrawal')"
        queries = (kinds, "SELECT COUNT(*) FROM unresolved", "SELECT COUNT(*) FROM key")
        return tuple(row for query in queries for row in self.rows(query))

    def counts(self) -> dict[str | None, int]:
        """Return the number of statements by kind."""
        return dict(self.rows("SELECT kind, COUNT(*) FROM statement GROUP BY kind"))

    def doubled(self, limit: int) -> list[list[tuple[Indexed, str]]]:
        """Return releases (each with its digest) that give one artifact of one version different bytes, by artifact."""
        refs = self.rows("SELECT ref FROM artifact GROUP BY ref HAVING COUNT(DISTINCT sha256) > 1 LIMIT ?", limit)
        query = f"SELECT a.sha256, {_STATEMENT} FROM artifact a JOIN statement s ON s.id = a.statement WHERE a.ref = ?"  # noqa: S608 - our own names
        return [[(Indexed(*row[1:]), row[0]) for row in self.rows(query, ref)] for (ref,) in refs]

    def rows(self, query: str, *values: object) -> list[Row]:
        """Return the rows of one query; UnavailableError if the index cannot be read."""
        connection = self._connect()
        if connection is None:
            return []
        try:
            return connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise UnavailableError(
                f"the index cannot be read: {error}", where=str(self.path), remedy="make it anew: `pellucid reindex`"
            ) from error

    def _connect(self) -> sqlite3.Connection | None:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None and self.path.exists():
            connection = sqlite3.connect(f"{self.path.as_uri()}?mode=ro", uri=True, timeout=10.0, isolation_level=None)
            self._local.connection = connection
        return connection

    def _each(
        self, refs: Sequence[str], how: tuple[int, ...], kind: str | None, limit: int
    ) -> dict[str, list[Indexed]]:
        found: dict[str, list[Indexed]] = {ref: [] for ref in refs}
        for some in _batches(list(found)):
            # A place for each reference of its own: one with many statements must not crowd out the others.
            query = (
                f"SELECT ref, {_STATEMENT} FROM (SELECT r.ref, s.*,"  # noqa: S608 - our own names
                f" ROW_NUMBER() OVER (PARTITION BY r.ref {ORDER}) AS place FROM statement s"
                f" JOIN (SELECT DISTINCT ref, statement FROM reference WHERE ref IN ({_marks(some)})"
                f" AND how IN ({_marks(how)})) r ON r.statement = s.id WHERE ? IS NULL OR s.kind = ?) s"
                " WHERE place <= ? ORDER BY ref, place"
            )
            for ref, *rest in self.rows(query, *some, *how, kind, kind, limit):
                found[ref].append(Indexed(*rest))
        return found

    def _referring(self, ref: str, how: tuple[int, ...], kind: str | None, limit: int) -> Sequence[Indexed]:
        marks = ", ".join("?" * len(how))
        source = f"statement s WHERE s.id IN (SELECT statement FROM reference WHERE ref = ? AND how IN ({marks}))"  # noqa: S608 - marks only
        return self._statements(f"{source} AND (? IS NULL OR s.kind = ?) {ORDER} LIMIT ?", ref, *how, kind, kind, limit)

    def _statements(self, source: str, *values: object) -> list[Indexed]:
        return [Indexed(*row) for row in self.rows(f"SELECT {_STATEMENT} FROM {source}", *values)]  # noqa: S608 - our own text

    def _party(self, where: str, *values: object) -> list[tuple[Indexed, PartyWord]]:
        rows = self.rows(
            f"SELECT w.key, w.action, w.since, w.expires, k.public, {_STATEMENT} FROM party w"  # noqa: S608 - our own text
            f" JOIN statement s ON s.id = w.statement LEFT JOIN key k ON k.id = w.key {where}",
            *values,
        )
        found = []
        for key, action, since, expires, raw, *rest in rows:
            statement = Indexed(*rest)
            public = PublicKey(raw) if raw is not None and action == PartyAction.ACCREDIT else None
            signers = self.signers(statement.row)
            found.append(
                (statement, PartyWord(statement.id, signers, key, PartyAction(action), public, since, expires))
            )
        return found


def _batches(items: Sequence[Item]) -> Iterator[Sequence[Item]]:
    return (items[start : start + _BATCH] for start in range(0, len(items), _BATCH))


def _marks(items: Sequence[object]) -> str:
    return ", ".join("?" * len(items))


def _first(found: Sequence[Indexed]) -> Indexed | None:
    return found[0] if found else None
