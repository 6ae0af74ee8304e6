"""Who may see a job: whoever started it, and whoever holds the permission."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase
from django.utils.translation import gettext as _

from pellucid.jobs.port import Job
from pellucid.jobs.portal import door
from pellucid.people.permissions import Permission
from pellucid.people.portal import refused
from pellucid.people.portal.access import account_of, check, session_of

View = Callable[..., HttpResponseBase]


def seen(request: HttpRequest, job_id: str, permission: Permission = Permission.SEE_JOBS) -> Job:
    """Return a job to who started it or holds `permission`; RefusedError, or Http404 where there is none."""
    account, job = account_of(request), door.jobs().status(job_id)
    is_own = account is not None and job is not None and job.asked_by == account.id
    if not is_own or session_of(request) is not None:  # every request of an operator session is recorded
        refusal = check(request, permission, private=False)
        if refusal is not None and not is_own:
            raise refused.RefusedError(refusal)
    if job is None:
        raise Http404(_("there is no such job"))
    return job


def for_its_own(permission: Permission) -> Callable[[View], View]:
    """Let those through to a job's view who started the job, or hold `permission`; the view gets the job."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, job_id: str, **kwargs: Any) -> HttpResponseBase:
            try:
                job = seen(request, job_id, permission)
            except refused.RefusedError as error:
                return refused.answer(request, error.refusal)
            return view(request, job, **kwargs)

        guarded.permission = permission  # type: ignore[attr-defined] # read by the walk over all addresses
        return guarded

    return decorate
