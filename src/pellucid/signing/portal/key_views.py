"""The pages of keys: one's own, the challenge that shows possession, and what operators have to accredit."""

from __future__ import annotations

from collections.abc import Callable

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pellucid.errors import InputError
from pellucid.people.permissions import Permission
from pellucid.people.portal.access import View, require
from pellucid.signing.portal import enrolment, key_pages
from pellucid.signing.portal.forms import AnswerForm, EnrolForm
from pellucid.signing.portal.models import KeyChallenge, PartyKey
from pellucid.signing.portal.views import download, form_answer, me, told
from pellucid.trust.predicate import Custody

_signed_in_lately: Callable[[View], View] = reauthentication_required(allow_get=True, app="signing")


@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.ENROL_KEYS)
@_signed_in_lately
@never_cache
def keys(request: HttpRequest) -> HttpResponseBase:
    """Show one's own keys, and begin to enrol another, which asks for a fresh sign-in."""
    account = me(request)
    form = EnrolForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        given = form.cleaned_data
        try:
            waiting = enrolment.begin(account, given["spki"], Custody(given["custody"]), given["label"])
            return HttpResponseRedirect(f"/account/keys/challenges/{waiting.id}")
        except InputError as error:
            form.add_error("spki", told(error))
    return form_answer(request, "signing_portal/keys.html", {"page": key_pages.keys_page(account), "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.ENROL_KEYS)
@never_cache
def challenge(request: HttpRequest, challenge_id: str) -> HttpResponseBase:
    """Show a challenge, and take its answer."""
    waiting = _waiting(request, challenge_id)
    form = AnswerForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            key = enrolment.finish(waiting, form.data_given)
            messages.success(request, _("The key %(key)s… is enrolled.") % {"key": key.key_id[:12]})
            return HttpResponseRedirect("/account/keys")
        except InputError as error:
            form.add_error(None, told(error))
    page = key_pages.challenge_page(waiting, enrolment.challenge_of(waiting))
    return form_answer(request, "signing_portal/challenge.html", {"page": page, "form": form})


@require_safe
@require(Permission.ENROL_KEYS)
@never_cache
def challenge_file(request: HttpRequest, challenge_id: str) -> HttpResponseBase:
    """Give the exact bytes of a challenge, as a file."""
    waiting = _waiting(request, challenge_id)
    return download(bytes(waiting.payload), f"challenge-{waiting.id[:8]}.json", "application/json")


@require_POST
@require(Permission.ENROL_KEYS)
def retire(request: HttpRequest, key: str) -> HttpResponseBase:
    """Take no more signatures of one's own key."""
    found = PartyKey.objects.filter(key_id=key, account=me(request)).first()
    if found is None:
        raise Http404
    enrolment.retire(found)
    return HttpResponseRedirect("/account/keys")


@require_safe
@require(Permission.SEE_PEOPLE)
@never_cache
def everybody(request: HttpRequest) -> HttpResponseBase:
    """Show operators whose key waits for an accreditation, and the command for it."""
    return TemplateResponse(request, "signing_portal/all_keys.html", {"page": key_pages.all_keys_page()})


def _waiting(request: HttpRequest, challenge_id: str) -> KeyChallenge:
    mine = KeyChallenge.objects.select_related("account")
    found = mine.filter(id=challenge_id, account=me(request), expires_at__gt=timezone.now()).first()
    if found is None:
        raise Http404
    return found
