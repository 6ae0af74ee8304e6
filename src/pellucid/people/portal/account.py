"""A person's own pages: the account, and the way in by an invitation."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from pellucid.people.decision import Factor, Obstacle
from pellucid.people.portal import forms, invitations, pages, refused
from pellucid.people.portal.access import account_of, factor_of, signed_in
from pellucid.people.portal.models import Account, Invitation


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def own(request: HttpRequest) -> HttpResponseBase:
    """Show people what their account says, and let them correct their name; no log has it, so none is told."""
    account = account_of(request)
    assert account is not None  # noqa: S101 - `signed_in` let it through
    factor = factor_of(request, account)
    form = forms.NameForm(request.POST if request.method == "POST" else None, initial={"name": account.name})
    if request.method == "POST" and factor is Factor.SET:
        return refused.answer(request, refused.Refusal(Obstacle.FACTOR_NOT_USED))
    if request.method == "POST" and form.is_valid():
        # Not by `save`: whoever is erased meanwhile has no name any more, and gets none back.
        Account.objects.filter(id=account.id, erased_at=None).update(name=form.cleaned_data["name"])
        messages.success(request, _("Your name is changed."))
        return HttpResponseRedirect(reverse("account"))
    context = {"page": pages.account_page(account, factor), "form": form}
    return TemplateResponse(request, "people_portal/account.html", context)


@never_cache
@sensitive_post_parameters("code", "password", "again")
@require_http_methods(["GET", "HEAD", "POST"])
def join(request: HttpRequest, address: str) -> HttpResponseBase:
    """Let an invited person in who has the code; from here they go on to set up a second factor."""
    invitation = invitations.open_invitation(address)
    if invitation is None:
        page = pages.form_page(_("There is no such invitation"))
        return TemplateResponse(request, "people_portal/no_invitation.html", {"page": page}, status=404)
    form = forms.JoinForm(invitation.account, request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        account = _accepted(invitation, form)
        if account is not None:
            _sign_in(request, account)
            return HttpResponseRedirect(reverse("mfa_index"))
    page = pages.form_page(_("You are invited"))
    context = {"page": page, "form": form, "invitation": invitation}
    return TemplateResponse(request, "people_portal/join.html", context)


def _accepted(invitation: Invitation, form: forms.JoinForm) -> Account | None:
    values = form.cleaned_data
    try:
        return invitations.accept(invitation, values["code"], values["name"], values["password"])
    except invitations.WrongCodeError as error:
        form.add_error("code", f"{error.what}; {error.remedy}")
    except invitations.InvitationError as error:
        form.add_error(None, f"{error.what}; {error.remedy}")
    return None


def _sign_in(request: HttpRequest, account: Account) -> None:
    """Sign in whoever has just set a password, under a new session."""
    account.backend = settings.AUTHENTICATION_BACKENDS[0]
    record_authentication(request, account, method="password", email=account.email)
    get_adapter(request).login(request, account)
