"""The portal's pages: each reads a page model and prints it."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.middleware.csrf import get_token
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from pellucid.people.portal.refused import texts_of
from pellucid.release.portal.claims import now
from pellucid.release.portal.views import start_of
from pellucid.site import current, logpages, lookups, menu, pages
from pellucid.site import reviews as who_looked
from pellucid.site.design import sheet
from pellucid.site.open_ends import open_page
from pellucid.site.twin import as_json

SHA256 = re.compile(r"[0-9a-fA-F]{64}")
MAX_INDEX = 2**53


@require_safe
def home(request: HttpRequest) -> TemplateResponse:
    """Show what this node says, and who cosigns it."""
    return TemplateResponse(request, "site/home.html", {"page": pages.home_page(current.views(), now())})


@require_safe
def log(request: HttpRequest, log_id: str | None = None) -> TemplateResponse:
    """Show a log: `?before=INDEX` pages back through its entries."""
    page = logpages.log_page(current.views(), now(), log_id, _number(request, "before"))
    return _answer(request, "site/log.html", page)


@require_safe
def entry(request: HttpRequest, log_id: str, index: int) -> TemplateResponse:
    """Show one entry of a log."""
    page = logpages.entry_page(current.views(), now(), log_id, index) if index < MAX_INDEX else None
    return _answer(request, "site/entry.html", page)


@require_safe
def proof(request: HttpRequest, log_id: str) -> TemplateResponse:
    """Show a proof: `?index=N` or `?old=M`, with `&size=S` (default: the published head)."""
    index, old, size = (_number(request, name) for name in ("index", "old", "size"))
    if index is None and old is None:
        index = 0
    page = logpages.proof_page(current.views(), now(), log_id, index, old, size)
    return _answer(request, "site/proof.html", page)


@require_safe
def statement(request: HttpRequest, statement: str) -> TemplateResponse:
    """Show a statement at the place where it was logged first."""
    return _answer(request, "site/entry.html", logpages.statement_page(current.views(), now(), statement))


@require_safe
def nodes(request: HttpRequest) -> TemplateResponse:
    """Show this node, its peers, and the copies of their logs."""
    return _answer(request, "site/nodes.html", pages.nodes_page(current.views(), now()))


@require_safe
def party(request: HttpRequest, key: str) -> TemplateResponse:
    """Show a key that speaks."""
    return _answer(request, "site/party.html", lookups.party_page(current.views(), now(), key))


@require_safe
def reviews(request: HttpRequest) -> TemplateResponse:
    """Show who looked: reviews from the newest, `?from=N` pages, reviewers and nodes."""
    page = who_looked.reviews_page(current.views(), now(), start_of(request))
    return TemplateResponse(request, "site/reviews.html", {"page": page})


@require_safe
def open_ends(request: HttpRequest) -> TemplateResponse:
    """Show what is open: alarms, what nobody reviewed, what has ended, what too few have seen."""
    return TemplateResponse(request, "site/open.html", {"page": open_page(current.views(), now())})


@require_safe
def design(request: HttpRequest) -> TemplateResponse:
    """Show every token, component and state that pages are made of."""
    return TemplateResponse(request, "site/design.html", {"sheet": sheet(now())})


@require_safe
def check(request: HttpRequest) -> TemplateResponse:
    """Show where a file is hashed in the browser."""
    return TemplateResponse(request, "site/check.html")


@require_safe
def digest(request: HttpRequest, digest: str) -> TemplateResponse:
    """Show what is said here about a digest."""
    return _answer(request, "site/digest.html", lookups.digest_page(current.views(), now(), digest))


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Search for a product, a digest, a statement, a party or a node; a whole SHA-256 leads straight to its page."""
    query = request.GET.get("q", "")
    wanted = query.strip().rpartition(":")[2]
    if SHA256.fullmatch(wanted):
        return HttpResponseRedirect(f"/{_room_of(wanted.lower())}/{wanted.lower()}")
    return _answer(request, "site/search.html", lookups.search_page(current.views(), now(), query, start_of(request)))


def _room_of(digest: str) -> str:
    views = current.views()
    if views.statement(digest) is not None:
        return "statements"
    return "parties" if views.party(digest) is not None else "digest"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 400 without a look at the node."""
    return _refusal(request, 400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 403 without a look at the node."""
    return _refusal(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 404 without a look at the node."""
    return _refusal(request, 404)


def broken(request: HttpRequest) -> HttpResponse:
    """Answer 500 without a look at the node; to programs as JSON."""
    if request.path.startswith("/api/") or request.path.endswith(".json"):
        what = {"what": "it could not be answered", "where": request.path[:200], "remedy": None}
        return HttpResponse(as_json({"error": what}), content_type="application/json", status=500)
    return _refusal(request, 500)


def not_from_here(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 403 to a form without this browser's token; a form of our own, merely too old, gives its text back."""
    is_ours = request.headers.get("Sec-Fetch-Site") == "same-origin"
    context = {**menu.account(request), "csrf_token": get_token(request), "kept": texts_of(request) if is_ours else ()}
    return HttpResponse(render_to_string("403_csrf.html", context), status=403)


def _refusal(request: HttpRequest, status: int) -> HttpResponse:
    """Print the page of a status; who is signed in is looked up only where nothing is broken."""
    context: dict[str, Any] = {"nameless": True}
    if status in {403, 404}:
        context = menu.account(request)
        context |= {"csrf_token": get_token(request)} if context.get("menu") else {}
    return HttpResponse(render_to_string(f"{status}.html", context), status=status)


def _answer(request: HttpRequest, template: str, page: object) -> TemplateResponse:
    if page is None:
        raise Http404
    return TemplateResponse(request, template, {"page": page})


def _number(request: HttpRequest, name: str) -> int | None:
    """Return a whole number of the query string; what is none, or out of all bounds, counts as not given."""
    text = request.GET.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None
