"""What each event is called on pages."""

from __future__ import annotations

from collections.abc import Mapping

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from pellucid.audit.events import EventType

WORDS: Mapping[EventType, str] = {
    EventType.ACCOUNT_INVITED: gettext_noop("Invited to join"),
    EventType.ACCOUNT_JOINED: gettext_noop("Joined by an invitation"),
    EventType.ACCOUNT_SIGNED_IN: gettext_noop("Signed in"),
    EventType.ACCOUNT_SIGN_IN_REFUSED: gettext_noop("Was refused when signing in"),
    EventType.ACCOUNT_SIGNED_OUT: gettext_noop("Signed out"),
    EventType.ACCOUNT_FACTOR_ADDED: gettext_noop("Second factor added"),
    EventType.ACCOUNT_FACTOR_REMOVED: gettext_noop("Second factor removed"),
    EventType.ACCOUNT_PASSWORD_CHANGED: gettext_noop("Password changed"),
    EventType.ACCOUNT_ADDRESS_CHANGED: gettext_noop("E-mail address changed"),
    EventType.ACCOUNT_ERASED: gettext_noop("Name and address erased"),
    EventType.ROLE_GRANTED: gettext_noop("Role granted"),
    EventType.ROLE_ENDED: gettext_noop("Role ended"),
    EventType.KEY_ENROLLED: gettext_noop("Key enrolled"),
    EventType.KEY_RETIRED: gettext_noop("Key retired"),
    EventType.SESSION_OPENED: gettext_noop("Operator session opened"),
    EventType.SESSION_CLOSED: gettext_noop("Operator session closed"),
    EventType.SESSION_REQUEST: gettext_noop("Request in an operator session"),
    EventType.ACCESS_GRANTED: gettext_noop("Looked at something private"),
    EventType.ACCESS_REFUSED: gettext_noop("Was refused"),
    EventType.SIGNING_REQUESTED: gettext_noop("Signature asked for"),
    EventType.SIGNING_SHOWN: gettext_noop("Statement shown for signing"),
    EventType.SIGNING_SIGNED: gettext_noop("Statement signed"),
    EventType.SIGNING_DECLINED: gettext_noop("Signature declined"),
    EventType.JOB_STARTED: gettext_noop("Job started"),
    EventType.JOB_CANCELLED: gettext_noop("Job cancelled"),
}


def name_of(type: EventType) -> str:  # noqa: A002 - as in the event
    """Return what an event is called, in the language of the page; its type where nobody has named it yet."""
    return _(WORDS[type]) if type in WORDS else type.value


def not_proven() -> tuple[str, ...]:
    """Return what a proof file does not prove, in the language of the page."""
    return (
        _("That these are all: entries are private; that there are no others about you is the word of this node."),
        _("That what is recorded happened, and that all that happened was recorded: the node wrote the events."),
        _("When it happened: the times are of this node. A cosignature shows only by when an event was in the log."),
        _("Who the account is: the log knows its pseudonym only."),
    )
