"""What programs send to the API: JSON that says so and says each thing once."""

from __future__ import annotations

import json
from typing import Any, cast

from django.http import HttpRequest
from ninja.errors import HttpError
from ninja.parser import Parser
from ninja.types import DictStrAny

_JSON = "application/json"


class JsonBodies(Parser):
    """Reads the bodies of the API's operations."""

    def parse_body(self, request: HttpRequest) -> DictStrAny:
        """Return a body; HttpError 415 for another type than JSON, 400 for what is none or names a field twice."""
        require_json(request)
        try:
            return cast("DictStrAny", json.loads(request.body, object_pairs_hook=_each_once))
        except (ValueError, RecursionError) as error:
            raise HttpError(400, "this is no JSON, or a field stands in it twice") from error


def require_json(request: HttpRequest) -> None:
    """Refuse a body that its sender calls anything but JSON: HttpError 415. A body without a type passes."""
    if request.META.get("CONTENT_TYPE") and request.content_type != _JSON:
        raise HttpError(415, f"bodies are taken as {_JSON} only")


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field stands twice")
    return found
