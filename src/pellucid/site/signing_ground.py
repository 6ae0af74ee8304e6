"""The node as the signing pages see it: its logs, its words for statements, and the way into its log."""

from __future__ import annotations

from django.utils.translation import gettext as _

from pellucid.capabilities import PREDICATES
from pellucid.node import Node
from pellucid.record.facts import Record, SubjectFact, Views
from pellucid.release.portal.claims import Speaker
from pellucid.release.portal.speakers import introduce
from pellucid.signing.portal import door
from pellucid.signing.portal.door import Wording
from pellucid.site.words import Row, in_words, kind_name, rows
from pellucid.statement.dsse import Envelope
from pellucid.statement.predicate import Parsed, Registry
from pellucid.statement.reference import subject_refs

_MOST_SUBJECTS = 200


class SigningGround:
    """`node` behind the signing pages. Safe between threads."""

    registry: Registry = PREDICATES

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def origin(self) -> str:
        """The node's name."""
        return self._node.origin

    def views(self) -> Views:
        """Return what the node's logs say now, not what pages remember of a moment ago: signatures depend on it."""
        return self._node.views

    def submit(self, envelope: bytes) -> Envelope:
        """See `Node.submit`."""
        return self._node.submit(envelope)

    def word(self, parsed: Parsed, key: str | None) -> Wording:
        """Say a statement in words as its page will once it is logged."""
        record = _record(parsed)
        speaker = introduce(key, self.views()) if key else Speaker("", _("Your key"), None, None, "/account/keys")
        subjects = tuple(
            Row(subject.name or "subject", ref, code=True)
            for subject in record.subjects[:_MOST_SUBJECTS]
            for ref in subject.refs
        )
        return Wording(kind_name(record), in_words(record, speaker), subjects, rows(record.predicate))


def serve(node: Node) -> None:
    """Make `node` what the signing pages of this process ask."""
    door.serve(SigningGround(node))


def _record(parsed: Parsed) -> Record:
    """Return a statement that is not logged yet as a record of nowhere."""
    statement = parsed.statement
    return Record(
        id=parsed.id,
        kind=parsed.kind.name if parsed.kind else None,
        predicate_type=statement.predicate_type,
        authors=(),
        subjects=tuple(SubjectFact(s.name, tuple(sorted(subject_refs((s,))))) for s in statement.subjects),
        predicate=statement.predicate,
        model=parsed.predicate,
        opened={},
        problem=None,
        places=(),
        logged_at=None,
        withdrawn=None,
        revoked=None,
    )
