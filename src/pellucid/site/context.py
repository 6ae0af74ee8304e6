"""What the frame of every page shows: which node this is, who cosigns it, whether an alarm is up."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from pellucid.release.portal.claims import log_glance
from pellucid.site import current

SECTIONS = {"products": "products", "releases": "products", "log": "log", "logs": "log", "statements": "log",
            "nodes": "nodes", "parties": "nodes", "check": "check"}  # fmt: skip


def node(request: HttpRequest) -> dict[str, Any]:
    """Return the node's line for the frame, the section the page is in, and the address of its `.json` twin."""
    views = current.views()
    logs = views.logs()
    path = "/index" if request.path == "/" else request.path.rstrip("/")
    query = f"?{request.META['QUERY_STRING']}" if request.META.get("QUERY_STRING") else ""
    return {
        "node": views.node(),
        "node_log": log_glance(logs[0]) if logs else None,
        "alarms": len(views.alarms()),
        "section": SECTIONS.get(path.split("/")[1]),
        "twin": f"{path}.json{query}",
    }
