"""`/api/me/record`: one's own record, as data and as a proof file."""

from __future__ import annotations

from tests.world import World

from pellucid.audit.events import EventType
from pellucid.audit.proof import check_proof
from pellucid.statement.keys import Role


def test_the_api_gives_ones_own_record_and_its_proof(world: World) -> None:
    rita, browser = world.account("rita"), world.client("rita")
    first = browser.get("/api/me/record").json()
    assert first["account"] == rita.id
    assert [event["type"] for event in first["events"]] == ["access.granted"]
    assert first["events"][0]["target"] == "api:/api/me/record"
    world.node.publish()
    answer = browser.get("/api/me/record/proof")
    assert answer["Content-Disposition"].startswith("attachment")
    proven = check_proof(answer.content, world.home.verifier(Role.AUDIT))
    assert [event.index for event in proven.events] == [event["index"] for event in first["events"]]
    paged = browser.get("/api/me/record?limit=1&before=1").json()
    assert [event["index"] for event in paged["events"]] == [0]


def test_a_proof_that_cannot_be_given_yet_is_503(world: World) -> None:
    answer = world.client("rita").get("/api/me/record/proof")
    assert answer.status_code == 503
    assert "published head" in answer.json()["error"]["what"]


def test_a_visitor_gets_nothing(world: World) -> None:
    for path in ("/api/me/record", "/api/me/record/proof"):
        assert world.client(None).get(path).status_code == 401
    assert world.events(EventType.ACCESS_GRANTED) == ()


def test_odd_numbers_are_refused(world: World) -> None:
    browser = world.client("rita")
    for query in ("limit=0", "limit=201", "limit=x", "before=-1", "before=99999999999999999999"):
        assert browser.get(f"/api/me/record?{query}").status_code == 400, query
