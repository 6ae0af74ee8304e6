"""How a refusal is told: a page in plain words, a way on where there is one, or JSON for what is no browser's page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from allauth.mfa.models import Authenticator
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from pellucid.people.decision import Obstacle
from pellucid.people.permissions import Permission

_SAFE = frozenset({"GET", "HEAD"})
_PASSING = frozenset({Obstacle.SIGNED_OUT, Obstacle.FACTOR_NOT_USED, Obstacle.NO_SESSION})
_SECRET = frozenset({"csrfmiddlewaretoken", "password", "again", "code", "credential", "next"})
_LONG_TO_TYPE = 20


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is in the way; `too_often`: this account was refused so often that it is told to stop.

    `asks_too_much`: it was not refused, but what it asks for is recorded, and enough of that is.
    """

    obstacle: Obstacle
    permission: Permission | None = None
    too_often: bool = False
    asks_too_much: bool = False

    @property
    def status(self) -> int:
        """The HTTP status that fits."""
        if self.obstacle is Obstacle.SIGNED_OUT:
            return 401
        return 429 if self.too_often else 403


@dataclass(frozen=True, slots=True)
class RefusalPage:
    """The page of a refusal: what is missing, how to mend it, and where."""

    title: str
    as_of: datetime
    text: str
    remedy: str
    href: str
    link: str


class RefusedError(Exception):
    """A request is refused; the API answers it as JSON."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.obstacle.value)
        self.refusal = refusal


def answer(request: HttpRequest, refusal: Refusal) -> HttpResponseBase:
    """Answer a refused request: by JSON, by the page that mends it, or by one that says what is missing."""
    if wants_json(request):
        return JsonResponse(as_json(request, refusal), status=refusal.status)
    there = _way_on(request, refusal)
    if there is not None:
        return there
    kept = texts_of(request) if refusal.obstacle in _PASSING else ()
    context = {"page": page_of(refusal), "kept": kept}
    return render(request, "people_portal/refused.html", context, status=refusal.status)


def texts_of(request: HttpRequest) -> tuple[str, ...]:
    """Return what is long to type again of a form that was not taken, and is no secret; it is shown once more."""
    if request.method != "POST":
        return ()
    texts = (str(text) for name, text in request.POST.items() if name not in _SECRET)
    return tuple(text for text in texts if len(text) >= _LONG_TO_TYPE)


def wants_json(request: HttpRequest) -> bool:
    """Tell whether a page would be of no use to who asks: a `.json` twin, htmx, the API, a program."""
    if request.META.get("pellucid.twin") or request.path.startswith("/api/") or request.headers.get("HX-Request"):
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"


def as_json(request: HttpRequest, refusal: Refusal) -> dict[str, dict[str, str | None]]:
    """Return the refusal as the API tells errors."""
    page = page_of(refusal)
    return {"error": {"what": page.text, "where": request.path, "remedy": page.remedy}}


def page_of(refusal: Refusal) -> RefusalPage:
    """Return the page of a refusal."""
    now = timezone.now()
    if refusal.too_often:
        return _too_much(refusal, now)
    match refusal.obstacle:
        case Obstacle.SIGNED_OUT:
            what, remedy = _("This is only for people with an account."), _("Sign in first.")
            return RefusalPage(_("Sign in first"), now, what, remedy, reverse("account_login"), _("Sign in"))
        case Obstacle.PERMISSION:
            what = _("Your account has no role that allows this.")
            remedy = _("If it should, ask an operator of this node.")
            return RefusalPage(_("That is not yours to do"), now, what, remedy, "/", _("This node's first page"))
        case Obstacle.NO_FACTOR:
            what = _("Your role asks for a second factor, and your account has none.")
            remedy = _("Set one up: a passkey, or an app that makes codes.")
            title, link = _("A second factor first"), _("Set up a second factor")
            return RefusalPage(title, now, what, remedy, reverse("mfa_index"), link)
        case Obstacle.FACTOR_NOT_USED:
            what = _("You signed in here without your second factor.")
            remedy = _("Use it once in this browser.")
            return RefusalPage(_("Use your second factor"), now, what, remedy, reverse("mfa_index"), _("Second factor"))
        case Obstacle.NO_SESSION:
            what = _("Operators reach this in an operator session only.")
            remedy = _("Open one: it has a reason and an end, and each request in it is recorded.")
            title, link = _("Open an operator session"), _("Open an operator session")
            return RefusalPage(title, now, what, remedy, reverse("operator-session"), link)


def _too_much(refusal: Refusal, now: datetime) -> RefusalPage:
    title, what = _("Too many refusals"), _("You were refused too often within an hour.")
    if refusal.asks_too_much:
        title, what = _("Too many requests"), _("You asked for too much within an hour.")
    return RefusalPage(title, now, what, _("Try again later."), "/", "")


def _way_on(request: HttpRequest, refusal: Refusal) -> HttpResponseBase | None:
    """Return the redirect that leads back here once the obstacle is gone; None where only a person can mend it."""
    here = request.get_full_path() if request.method in _SAFE else None
    if refusal.obstacle is Obstacle.SIGNED_OUT:
        return redirect_to_login(here) if here else None
    if here is None or refusal.too_often:
        return None
    if refusal.obstacle is Obstacle.NO_SESSION:
        return HttpResponseRedirect(f"{reverse('operator-session')}?{urlencode({'next': here})}")
    if refusal.obstacle is Obstacle.FACTOR_NOT_USED:
        return HttpResponseRedirect(f"{reverse(_factor_page(request))}?{urlencode({'next': here})}")
    return None


def _factor_page(request: HttpRequest) -> str:
    kinds = Authenticator.objects.filter(user_id=request.user.pk).values_list("type", flat=True)
    return "mfa_reauthenticate" if Authenticator.Type.TOTP in kinds else "mfa_reauthenticate_webauthn"
