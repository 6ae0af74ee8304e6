"""The portal's pages: each reads a page model and prints it."""

from __future__ import annotations

import re

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.views.decorators.http import require_safe

from pellucid.release.portal.claims import now
from pellucid.release.portal.views import start_of
from pellucid.site import current, logpages, lookups, pages

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
def check(request: HttpRequest) -> TemplateResponse:
    """Show where a file is hashed in the browser."""
    return TemplateResponse(request, "site/check.html")


@require_safe
def digest(request: HttpRequest, digest: str) -> TemplateResponse:
    """Show what is said here about a digest."""
    return _answer(request, "site/digest.html", lookups.digest_page(current.views(), now(), digest))


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """Search for a digest, a product or a statement; a whole SHA-256 leads straight to its page."""
    query = request.GET.get("q", "")
    wanted = query.strip().rpartition(":")[2]
    if SHA256.fullmatch(wanted):
        known = current.views().statement(wanted.lower()) is not None
        return HttpResponseRedirect(f"/{'statements' if known else 'digest'}/{wanted.lower()}")
    return _answer(request, "site/search.html", lookups.search_page(current.views(), now(), query, start_of(request)))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 400 without a look at the node."""
    return HttpResponse(render_to_string("400.html"), status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 403 without a look at the node."""
    return HttpResponse(render_to_string("403.html"), status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 404 without a look at the node."""
    return HttpResponse(render_to_string("404.html"), status=404)


def broken(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Answer 500 without a look at the node."""
    return HttpResponse(render_to_string("500.html"), status=500)


def _answer(request: HttpRequest, template: str, page: object) -> TemplateResponse:
    if page is None:
        raise Http404
    return TemplateResponse(request, template, {"page": page})


def _number(request: HttpRequest, name: str) -> int | None:
    """Return a whole number of the query string; what is none, or out of all bounds, counts as not given."""
    text = request.GET.get(name, "").strip()
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 15 else None
