"""The Django app of jobs."""

from __future__ import annotations

from django.apps import AppConfig


class JobsPortalConfig(AppConfig):
    """Long work, watched and cancelled."""

    name = "pellucid.jobs.portal"
    label = "jobs_portal"
    verbose_name = "Jobs"
