"""Forgetting people: names, addresses, reasons and preferences leave the database and its files; logs stay."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import suppress

from django.apps import apps
from django.db import OperationalError, connection, transaction
from django.dispatch import Signal
from django.utils import timezone
from django.utils.translation import gettext as _

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.errors import InputError, UnavailableError
from pellucid.outbox.portal import door as outbox
from pellucid.people.portal import credentials, grants, invitations, sessions
from pellucid.people.portal.models import Account, OperatorSession, Organisation

# Sent inside the transaction, with `account`: whoever keeps something about a person forgets it now, or raises. Sent
# again when somebody erased is erased again.
person_erased = Signal()

# Prose that other rooms keep with an account: it may be empty, and is emptied.
PROSE: Mapping[str, tuple[str, ...]] = {
    "people_portal.OperatorSession": ("opening",),
    "signing_portal.KeyChallenge": ("label",),
    "signing_portal.PartyKey": ("label",),
    "signing_portal.SigningRequest": ("why", "note"),
}

_ALONE_WITHIN = 10.0


class ErasureError(InputError):
    """Somebody cannot be erased so."""


class FilesNotCleanedError(UnavailableError):
    """What was erased is gone for everybody who asks, and its bytes may still lie in the database's files."""


def erase(account: Account, *, by: Account | None) -> None:
    """Erase a person: their pseudonym and what logs say of it stay, everything else goes, from the files too.

    FilesNotCleanedError if the files could not be cleaned yet; erasing again finishes it.
    """
    if by is not None and by.id == account.id:
        raise ErasureError(_("nobody erases themselves"), remedy=_("ask another operator"))
    with transaction.atomic():
        if account.erased_at is None:
            _forget(account, by)
        for label, fields in PROSE.items():
            kept = apps.get_model(label)._default_manager  # noqa: SLF001 - Django's way to a model by its name
            kept.filter(account=account).update(**dict.fromkeys(fields, ""))
        outbox.forget(account.id)
        person_erased.send(sender=Account, account=account)
    transaction.on_commit(clean_files)


def erase_organisation(organisation: Organisation, *, by: Account | None) -> None:
    """Erase the name of an organisation."""
    if organisation.erased_at is None:
        with transaction.atomic():
            actor, target = by.id if by else None, f"organisation:{organisation.id}"
            door.record(EventType.ACCOUNT_ERASED, actor=actor, target=target)
            organisation.name, organisation.erased_at = "", timezone.now()
            organisation.save()
    transaction.on_commit(clean_files)


def clean_files() -> None:
    """Write the database anew and empty its journal: no byte of what was deleted is left in either."""
    if connection.vendor != "sqlite" or connection.in_atomic_block:
        return
    with suppress(OperationalError):  # somebody else writes for long
        if _cleaned(time.monotonic() + _ALONE_WITHIN):
            return
    raise FilesNotCleanedError(
        _("it is erased, but somebody still reads an older state of the database"),
        where="site.db",
        remedy=_("erase again: that cleans the files"),
    )


def _cleaned(end: float) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA temp_store=MEMORY")
        cursor.execute("VACUUM")
        while time.monotonic() < end:
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            row = cursor.fetchone()
            if row is not None and row[0] == 0:
                return True
            time.sleep(0.05)
    return False


def _forget(account: Account, by: Account | None) -> None:
    door.record(EventType.ACCOUNT_ERASED, actor=by.id if by else None, about=(account.id,))
    sessions.end(OperatorSession.objects.filter(account=account, closed_at=None), "erased")
    for given in account.grants.filter(ended_at=None):
        grants.end(given, by=by, why="erased")
    invitations.end_invitations(account)
    account.invitations.all().delete()
    credentials.take_away(account)
    account.email, account.name, account.organisation = f"{account.id}@erased.invalid", "", None
    account.is_active, account.erased_at = False, timezone.now()
    account.last_login = None
    account.set_unusable_password()
    account.save()
