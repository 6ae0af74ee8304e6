"""Public pages, kept for a moment: while many people read one page, it is made once in two seconds.

Only what everybody would get is kept: an answer to a visitor without a session, that sets no cookie and does not ask
to be kept from caches. A page says when it was made, so a kept one says nothing false; once a log has grown, none of
before is given out.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from threading import Lock

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation

from pellucid.site import current

KEPT_FOR = 2.0
MOST_PAGES = 256
MOST_BYTES = 256 << 10
MOST_ALTOGETHER = 8 << 20  # a stranger chooses what is asked for, and so what memory goes to
PERSONAL_COOKIES = (settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME, "messages")


@dataclass(frozen=True, slots=True)
class _Page:
    made: float
    body: bytes
    headers: tuple[tuple[str, str], ...]

    def answer(self) -> HttpResponse:
        response = HttpResponse(self.body)
        for name, value in self.headers:
            response.headers[name] = value
        return response


class KeptPages:
    """Answers from memory what was answered to somebody else a moment ago. Safe between threads."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response
        self._pages: OrderedDict[Hashable, _Page] = OrderedDict()  # the one made last comes last
        self._bytes = 0
        self._lock = Lock()

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.method != "GET" or any(name in request.COOKIES for name in PERSONAL_COOKIES):
            return self.get_response(request)
        key = (request.get_host(), request.get_full_path(), translation.get_language(), current.sizes())
        with self._lock:
            page = self._pages.get(key)
        if page is not None and time.monotonic() - page.made <= KEPT_FOR:
            return page.answer()
        response = self.get_response(request)
        if isinstance(response, HttpResponse) and _is_for_everybody(response):
            self._keep(key, response)
        return response

    def _keep(self, key: Hashable, response: HttpResponse) -> None:
        now = time.monotonic()
        with self._lock:
            self._drop(key)
            self._pages[key] = _Page(now, response.content, tuple(response.items()))
            self._bytes += len(response.content)
            while len(self._pages) > 1 and self._is_too_much(now):
                self._drop(next(iter(self._pages)))

    def _is_too_much(self, now: float) -> bool:
        """Tell whether the oldest page has to go: it is over, or there are too many."""
        oldest = next(iter(self._pages.values()))
        return now - oldest.made > KEPT_FOR or len(self._pages) > MOST_PAGES or self._bytes > MOST_ALTOGETHER

    def _drop(self, key: Hashable) -> None:
        page = self._pages.pop(key, None)
        self._bytes -= 0 if page is None else len(page.body)


def _is_for_everybody(response: HttpResponse) -> bool:
    return (
        response.status_code == 200
        and not response.cookies
        and not response.has_header("Cache-Control")
        and response.headers.get("Content-Type", "").startswith("text/html")
        and len(response.content) <= MOST_BYTES
    )
