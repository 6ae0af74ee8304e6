"""Addresses of the jobs pages."""

from __future__ import annotations

from django.urls import URLPattern, path, register_converter

from pellucid.jobs.portal import views


class JobId:
    """The id of a job."""

    regex = "[a-z][a-z0-9.-]{0,119}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(JobId, "job")

urlpatterns: list[URLPattern] = [
    path("jobs", views.jobs, name="jobs"),
    path("jobs/new", views.start, name="start-job"),
    path("jobs/<job:job_id>", views.job, name="job"),
    path("jobs/<job:job_id>/standing", views.standing, name="job-standing"),
    path("jobs/<job:job_id>/cancel", views.cancel, name="cancel-job"),
]
