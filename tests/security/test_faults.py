"""When something breaks inside, whoever asked learns that and nothing else, and the log keeps no secret."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from tests.world import PASSWORD, World

from pellucid.site import answers, current, log_lines
from pellucid.site.accounts import recorded
from pellucid.site.accounts import settings as sign_in

HUSH = "hush-3f9c"


class Broken:
    """Stands for a node in which everything fails, with something in the reason that is nobody's business."""

    def __getattr__(self, name: str) -> Any:
        raise RuntimeError(f"cannot open /srv/node/site.db: {HUSH}")


def visitor(**environ: Any) -> Client:
    browser = Client(SERVER_NAME="localhost", **environ)
    browser.raise_request_exception = False
    return browser


@pytest.mark.parametrize("address", ["/", "/index.json", "/log", "/nodes.json", "/feed.atom", "/api/logs", "/api/card"])
def test_a_failing_page_says_nothing_of_why(world: World, caplog: pytest.LogCaptureFixture, address: str) -> None:
    current.serve(Broken())
    answers.serve(Broken())  # type: ignore[arg-type]
    with caplog.at_level(logging.DEBUG):
        answer = visitor(HTTP_COOKIE=f"{settings.SESSION_COOKIE_NAME}={HUSH}-cookie").get(
            f"{address}?token={HUSH}-query"
        )
    text = answer.content.decode()
    assert answer.status_code == 500
    assert not any(word in text for word in (HUSH, "RuntimeError", "Traceback", "site.db", ".py", settings.SECRET_KEY))
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "public" not in answer.headers.get("Cache-Control", "")
    assert "RuntimeError" in caplog.text, "the control: the operator does learn it"
    assert f"{HUSH}-cookie" not in caplog.text
    assert f"{HUSH}-query" not in caplog.text


@pytest.mark.parametrize("address", ["/api/logs", "/index.json"])
def test_programs_are_told_of_a_fault_as_json(world: World, address: str) -> None:
    current.serve(Broken())
    answers.serve(Broken())  # type: ignore[arg-type]
    answer = visitor().get(address)
    assert answer.headers["Content-Type"] == "application/json"
    assert set(answer.json()["error"]) == {"what", "where", "remedy"}


def test_a_form_without_its_token_stands_in_the_log(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """Where it was sent, and nothing of what was in it."""
    strict = Client(enforce_csrf_checks=True, SERVER_NAME="localhost")
    with caplog.at_level(logging.WARNING):
        assert strict.post("/account/login/", {"password": HUSH}).status_code == 403
    assert "/account/login/" in caplog.text
    assert HUSH not in caplog.text


def test_what_was_typed_stands_in_no_log_when_sign_in_breaks(
    world: World, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: Any) -> None:
        raise RuntimeError("no")

    world.account("rita")
    monkeypatch.setattr(recorded, "refused", fail)
    sent = {"login": "rita@people.example", "password": f"{HUSH} and more", "next": f"/account?{HUSH}"}
    with caplog.at_level(logging.DEBUG):
        answer = visitor().post("/account/login/", sent)
    assert answer.status_code == 500
    assert "RuntimeError" in caplog.text
    formatted = "".join(log_lines.LogLines().format(record) for record in caplog.records)
    for text in (caplog.text, formatted, answer.content.decode()):
        assert HUSH not in text
        assert PASSWORD not in text
        assert settings.SECRET_KEY not in text


def test_a_check_that_breaks_lets_nobody_through(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail closed: whatever breaks while it is decided who may look, nothing is shown."""
    otto = world.operator_session("otto")
    otto.raise_request_exception = False
    assert b"Otto Example" in otto.get("/people").content
    for name in ("standing_of", "_record_granted", "session_of"):
        with monkeypatch.context() as patch:
            patch.setattr(f"pellucid.people.portal.access.{name}", Broken().__getattr__)
            answer = otto.get("/people")
        assert answer.status_code == 500, name
        assert b"Example" not in answer.content.replace(b"Example Vendor", b""), name


def test_one_failing_request_does_not_keep_others_from_theirs(world: World) -> None:
    views = world.node.views
    current.serve(Broken())
    assert visitor().get("/").status_code == 500
    current.serve(views)
    assert visitor().get("/?again").status_code == 200


def test_nothing_for_developers_is_switched_on() -> None:
    assert settings.DEBUG is False
    assert settings.ALLOWED_HOSTS
    assert "*" not in settings.ALLOWED_HOSTS
    assert not [app for app in settings.INSTALLED_APPS if "debug" in app or "admin" in app]
    assert not settings.CSRF_TRUSTED_ORIGINS


@pytest.mark.parametrize("address", ["/static/", "/.git/config", "/static/../settings.py", "/api/docs", "/admin/",
                                     "/site.db", "/secret_key", "/static/x/site/", "/.env"])  # fmt: skip
def test_nothing_is_listed_and_no_file_of_the_home_is_served(world: World, address: str) -> None:
    answer = visitor().get(address)
    assert answer.status_code == 404
    assert b"secret" not in answer.content


def record_of(message: str, *given: Any, error: BaseException | None = None) -> str:
    info = (type(error), error, None) if error is not None else None
    return log_lines.LogLines().format(logging.LogRecord("here", logging.ERROR, "", 0, message, given, info))


def test_log_lines_are_in_utc_and_say_so() -> None:
    record = logging.LogRecord("here", logging.ERROR, "", 0, "said", (), None)
    record.created = 1_767_225_600.25
    assert log_lines.LogLines().format(record) == "2026-01-01T00:00:00.250Z ERROR here: said"


@pytest.mark.parametrize("breaks", ["\n", "\r", "\x1b[2J", "\x00", "\u2028", "\x85"])
def test_no_message_begins_a_line_or_steers_a_terminal(breaks: str) -> None:
    forged = f"asked for x{breaks}2026-01-01T00:00:00.000Z CRITICAL here: all is well"
    line = record_of("Not Found: %s", forged)
    assert breaks not in line
    assert len(line.splitlines()) == 1
    told = record_of("broke", error=RuntimeError(forged))
    assert [text[:4] for text in told.splitlines()[1:]] == ["    "] * (len(told.splitlines()) - 1)
    assert breaks == "\n" or breaks not in told


def test_the_server_writes_its_log_by_these_rules_to_its_own_output_only() -> None:
    written: dict[str, Any] = settings.LOGGING
    assert written["formatters"] == {"line": {"()": "pellucid.site.log_lines.LogLines"}}
    assert written["handlers"] == {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}}
    assert {"django", "allauth", "pellucid"} <= {*written["loggers"]}
    assert sign_in.EMAIL_BACKEND == "django.core.mail.backends.dummy.EmailBackend"
    assert not settings.ADMINS
