"""What the site forgets when a person is erased: the names that the node's pages show for their keys."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from pellucid.capabilities import PREDICATES
from pellucid.people.portal.erasure import person_erased
from pellucid.people.portal.models import Account
from pellucid.record.forgetting import erase_names
from pellucid.record.home import Home
from pellucid.signing.portal.models import PartyKey


def connect() -> None:
    """Start to listen."""
    person_erased.connect(_forget_names, dispatch_uid="pellucid names of keys")


def _forget_names(account: Account, **_more: Any) -> None:
    if settings.HOME is None:
        return
    home = Home(settings.HOME)
    for key in PartyKey.objects.filter(account=account).values_list("key_id", flat=True):
        erase_names(home, PREDICATES, key)
