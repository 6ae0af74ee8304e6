"""The Django app of people."""

from __future__ import annotations

from django.apps import AppConfig


class PeoplePortalConfig(AppConfig):
    """Accounts, roles, invitations, and the check of what a person may do."""

    name = "pellucid.people.portal"
    label = "people_portal"
    verbose_name = "People"

    def ready(self) -> None:
        """Hear when a factor is added, and when somebody signs out."""
        from pellucid.people.portal import heard  # noqa: PLC0415 - models must be there first

        heard.connect()
