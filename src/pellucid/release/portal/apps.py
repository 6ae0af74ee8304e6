"""The Django app of the product and release pages."""

from __future__ import annotations

from django.apps import AppConfig


class ReleasePortalConfig(AppConfig):
    """Pages on what was shipped."""

    name = "pellucid.release.portal"
    label = "release_portal"
    verbose_name = "Releases"
