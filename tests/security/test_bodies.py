"""What programs and people send in: of its type, bounded in size and depth, each thing said once."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from tests.signing.desk import Desk, review
from tests.world import World

from pellucid.audit.events import EventType
from pellucid.people.portal.models import Account
from pellucid.people.roles import Role

QUESTION = {"log": "log.vendor.example/1", "size": 0, "refs": ["key:" + "0" * 64]}
API = ("statements", "lookup", "jobs")


@pytest.mark.parametrize("path", API)
@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                                  "application/xml", "application/json5", "text/json"])  # fmt: skip
def test_the_api_takes_json_only(world: World, path: str, kind: str) -> None:
    """Nothing that a form of another site could send without asking first."""
    otto = world.client("otto")
    answer = otto.post(f"/api/{path}", json.dumps(QUESTION), content_type=kind)
    assert answer.status_code == 415
    assert set(answer.json()["error"]) == {"what", "where", "remedy"}
    assert (
        otto.post(f"/api/{path}", json.dumps(QUESTION), content_type="application/json; charset=utf-8").status_code
        != 415
    )


@pytest.mark.parametrize("path", API)
@pytest.mark.parametrize("data", ["[" * 100_000, '{"a":' * 100_000, "", "null", "[]", "1e999", "{", "\x00", '"x"',
                                  '{"name": NaN}', "\ud800"])  # fmt: skip
def test_whatever_json_is_sent_is_an_answer_and_no_fault(world: World, path: str, data: str) -> None:
    otto = world.client("otto")
    otto.raise_request_exception = False
    answer = otto.post(f"/api/{path}", data.encode("utf-8", "surrogatepass"), content_type="application/json")
    assert answer.status_code in {400, 413}
    assert answer.headers["Content-Type"].startswith("application/json")


def test_a_field_that_stands_twice_is_refused(world: World) -> None:
    once = json.dumps(QUESTION)
    twice = once[:-1] + ', "size": 1}'
    visitor = world.client(None)
    assert visitor.post("/api/lookup", twice, content_type="application/json").status_code == 400
    assert visitor.post("/api/lookup", once, content_type="application/json").status_code != 400


def test_fields_that_there_are_not_are_refused(world: World) -> None:
    for path, sent in (("lookup", QUESTION), ("jobs", {"name": "check-logs"})):
        more = {**sent, "asked_by": "0" * 32}
        assert world.client("otto").post(f"/api/{path}", more, content_type="application/json").status_code == 400


def test_what_stands_in_the_address_does_not_stand_in_for_what_is_sent(world: World) -> None:
    otto, rita = world.operator_session("otto"), world.account("rita")
    page = otto.post(f"/people/{rita.id}/roles?role=operator", {"role": "", "until": ""})
    assert page.status_code == 200
    assert not rita.grants.filter(role=Role.OPERATOR.value).exists()
    world.client("rita").post("/account?name=Another", {})
    assert Account.objects.get(id=rita.id).name == rita.name


def test_of_two_values_one_is_checked_done_and_recorded(world: World) -> None:
    otto, rita = world.operator_session("otto"), world.account("rita")
    otto.post(f"/people/{rita.id}/roles", {"role": ["nonsense", "assessor"], "until": ""})
    held = {grant.role for grant in rita.grants.filter(ended_at=None)}
    assert held == {"reviewer", "assessor"}
    assert [event.details["role"] for event in world.events(EventType.ROLE_GRANTED)] == ["assessor"]


NAMES = (
    "../../etc/passwd",
    "<img src=x onerror=alert(1)>.json",
    'x"; filename="evil.html',
    "page.html",
    "a\r\nX: 1.json",
)


@pytest.mark.parametrize("name", NAMES)
def test_the_name_of_an_upload_is_used_nowhere(world: World, name: str) -> None:
    desk = Desk(world)
    answer = desk.client.post(
        "/signing/new", {"text": "", "file": SimpleUploadedFile(name, review().payload(), "text/html")}
    )
    place = answer.headers["Location"]
    download = desk.client.get(f"{place}/statement")
    for given in (answer, desk.client.get(place), desk.client.get(f"{place}.json"), download):
        assert b"onerror" not in given.content
        assert b"passwd" not in given.content
        assert "evil" not in str(given.headers)
    assert download.headers["Content-Disposition"].startswith('attachment; filename="statement-')
    assert "html" not in download.headers["Content-Type"]
    assert download.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(
    "data", [b"<html><script>alert(1)</script>", b"\x89PNG\r\n\x1a\n", b"PK\x03\x04", b"MZ", b"%PDF-1.7"]
)
def test_an_upload_is_a_statement_whatever_it_is_called(world: World, data: bytes) -> None:
    desk = Desk(world)
    page = desk.client.post("/signing/new", {"text": "", "file": SimpleUploadedFile("review.json", data)})
    assert page.status_code == 400
    assert b"<script>alert" not in page.content


def test_forms_are_bounded_in_fields_and_bytes(world: World) -> None:
    rita = world.client("rita")
    rita.raise_request_exception = False
    many: dict[str, Any] = {f"field{number}": "x" for number in range(settings.DATA_UPLOAD_MAX_NUMBER_FIELDS + 1)}
    assert rita.post("/account", many).status_code == 400
    assert rita.post("/account", {"name": "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)}).status_code in {400, 413}
    assert rita.post("/account", {"name": "x" * 201}).status_code == 200
    assert Account.objects.get(email="rita@people.example").name == "Rita Example"
