"""The Django app of signing."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig


class SigningPortalConfig(AppConfig):
    """What waits for a signature, and the keys that people sign with."""

    name = "pellucid.signing.portal"
    label = "signing_portal"
    verbose_name = "Signing"

    def ready(self) -> None:
        """Forget with the rest of the node when a person is erased."""
        from pellucid.people.portal.erasure import person_erased  # noqa: PLC0415 - models are loaded only now

        person_erased.connect(_forget, dispatch_uid="signing")


def _forget(account: Any, **_: Any) -> None:
    from pellucid.signing.portal.enrolment import forget  # noqa: PLC0415 - models are loaded only now

    forget(account)
