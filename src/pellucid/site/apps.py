"""The Django app of the portal's common pages."""

from __future__ import annotations

from django.apps import AppConfig


class SiteConfig(AppConfig):
    """Templates, static files and template tags for all pages."""

    name = "pellucid.site"
    label = "site"
    verbose_name = "Portal"
