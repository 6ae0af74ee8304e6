"""What the API says of whoever asks."""

from __future__ import annotations

from typing import Any

from django.test import Client
from tests.world import World, sign_in


def test_people_read_who_they_are(world: World) -> None:
    told = world.client("rita").get("/api/me").json()
    assert told["email"] == "rita@people.example"
    assert told["roles"] == ["reviewer"]
    assert told["permissions"] == ["enrol-keys", "sign-statements"]
    assert told["second_factor"] == "used"
    assert told["operator_session"] is None


def test_an_open_operator_session_is_told(world: World) -> None:
    told = world.operator_session("otto").get("/api/me").json()
    assert told["operator_session"]["ends_at"] > told["operator_session"]["opened_at"]


def test_visitors_are_told_to_sign_in(world: World) -> None:
    answer = world.client(None).get("/api/me")
    assert answer.status_code == 401
    assert answer.json()["error"]["remedy"] == "Sign in first."


def test_what_is_not_there_is_still_told_as_json(world: World) -> None:
    answer = world.client(None).get("/api/nothing-like-that")
    assert answer.status_code == 404
    assert answer.json()["error"]["where"] == "/api/nothing-like-that"


def test_a_write_by_a_session_needs_the_token_of_its_pages(world: World) -> None:
    browser = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    sign_in(browser, world.account("otto"))
    asked: dict[str, Any] = {"data": '{"name": "reindex", "arguments": {}}', "content_type": "application/json"}
    refused = browser.post("/api/jobs", **asked)
    assert (refused.status_code, refused.json()["error"]["what"]) == (403, "CSRF check Failed")
    token = str(browser.get("/account").context["csrf_token"])
    assert browser.post("/api/jobs", **asked, headers={"X-CSRFToken": token}).status_code not in {401, 403}


def test_a_write_without_an_account_is_asked_to_sign_in_first(world: World) -> None:
    browser = Client(SERVER_NAME="localhost", enforce_csrf_checks=True)
    assert browser.post("/api/jobs", data="{}", content_type="application/json").status_code == 401
