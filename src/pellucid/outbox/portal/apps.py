"""The Django app of outbox."""

from __future__ import annotations

from django.apps import AppConfig


class OutboxPortalConfig(AppConfig):
    """Messages, preferences and feeds."""

    name = "pellucid.outbox.portal"
    label = "outbox_portal"
    verbose_name = "Notices"
