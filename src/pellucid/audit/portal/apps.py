"""The Django app of audit."""

from __future__ import annotations

from django.apps import AppConfig


class AuditPortalConfig(AppConfig):
    """What is recorded about whom, with its proof."""

    name = "pellucid.audit.portal"
    label = "audit_portal"
    verbose_name = "Audit"
