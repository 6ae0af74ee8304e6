"""What every answer of the portal gets: a content security policy, and a `.json` twin for each page."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotFound
from django.template.response import TemplateResponse

from pellucid.site import current
from pellucid.site.twin import as_json

CSP = (
    "default-src 'self'; base-uri 'none'; object-src 'none'; form-action 'self'; frame-ancestors 'none'; "
    "script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'"
)
SUFFIX = ".json"
PORTAL_ROOT = "/index"
# U+061C, U+200E and U+200F, U+202A to U+202E, U+2066 to U+2069, as UTF-8
_TURNING = re.compile(rb"\xd8\x9c|\xe2(?:\x80[\x8e\x8f\xaa-\xae]|\x81[\xa6-\xa9])")

Next = Callable[[HttpRequest], HttpResponseBase]


def content_security_policy(get_response: Next) -> Next:
    """Send the policy with every answer, redirects and refusals too: nothing inline, nothing from elsewhere."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Content-Security-Policy", CSP)
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    return middleware


def encrypted_api(get_response: Next) -> Next:
    """Refuse what programs send in the open where visitors come by HTTPS; a redirect would hide their mistake.

    Programs on this machine that no proxy stands before are answered.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        in_the_open = settings.SECURE_SSL_REDIRECT and not request.is_secure() and not _is_local(request)
        if in_the_open and request.path_info.startswith("/api/"):
            what = {"what": "this was sent unencrypted", "where": "/api/", "remedy": "ask by https"}
            return HttpResponse(as_json({"error": what}), content_type="application/json", status=403)
        return get_response(request)

    return middleware


def _is_local(request: HttpRequest) -> bool:
    try:
        is_loopback = ipaddress.ip_address(request.META.get("REMOTE_ADDR", "")).is_loopback
    except ValueError:
        return False
    return is_loopback and "HTTP_X_FORWARDED_PROTO" not in request.META and "HTTP_X_FORWARDED_FOR" not in request.META


def one_reading(get_response: Next) -> Next:
    """Make each page of one reading of the node."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        with current.one_reading():
            return get_response(request)

    return middleware


class JsonTwin:
    """Answer `PAGE.json` with the page model of `PAGE`; `/index.json` is the twin of the first page.

    A view takes part by answering with a TemplateResponse whose context holds `page`.
    """

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.endswith(SUFFIX) or request.path_info.startswith("/api/"):
            return self.get_response(request)
        page_path = request.path_info.removesuffix(SUFFIX)
        request.path_info = request.path = "/" if page_path == PORTAL_ROOT else page_path
        request.META["pellucid.twin"] = True
        response = self.get_response(request)
        if response.headers.get("Content-Type") == "application/json":
            return response
        if 300 <= response.status_code < 400:
            return response
        error = "nothing is known here by that name" if response.status_code == 404 else "it could not be answered"
        body = as_json({"error": {"what": error, "where": request.path + SUFFIX, "remedy": None}})
        return HttpResponse(body, content_type="application/json", status=max(response.status_code, 400))

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> HttpResponseBase:
        """Put the model in place of the page when its twin was asked for."""
        if not request.META.get("pellucid.twin"):
            return response
        page = (response.context_data or {}).get("page")
        if page is None:
            return TwinlessResponse()
        twin = TwinResponse(as_json(page), content_type="application/json", status=response.status_code)
        for name, value in response.items():  # what a view says of its page, above all to caches, holds for its twin
            twin.headers.setdefault(name, value)
        return twin


class TwinResponse(HttpResponse):
    """A page model; Django asks for `render` of whatever stands in for a template response."""

    def render(self) -> HttpResponse:
        return self


class TwinlessResponse(HttpResponseNotFound):
    """The page has no model."""

    def render(self) -> HttpResponse:
        return self


def visible_controls(get_response: Next) -> Next:
    """Print what turns text round as its code point, in every page: names and statements are other people's text.

    U+202E in a name would have a page say something else than the log holds. Joiners stay, languages need them.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if isinstance(response, HttpResponse) and response.headers.get("Content-Type", "").startswith("text/html"):
            body = response.content
            if _TURNING.search(body):
                response.content = _TURNING.sub(lambda found: f"[U+{ord(found[0].decode()):04X}]".encode(), body)
        return response

    return middleware
