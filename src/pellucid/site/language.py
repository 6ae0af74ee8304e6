"""In which language a page is written: the cookie that `/language` sets, else what the browser asks for, else English.

Only the public pages are translated. Everything else is English whatever the reader asks for: the pages behind
sign-in, the `.json` twins and the API, so that what programs read never depends on who asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseBase, HttpResponseRedirect
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

TRANSLATED_ROOMS = ("pellucid.site.", "pellucid.release.portal.")
ENGLISH_ROOMS = ("pellucid.site.accounts.",)
MAX_ADDRESS = 2000
_PLAIN_PATH = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]*")
_FIXED = "ENGLISH_ONLY"

View = Callable[..., HttpResponseBase]


class Languages:
    """Write each page in the language its reader chose, and say in `Vary` what that depended on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        code = settings.LANGUAGE_CODE if _for_programs(request.path_info) else chosen(request)
        with translation.override(code):
            request.LANGUAGE_CODE = code
            if _for_programs(request.path_info):
                request.META[_FIXED] = True
            response = self.get_response(request)
            response.headers.setdefault("Content-Language", translation.get_language() or settings.LANGUAGE_CODE)
        if not request.META.get(_FIXED):
            patch_vary_headers(response, ("Accept-Language", "Cookie"))
        return response

    def process_view(self, request: HttpRequest, view: View, args: Any, kwargs: Any) -> None:  # noqa: ARG002 - Django's
        """Turn to English before a view whose words are in no other language."""
        if not is_translated(view):
            request.META[_FIXED] = True
            request.LANGUAGE_CODE = settings.LANGUAGE_CODE
            translation.activate(settings.LANGUAGE_CODE)


def chosen(request: HttpRequest) -> str:
    """Return the language of a visitor: by cookie, else the best of `Accept-Language`, else the site's own."""
    return translation.get_language_from_request(request)


def is_translated(view: View) -> bool:
    """Return whether a view's pages are among those that there are translations of."""
    module = f"{view.__module__}."
    return module.startswith(TRANSLATED_ROOMS) and not module.startswith(ENGLISH_ROOMS)


@csrf_exempt  # a token would cost every reader a cookie; the worst that another site could do is to change the language
@require_POST
def set_language(request: HttpRequest) -> HttpResponse:
    """Keep the language in a cookie, then go back to `next`: a path on this site, else the first page.

    Answers 400 for a language there is none of, and for a form that another site sent.
    """
    code = request.POST.get("language", "")
    if code not in dict(settings.LANGUAGES) or _from_elsewhere(request):
        return HttpResponseBadRequest(_("There is no such language here."), content_type="text/plain; charset=utf-8")
    response = HttpResponseRedirect(safe_path(request.POST.get("next", "")))
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        code,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        path=settings.LANGUAGE_COOKIE_PATH,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=settings.LANGUAGE_COOKIE_HTTPONLY,
        samesite="Lax",
    )
    return response


def safe_path(address: str) -> str:
    """Return `address` if it is a path on this site in plain ASCII, else the path of the first page."""
    return address if len(address) <= MAX_ADDRESS and _PLAIN_PATH.fullmatch(address) else "/"


def _for_programs(path: str) -> bool:
    return path.endswith(".json") or path.startswith("/api/")


def _from_elsewhere(request: HttpRequest) -> bool:
    origin = request.headers.get("Origin")
    return origin is not None and origin not in {f"{scheme}://{request.get_host()}" for scheme in ("http", "https")}
