"""Notices on what no longer stands: withdrawn statements, ended keys, and releases that are there twice."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

from pellucid.record.facts import Ending, Record
from pellucid.release.portal.claims import Link, Notice, State
from pellucid.release.portal.terms import term
from pellucid.release.predicate import Release

KEY_ENDED = {
    Ending.RETIRED: noop("Its author's key is retired"),
    Ending.COMPROMISED: noop("Its author's key is compromised"),
}


def doubled_notices(records: Iterable[Record], doubled: Mapping[str, tuple[Record, ...]]) -> tuple[Notice, ...]:
    """Tell of each release whose place another standing release claims too."""
    notices = []
    told: set[str] = set()
    for record in records:
        others = [item for item in doubled[record.id] if item.id not in told]
        told.add(record.id)
        if not others:
            continue
        release: Release = record.model
        links = tuple(Link(release_name(item.id), f"/releases/{item.id}") for item in (record, *others))
        what = _("{release} is released more than once").format(release=f"{release.product} {release.version}")
        text = _("Different files are logged under one product, version and name. One may be for one person only.")
        notices.append(Notice(State.FAILED, what, text, links))
    return tuple(notices)


def release_name(statement: str) -> str:
    """Write a release by its statement, where its own name would not tell it from another."""
    return _("release {id}").format(id=f"{statement[:12]}…")


def withdrawn_notice(record: Record) -> tuple[Notice, ...]:
    """Tell that a statement was withdrawn, and the reason that was given."""
    if record.withdrawn is None:
        return ()
    link = Link(_("the withdrawal"), f"/statements/{record.withdrawn.statement}")
    reason = term(record.withdrawn.reason or "none")
    text = _("Reason given: {reason}. The statement stays in the log.").format(reason=reason)
    return (Notice(State.FAILED, _("Withdrawn by its author"), text, (link,)),)


def revoked_notice(record: Record, text: str) -> tuple[Notice, ...]:
    """Tell that the key of a statement's author had ended; `text` says what that means for the statement."""
    if record.revoked is None:
        return ()
    link = Link(_("the revocation"), f"/statements/{record.revoked.statement}")
    return (Notice(State.FAILED, _(KEY_ENDED[record.revoked.ending]), text, (link,)),)


def ended_notices(record: Record) -> tuple[Notice, ...]:
    """Tell what ended a release."""
    text = _("This release was logged after its author's key had ended. It counts for nothing, and stays visible.")
    return (*withdrawn_notice(record), *revoked_notice(record, text))
