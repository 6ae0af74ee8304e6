"""The pages of operator sessions: open one, see which are open, end one's own."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pellucid.people.permissions import Permission
from pellucid.people.portal import pages, sessions
from pellucid.people.portal.access import View, account_of, require, session_of
from pellucid.people.portal.forms import SessionForm

# Whoever only has the cookie of an operator opens no session by it: all factors are shown anew.
_confirmed: Callable[[View], View] = reauthentication_required(allow_get=True, app="people")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.OPEN_OPERATOR_SESSION, private=False)
@_confirmed
def session(request: HttpRequest) -> HttpResponseBase:
    """Show the operator session of this browser, and open one; `?next=` is where it leads then."""
    account = account_of(request)
    assert account is not None  # noqa: S101 - `require` let it through
    onward = _onward(request)
    form = SessionForm(request.POST if request.method == "POST" else None)
    if request.method == "POST" and form.is_valid():
        opened = sessions.open_session(request, account, form.cleaned_data["reason"], form.cleaned_data["minutes"])
        ends = opened.ends_at.strftime("%H:%M")
        messages.success(request, _("The operator session is open until %(time)s UTC.") % {"time": ends})
        return HttpResponseRedirect(onward or reverse("operator-session"))
    context = {"page": pages.session_page(session_of(request)), "form": form, "next": onward}
    return TemplateResponse(request, "people_portal/session.html", context)


@require_POST
@require(Permission.OPEN_OPERATOR_SESSION, private=False)
def end(request: HttpRequest) -> HttpResponseBase:
    """End the operator session of this browser."""
    opened = session_of(request)
    if opened is not None:
        sessions.end((opened,), "asked")
        messages.success(request, _("The operator session has ended."))
    return HttpResponseRedirect(reverse("operator-session"))


def _shown(_request: HttpRequest) -> Sequence[str]:
    return list(dict.fromkeys(opened.account_id for opened in pages.shown_sessions()))


@never_cache
@require_safe
@require(Permission.SEE_AUDIT, about=_shown)
def sessions_list(request: HttpRequest) -> HttpResponseBase:
    """List the operator sessions of everybody with their reasons, newest first."""
    sessions.end_expired()
    return TemplateResponse(request, "people_portal/sessions.html", {"page": pages.sessions_page()})


def _onward(request: HttpRequest) -> str:
    """Return where to go on: a path of this portal, or nothing."""
    wanted = (request.POST if request.method == "POST" else request.GET).get("next", "")[:2000]
    is_ours = wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None)
    return wanted if is_ours else ""
