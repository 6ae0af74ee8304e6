"""The pages on which operators see, invite, empower and erase people; all of them in an operator session."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from allauth.mfa.models import Authenticator
from django import forms as django_forms
from django.contrib import messages
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pellucid.audit.events import EventType
from pellucid.audit.portal import door
from pellucid.errors import InputError
from pellucid.people.permissions import Permission
from pellucid.people.portal import credentials, erasure, forms, grants, invitations, pages
from pellucid.people.portal.access import account_of, require
from pellucid.people.portal.models import Account, Organisation, RoleGrant
from pellucid.people.roles import Role

_MOST_DIGITS = 9


def _start(request: HttpRequest) -> int:
    text = request.GET.get("from", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else 0


def _listed(request: HttpRequest) -> Sequence[str]:
    return [account.id for account in pages.page_of_accounts(_start(request))]


@never_cache
@require_safe
@require(Permission.SEE_PEOPLE, about=_listed)
def people(request: HttpRequest) -> HttpResponseBase:
    """List everybody; `?from=N` pages."""
    return TemplateResponse(request, "people_portal/people.html", {"page": pages.people_page(_start(request))})


@never_cache
@require_safe
@require(Permission.SEE_PEOPLE, about="person")
def person(request: HttpRequest, person: str) -> HttpResponseBase:
    """Show one person and what can be done about them."""
    return _person(request, person, forms.GrantForm())


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.INVITE_PEOPLE)
def invite(request: HttpRequest) -> HttpResponseBase:
    """Invite somebody; the answer shows the code this once."""
    form = forms.InviteForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        values = form.cleaned_data
        roles = [Role(role) for role in values["roles"]]
        try:
            made = invitations.invite(
                values["email"],
                roles,
                by=account_of(request),
                organisation=values["organisation"],
                roles_until=values["until"],
            )
        except InputError as error:
            _add(form, error)
        else:
            return _invited(request, made)
    page = pages.form_page(_("Invite somebody"), pages.Crumb(_("People"), "/people"))
    return TemplateResponse(request, "people_portal/invite.html", {"page": page, "form": form})


@never_cache
@require_POST
@require(Permission.INVITE_PEOPLE, about="person")
def invite_again(request: HttpRequest, person: str) -> HttpResponseBase:
    """Make a way back in for somebody who lost theirs; the answer shows the code this once."""
    account = get_object_or_404(Account, id=person)
    try:
        return _invited(request, invitations.invite_again(account, by=account_of(request)))
    except InputError as error:
        return _told(request, error, person)


@require_POST
@require(Permission.INVITE_PEOPLE, about="person")
def end_invitations(request: HttpRequest, person: str) -> HttpResponseBase:
    """End the invitations that wait for somebody."""
    invitations.end_invitations(get_object_or_404(Account, id=person))
    messages.success(request, _("The invitation has ended."))
    return HttpResponseRedirect(reverse("person", args=[person]))


@never_cache
@require_POST
@require(Permission.CHANGE_ROLES, about="person")
def grant(request: HttpRequest, person: str) -> HttpResponseBase:
    """Grant a role."""
    form = forms.GrantForm(request.POST)
    if form.is_valid():
        account = get_object_or_404(Account, id=person)
        role, until = Role(form.cleaned_data["role"]), form.cleaned_data["until"]
        try:
            grants.grant(account, role, by=account_of(request), until=until)
        except InputError as error:
            return _told(request, error, person)
        messages.success(request, _("The role is granted."))
        return HttpResponseRedirect(reverse("person", args=[person]))
    return _person(request, person, form)


@require_POST
@require(Permission.CHANGE_ROLES, about="person")
def end_sessions(request: HttpRequest, person: str) -> HttpResponseBase:
    """Sign somebody out everywhere: their browser may be in other hands."""
    account, by = get_object_or_404(Account, id=person), account_of(request)
    with transaction.atomic():
        ended = credentials.end_sessions(account)
        details: dict[str, str | int | bool] = {"why": "elsewhere", "sessions": ended}
        actor = by.id if by else None
        door.record(EventType.ACCOUNT_SIGNED_OUT, actor=actor, about=(account.id,), details=details)
    words = ngettext("Signed out of %(number)d browser.", "Signed out of %(number)d browsers.", ended)
    messages.success(request, words % {"number": ended})
    return HttpResponseRedirect(reverse("person", args=[person]))


@require_POST
@require(Permission.CHANGE_ROLES, about="person")
def end_grant(request: HttpRequest, person: str, grant: int) -> HttpResponseBase:
    """End a role."""
    given = get_object_or_404(RoleGrant.objects.select_related("account"), id=grant, account_id=person)
    try:
        grants.end(given, by=account_of(request))
    except InputError as error:
        return _told(request, error, person)
    messages.success(request, _("The role has ended."))
    return HttpResponseRedirect(reverse("person", args=[person]))


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.ERASE_PEOPLE, about="person")
def erase(request: HttpRequest, person: str) -> HttpResponseBase:
    """Ask whether somebody is to be erased, and do it."""
    account = get_object_or_404(Account, id=person)
    crumbs = (pages.Crumb(_("People"), "/people"), pages.Crumb(account.name or account.id, f"/people/{person}"))
    title = _("Erase %(name)s") % {"name": account.name or account.email or account.id}
    page = pages.form_page(title, *crumbs)
    return _erase(request, page, lambda: erasure.erase(account, by=account_of(request)), "/people")


@never_cache
@require_safe
@require(Permission.SEE_PEOPLE)
def organisations(request: HttpRequest) -> HttpResponseBase:
    """List the organisations that people work for."""
    return TemplateResponse(request, "people_portal/organisations.html", {"page": pages.organisations_page()})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.ERASE_PEOPLE)
def erase_organisation(request: HttpRequest, organisation: str) -> HttpResponseBase:
    """Ask whether the name of an organisation is to be erased, and do it."""
    found = get_object_or_404(Organisation, id=organisation)
    title = _("Erase the name %(name)s") % {"name": found.name}
    page = pages.form_page(title, pages.Crumb(_("Organisations"), "/organisations"))
    by = account_of(request)
    return _erase(request, page, lambda: erasure.erase_organisation(found, by=by), "/organisations")


def _person(request: HttpRequest, person: str, form: django_forms.Form) -> HttpResponseBase:
    account = Account.objects.select_related("organisation").filter(id=person).first()
    if account is None:
        raise Http404
    by = account_of(request)
    has_factor = Authenticator.objects.filter(user=account).exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
    page = pages.person_page(account, own=by is not None and by.id == account.id, second_factor=has_factor)
    return TemplateResponse(request, "people_portal/person.html", {"page": page, "form": form})


def _invited(request: HttpRequest, made: invitations.Invited) -> HttpResponseBase:
    """Show a code, this once: it stands in this answer and nowhere else."""
    page = pages.form_page(_("Invited"), pages.Crumb(_("People"), "/people"))
    link = request.build_absolute_uri(made.path) if not invitations.is_mailed() else None
    context = {"page": page, "invitation": made.invitation, "code": made.code, "link": link}
    return TemplateResponse(request, "people_portal/invited.html", context)


def _erase(request: HttpRequest, page: pages.FormPage, do: Callable[[], None], onward: str) -> HttpResponseBase:
    form = forms.EraseForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        try:
            do()
        except InputError as error:
            _add(form, error)
        except erasure.FilesNotCleanedError as error:
            messages.warning(request, f"{error.what}: {error.remedy}")
            return HttpResponseRedirect(request.path)
        else:
            messages.success(request, _("It is erased. The logs stay as they are: they hold no name."))
            return HttpResponseRedirect(onward)
    return TemplateResponse(request, "people_portal/erase.html", {"page": page, "form": form})


def _add(form: django_forms.Form, error: InputError) -> None:
    text = f"{error.what}: {error.remedy}" if error.remedy else error.what
    form.add_error(error.where if error.where in form.fields else None, text)


def _told(request: HttpRequest, error: InputError, person: str) -> HttpResponseBase:
    messages.error(request, f"{error.what}: {error.remedy}" if error.remedy else error.what)
    return HttpResponseRedirect(reverse("person", args=[person]))
