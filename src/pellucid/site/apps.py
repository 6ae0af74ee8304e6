"""The Django app of the portal's common pages."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Templates, static files and template tags for all pages."""

    name = "pellucid.site"
    label = "site"
    verbose_name = "Portal"

    def ready(self) -> None:
        """Hear when a person is erased."""
        from pellucid.site import forgetting  # noqa: PLC0415 - models must be there first

        forgetting.connect()
