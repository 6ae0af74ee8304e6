"""The jobs pages: what runs, one job at work with its live log, starting and cancelling."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from pellucid.audit.events import EventType
from pellucid.audit.portal import door as audit
from pellucid.jobs.port import Job
from pellucid.jobs.portal import door
from pellucid.jobs.portal.forms import StartForm
from pellucid.jobs.portal.pages import job_page, job_view, jobs_page
from pellucid.jobs.portal.seeing import for_its_own
from pellucid.jobs.work import JobError, natural_id
from pellucid.people.permissions import Permission, permitted
from pellucid.people.portal.access import account_of, require, roles_of

_MOST_DIGITS = 9


@require_safe
@require(Permission.SEE_JOBS, private=False)
def jobs(request: HttpRequest) -> HttpResponse:
    """List the newest jobs, and offer what may be started by hand."""
    return _listed(request, [StartForm(offer) for offer in door.jobs().offers()])


@require_POST
@require(Permission.RUN_JOBS, private=False)
def start(request: HttpRequest) -> HttpResponse:
    """Start a job by its name and arguments; the same question in the same minute is one job."""
    forms = [StartForm(offer) for offer in door.jobs().offers()]
    at = next((at for at, form in enumerate(forms) if form.name == request.POST.get("name")), None)
    if at is None:
        raise Http404
    offer = next(offer for offer in door.jobs().offers() if offer.name == forms[at].name)
    form = forms[at] = StartForm(offer, request.POST)
    if form.is_valid():
        try:
            return HttpResponseRedirect(f"/jobs/{started(request, form.name, form.arguments()).id}")
        except JobError as error:
            form.add_error(None, error.what)
    return _listed(request, forms, status=400)


def started(request: HttpRequest, name: str, arguments: dict[str, Any]) -> Job:
    """Record that the account that asks starts a job, and start it."""
    account = account_of(request)
    job_id = natural_id(name, arguments)
    door.jobs().check(name, job_id, arguments)
    audit.record(
        EventType.JOB_STARTED, actor=account.id if account else None, target=f"job:{job_id}", details={"job": name}
    )
    return door.jobs().start(name, job_id, arguments, asked_by=account.id if account else None)


def cancelled(request: HttpRequest, job: Job) -> bool:
    """Record that the account that asks cancels a job, and cancel it."""
    account = account_of(request)
    audit.record(
        EventType.JOB_CANCELLED,
        actor=account.id if account else None,
        target=f"job:{job.id}",
        details={"job": job.name},
    )
    return door.jobs().cancel(job.id)


@never_cache
@require_safe
@for_its_own(Permission.SEE_JOBS)
def job(request: HttpRequest, job: Job) -> TemplateResponse:
    """Show a job, how far it is and all it said."""
    context = {"page": job_page(door.jobs(), job), "may_run": _may_cancel(request, job)}
    return TemplateResponse(request, "jobs_portal/job.html", context)


@never_cache
@require_safe
@for_its_own(Permission.SEE_JOBS)
def standing(request: HttpRequest, job: Job) -> TemplateResponse:
    """Give what has changed: the bar, lines above `?after=`, words to announce where `?told=` is not the milestone."""
    after = _number(request.GET.get("after", ""))
    view = job_view(job, door.jobs().log(job.id, after), after)
    context = {"job": view, "announce": request.GET.get("told") != view.milestone, "update": True}
    return TemplateResponse(request, "jobs_portal/standing.html", context)


@require_POST
@for_its_own(Permission.RUN_JOBS)
def cancel(request: HttpRequest, job: Job) -> HttpResponse:
    """Stop a job before its next step."""
    cancelled(request, job)
    return HttpResponseRedirect(f"/jobs/{job.id}")


def _listed(request: HttpRequest, forms: list[StartForm], status: int = 200) -> TemplateResponse:
    account = account_of(request)
    may_run = account is not None and Permission.RUN_JOBS in permitted(roles_of(account))
    context = {"page": jobs_page(door.jobs()), "forms": forms if may_run else []}
    return TemplateResponse(request, "jobs_portal/jobs.html", context, status=status)


def _may_cancel(request: HttpRequest, job: Job) -> bool:
    account = account_of(request)
    if account is None or job.state.over:
        return False
    return job.asked_by == account.id or Permission.RUN_JOBS in permitted(roles_of(account))


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0
