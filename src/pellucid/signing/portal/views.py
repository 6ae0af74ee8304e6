"""The pages on which people sign: nothing is shown or taken but to and from the account that is asked."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from pellucid.errors import InputError, UnavailableError
from pellucid.people.permissions import Permission
from pellucid.people.portal.access import account_of, require
from pellucid.people.portal.models import Account
from pellucid.signing.portal import pages, requests
from pellucid.signing.portal.forms import DeclineForm, EnvelopeForm, StatementForm, WithdrawForm
from pellucid.signing.portal.key_pages import Crumb
from pellucid.signing.portal.models import SigningRequest
from pellucid.signing.states import DeclineReason
from pellucid.statement.dsse import IN_TOTO
from pellucid.trust.predicate import WithdrawalReason


@require_safe
@require(Permission.SIGN_STATEMENTS)
@never_cache
def signing(request: HttpRequest) -> HttpResponseBase:
    """Show what waits for a signature."""
    return TemplateResponse(request, "signing_portal/signing.html", {"page": pages.signing_page(me(request))})


@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.SIGN_STATEMENTS)
@never_cache
def bring(request: HttpRequest) -> HttpResponseBase:
    """Take a statement of one's own to sign."""
    form = StatementForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            made = requests.ask(form.data_given, of=me(request))
            return HttpResponseRedirect(f"/signing/{made.id}")
        except InputError as error:
            form.add_error(None, told(error))
    crumbs = (Crumb(_("Signing"), "/signing"), Crumb(_("Bring a statement")))
    page = pages.form_page(_("Bring a statement to sign"), crumbs)
    return form_answer(request, "signing_portal/bring.html", {"page": page, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.SIGN_STATEMENTS)
@never_cache
def withdraw(request: HttpRequest) -> HttpResponseBase:
    """Make the withdrawal of a statement of one's own; it is signed like any other."""
    form = WithdrawForm(request.POST or None, initial={"statement": request.GET.get("statement", "")[:64]})
    if request.method == "POST" and form.is_valid():
        reason = WithdrawalReason(form.cleaned_data["reason"])
        try:
            made = requests.ask_withdrawal(me(request), form.cleaned_data["statement"], reason)
            return HttpResponseRedirect(f"/signing/{made.id}")
        except InputError as error:
            form.add_error(None, told(error))
    crumbs = (Crumb(_("Signing"), "/signing"), Crumb(_("Withdraw")))
    page = pages.form_page(_("Withdraw a statement of yours"), crumbs)
    return form_answer(request, "signing_portal/withdraw.html", {"page": page, "form": form})


@require_http_methods(["GET", "HEAD", "POST"])
@require(Permission.SIGN_STATEMENTS)
@never_cache
def one(request: HttpRequest, request_id: str) -> HttpResponseBase:
    """Show a statement in full, and take it signed."""
    found = _mine(request, request_id)
    form = EnvelopeForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        try:
            found = requests.sign(found, form.data_given)
            return HttpResponseRedirect(f"/signing/{found.id}")
        except InputError as error:
            form.add_error(None, told(error))
        except UnavailableError as error:
            return _kept(request, found, error)
    requests.record_shown(found)
    context = {"page": pages.request_page(requests.refreshed(found)), "form": form, "decline": DeclineForm(prefix="d")}
    return form_answer(request, "signing_portal/request.html", context)


@require_safe
@require(Permission.SIGN_STATEMENTS)
@never_cache
def statement(request: HttpRequest, request_id: str) -> HttpResponseBase:
    """Give the exact bytes to sign, as a file."""
    found = _mine(request, request_id)
    requests.record_shown(found)
    return download(bytes(found.payload), f"statement-{found.statement_id[:12]}.json", IN_TOTO)


@require_safe
@require(Permission.SIGN_STATEMENTS)
@never_cache
def receipt(request: HttpRequest, request_id: str) -> HttpResponseBase:
    """Give the node's signed answer to what was signed."""
    found = _mine(request, request_id)
    if found.receipt is None:
        raise Http404
    return download(bytes(found.receipt), f"receipt-{found.statement_id[:12]}.json", "application/json")


@require_POST
@require(Permission.SIGN_STATEMENTS)
def decline(request: HttpRequest, request_id: str) -> HttpResponseBase:
    """Keep that the person does not sign."""
    found = _mine(request, request_id)
    form = DeclineForm(request.POST, prefix="d")
    if form.is_valid():
        try:
            requests.decline(found, DeclineReason(form.cleaned_data["reason"]), form.cleaned_data["note"])
            return HttpResponseRedirect(f"/signing/{found.id}")
        except InputError as error:
            form.add_error(None, told(error))
    requests.record_shown(found)
    context = {"page": pages.request_page(requests.refreshed(found)), "form": EnvelopeForm(), "decline": form}
    return TemplateResponse(request, "signing_portal/request.html", context, status=400)


@require_POST
@require(Permission.SIGN_STATEMENTS)
def submit(request: HttpRequest, request_id: str) -> HttpResponseBase:
    """Have a kept signature logged, again if need be."""
    found = _mine(request, request_id)
    try:
        requests.submit(found)
    except InputError as error:
        messages.error(request, told(error))
    except UnavailableError as error:
        return _kept(request, found, error)
    return HttpResponseRedirect(f"/signing/{found.id}")


def me(request: HttpRequest) -> Account:
    """Return who asks; the view has let them through."""
    return cast("Account", account_of(request))


def told(error: InputError) -> str:
    """Write an error for a form: what, and how to mend it."""
    return f"{error.what[:300]}. {error.remedy[:300]}." if error.remedy else f"{error.what[:300]}."


def form_answer(request: HttpRequest, template: str, context: dict[str, object]) -> TemplateResponse:
    """Answer with a page around a form; 400 if what was sent was not taken."""
    return TemplateResponse(request, template, context, status=400 if request.method == "POST" else 200)


def download(data: bytes, name: str, content_type: str) -> HttpResponse:
    """Answer with bytes that no browser renders."""
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "X-Content-Type-Options": "nosniff"}
    return HttpResponse(data, content_type=content_type, headers=headers)


def _kept(request: HttpRequest, found: SigningRequest, error: UnavailableError) -> HttpResponseRedirect:
    what = _("Your signature is kept. The log takes nothing now: %(why)s") % {"why": error.what[:200]}
    messages.warning(request, what)
    return HttpResponseRedirect(f"/signing/{found.id}")


def _mine(request: HttpRequest, request_id: str) -> SigningRequest:
    requests_of_mine = SigningRequest.objects.select_related("account", "key", "asked_by")
    found = requests_of_mine.filter(id=request_id, account=me(request)).first()
    if found is None:
        raise Http404
    return requests.refreshed(found)
