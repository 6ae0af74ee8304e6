"""The pages of the outbox: how a person is told, how deliveries stand, and the feeds."""

# ruff: noqa: ARG001 - each view of this folder is given `read`
from __future__ import annotations

import secrets
from collections.abc import Callable

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import conditional_page, require_http_methods, require_POST, require_safe

from pellucid.outbox.channel import DeliveryState
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.outbox.portal import door, feeds, pages, worker
from pellucid.outbox.portal.forms import WebhookForm, WishesForm
from pellucid.outbox.portal.models import Delivery, Preferences, Webhook
from pellucid.people.permissions import Permission
from pellucid.people.portal.access import account_of, require, signed_in
from pellucid.people.portal.models import Account
from pellucid.record.facts import Views

Read = Callable[[], Views]
_ATOM = "application/atom+xml; charset=utf-8"
_TOKEN_LIMIT = 64


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@signed_in
def notices(request: HttpRequest, read: Read) -> HttpResponseBase:
    """Show how the person is told and was told lately; a POST changes the wishes."""
    account = _account(request)
    preferences = Preferences.objects.filter(account=account).first() or Preferences(account=account)
    if request.method != "POST":
        return _page(request, account)
    wishes = WishesForm(request.POST)
    if not wishes.is_valid():
        return _page(request, account, wishes=wishes, status=400)
    wishes.keep(preferences)
    return _done(request, _("Your wishes are kept."))


@never_cache
@require_POST
@signed_in
def add_webhook(request: HttpRequest, read: Read) -> HttpResponseBase:
    """Take a new webhook in, and tell the person by mail, in case it was somebody else."""
    account, form = _account(request), WebhookForm(request.POST)
    if form.is_valid() and Webhook.objects.filter(account=account).count() >= pages.MOST_WEBHOOKS:
        form.add_error("url", _("There are as many as you may have: remove one first."))
    if not form.is_valid():
        return _page(request, account, webhook=form, status=400)
    chosen = form.cleaned_data
    _tell(account, "webhook-added")
    Webhook.objects.create(account=account, url=chosen["url"], kinds=chosen["kinds"], made_at=timezone.now())
    return _done(request, _("The webhook is kept."))


@never_cache
@require_POST
@signed_in
def remove_webhook(request: HttpRequest, webhook: str, read: Read) -> HttpResponseBase:
    """Take a webhook away, with the calls that wait for it."""
    removed, _each = Webhook.objects.filter(account=_account(request), id=webhook).delete()
    if not removed:
        raise Http404
    return _done(request, _("The webhook is removed."))


@never_cache
@require_POST
@signed_in
def resume_webhook(request: HttpRequest, webhook: str, read: Read) -> HttpResponseBase:
    """Call a webhook again that was stopped because it failed."""
    mine = Webhook.objects.filter(account=_account(request), id=webhook)
    if not mine.update(stopped_at=None, failures=0):
        raise Http404
    return _done(request, _("The webhook is called again."))


@never_cache
@require_POST
@signed_in
def renew_feed(request: HttpRequest, read: Read) -> HttpResponseBase:
    """Make a new address for the personal feed and show it, this once."""
    account = _account(request)
    address = f"{_base(request, read)}/feed/{feeds.renewed(account)}.atom"
    _tell(account, "feed-renewed")
    return _page(request, account, feed_address=address)


@never_cache
@require_POST
@signed_in
def end_feed(request: HttpRequest, read: Read) -> HttpResponseBase:
    """Have no personal feed any more."""
    Preferences.objects.filter(account=_account(request)).update(feed="")
    return _done(request, _("There is no personal feed any more."))


@never_cache
@require_safe
@require(Permission.SEE_OUTBOX)
def outbox(request: HttpRequest, read: Read) -> TemplateResponse:
    """Show how deliveries stand."""
    return TemplateResponse(request, "outbox_portal/outbox.html", {"page": pages.outbox_page(mail=worker.mail())})


@never_cache
@require_POST
@require(Permission.SEE_OUTBOX)
def again(request: HttpRequest, delivery: str, read: Read) -> HttpResponseRedirect:
    """Try a delivery again that was given up; what had only a mail address cannot be, it is erased."""
    given_up = Delivery.objects.filter(pk=delivery, state=DeliveryState.FAILED).exclude(account=None)
    if not given_up.update(state=DeliveryState.WAITING, attempts=0, due_at=timezone.now(), ended_at=None):
        raise Http404
    door.posted.set()
    messages.success(request, _("It is tried again."))
    return redirect("outbox")


@require_safe
@conditional_page
def public_feed(request: HttpRequest, read: Read) -> HttpResponse:
    """Give everybody's feed."""
    response = HttpResponse(feeds.public_feed(read(), _base(request, read)), content_type=_ATOM)
    response.headers["Cache-Control"] = "public, max-age=60"
    return response


@never_cache
@require_safe
def personal_feed(request: HttpRequest, token: str, read: Read) -> HttpResponse:
    """Give a person's feed to whoever knows its address."""
    account = feeds.reader_of(token) if len(token) <= _TOKEN_LIMIT else None
    if account is None:
        raise Http404
    data = feeds.personal_feed(read(), _base(request, read), account)
    response = HttpResponse(data, content_type=_ATOM)
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


def _page(
    request: HttpRequest,
    account: Account,
    *,
    wishes: WishesForm | None = None,
    webhook: WebhookForm | None = None,
    feed_address: str | None = None,
    status: int = 200,
) -> TemplateResponse:
    preferences = Preferences.objects.filter(account=account).first() or Preferences(account=account)
    context = {
        "page": pages.notices_page(account),
        "wishes": wishes or WishesForm.of(preferences),
        "webhook": webhook or WebhookForm(),
        "feed_address": feed_address,
    }
    return TemplateResponse(request, "outbox_portal/notices.html", context, status=status)


def _done(request: HttpRequest, words: str) -> HttpResponseRedirect:
    messages.success(request, words)
    return redirect("notices")


def _tell(account: Account, change: str) -> None:
    key = f"account-{secrets.token_hex(16)}"
    door.post(Notice(NoticeKind.ACCOUNT_CHANGED, key, "/account/notices", {"change": change}), [account.id])


def _account(request: HttpRequest) -> Account:
    account = account_of(request)
    if account is None:  # pragma: no cover - the decorator lets nobody else through
        raise Http404
    return account


def _base(request: HttpRequest, read: Read) -> str:
    return (read().node().url or request.build_absolute_uri("/")).rstrip("/")
