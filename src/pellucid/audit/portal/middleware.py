"""What could not be recorded is not shown: the answer then is 503, as for everything that cannot be done now."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from pellucid.audit.trail import NotRecordedError
from pellucid.errors import UnavailableError

_RETRY_AFTER_SECONDS = "30"


@dataclass(frozen=True, slots=True)
class UnavailablePage:
    """A page that says what cannot be done now, and what may help."""

    title: str
    as_of: datetime
    text: str
    remedy: str | None


class Unavailable:
    """Answer 503 where a view raised UnavailableError, in the shape that was asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer what only the moment is to blame for; everything else stays a fault of the node."""
        if not isinstance(error, UnavailableError):
            return None
        response = _as_json(request, error) if _wants_json(request) else _as_page(request, error)
        response["Retry-After"], response["Cache-Control"] = _RETRY_AFTER_SECONDS, "no-store"
        return response


def _as_json(request: HttpRequest, error: UnavailableError) -> HttpResponse:
    body = {"error": {"what": error.what, "where": error.where or request.path, "remedy": error.remedy}}
    return JsonResponse(body, status=503)


def _as_page(request: HttpRequest, error: UnavailableError) -> HttpResponse:
    if isinstance(error, NotRecordedError):
        text = _("What is private is shown only once that is recorded, and this node cannot record now.")
    else:
        text = _("This node cannot do that now.")
    page = UnavailablePage(_("Not now"), datetime.now(UTC), text, _("Nothing was shown or changed. Try again later."))
    return render(request, "audit_portal/unavailable.html", {"page": page}, status=503)


def _wants_json(request: HttpRequest) -> bool:
    if request.META.get("pellucid.twin") or request.path.startswith("/api/") or request.headers.get("HX-Request"):
        return True
    return request.get_preferred_type(["text/html", "application/json"]) == "application/json"
