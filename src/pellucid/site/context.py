"""What the frame of every page shows: which node this is, who cosigns it, whether an alarm is up."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from django.http import HttpRequest

from pellucid.release.portal.seen import log_glance
from pellucid.site import current

SECTIONS = {"products": "products", "releases": "products", "log": "log", "logs": "log", "statements": "log",
            "nodes": "nodes", "parties": "nodes", "check": "check", "digest": "check",
            "reviews": "reviews", "open": "open"}  # fmt: skip


def node(request: HttpRequest) -> dict[str, Any]:
    """Return the node's line for the frame, the section the page is in, and the address of its `.json` twin."""
    views = current.views()
    logs = views.logs()
    path = "/index" if request.path == "/" else _escaped(request.path)
    query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
    return {
        "node": views.node(),
        "node_log": log_glance(logs[0]) if logs else None,
        "alarms": len(views.alarms()),
        "section": SECTIONS.get(request.path.split("/")[1]),
        "twin": f"{path}.json{query}",
    }


def _escaped(path: str) -> str:
    """Write a path so that no browser resolves a `.` or `..` in it."""
    room, _, rest = path[1:].partition("/")
    dotted = not {".", ".."}.isdisjoint(rest.split("/"))
    return f"/{quote(room)}/{quote(rest, safe='@:~!+')}" if dotted else quote(path, safe="/@:~!+")
