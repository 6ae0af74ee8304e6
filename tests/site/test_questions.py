"""The pages that answer a question, the search, and what leads through them."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.site.sample import Sample
from tests.site.sample_world import RITA, VENDOR, digest

Serve = Callable[[Sample], Client]


def text(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200, (address, response.status_code)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.content.decode())).split())


def group(client: Client, kind: str) -> list[str]:
    found = {item["kind"]: item for item in client.get("/open.json").json()["groups"]}
    assert found[kind]["number"] == len(found[kind]["items"])
    return [item["title"] for item in found[kind]["items"]]


@pytest.mark.parametrize("address", ["/", "/products", "/reviews", "/open", "/check", "/log"])
def test_every_page_offers_the_four_questions_first(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    nav = re.search(r'(?s)<nav class="nav".*?</nav>', page)
    assert nav is not None
    assert re.findall(r'href="([^"]+)"', nav[0]) == ["/products", "/reviews", "/open", "/check"]
    assert nav[0].count("aria-current") == (address in {"/products", "/reviews", "/open", "/check"})


def test_the_first_page_answers_each_question_in_a_sentence(client: Client) -> None:
    questions = client.get("/index.json").json()["questions"]
    assert [item["answer"] for item in questions[:2]] == [
        "67 releases of 7 products, last Example Tool/2 1.59.",
        "5 reviews by 3 parties; 3 other nodes saw the log.",
    ]
    assert sum(questions[0]["figures"]["series"][0]["values"]) == 67


def test_who_looked_names_reviewers_what_they_read_and_what_does_not_count(client: Client) -> None:
    page = text(client, "/reviews")
    assert "5 reviews by 3 parties are logged here, and 3 other nodes saw this log." in page
    assert "Rita Reviewer Example Lab, accredited by Zurich Center 2 reviews" in page
    assert "Example Library 1.9 read in full by Paul Peer paid by a customer" in page
    assert "It does not count here: its author's key is compromised." in page
    assert "said that it passed the criteria" in page
    model = client.get("/reviews.json").json()
    assert [sum(series["values"]) for series in model["activity"]["series"]] == [67, 5]


def test_a_review_of_something_that_nobody_released_is_named_by_its_digest(serve: Serve) -> None:
    world = Sample(empty=True)
    tree = digest("unreleased")
    world.review(RITA, tree, ago=timedelta(days=1), expires=world.now + timedelta(days=9), lines=1, minutes=1)
    assert f"source tree {tree[:8]}…{tree[-4:]}" in text(serve(world), "/reviews")


def test_where_nobody_looked_the_page_says_so(serve: Serve) -> None:
    page = text(serve(Sample(empty=True)), "/reviews")
    assert "Nobody has logged a review here." in page
    assert "No review is logged here yet" in page


def test_what_is_open_is_sorted_by_what_is_missing(client: Client) -> None:
    assert group(client, "unreviewed") == [
        "Example Tool/2 1.59", "Example Tool/1 1.58", "Example Tool/0 1.57", "Example Rules 2026.11.20",
    ]  # fmt: skip
    assert group(client, "debt") == ["Example Scanner 4.2.0"]
    assert group(client, "ended") == ["Example Agent 0.9-beta"]
    assert group(client, "logs") == ["vendor.example/log", "recife.example/log"]
    assert group(client, "nodes") == ["recife.example"]
    assert group(client, "in-house") == []
    page = text(client, "/open")
    assert "1,204 lines unread" in page
    assert "Alarm: doubled release" in page


def test_only_the_newest_release_of_a_product_is_open(serve: Serve) -> None:
    world = Sample(empty=True)
    world.release("Example Own", "1", digest("old"), ago=timedelta(days=3))
    world.release("Example Own", "2", digest("new"), ago=timedelta(days=2))
    assert group(serve(world), "unreviewed") == ["Example Own 2"]
    later = world.now + timedelta(days=99)
    world.review(VENDOR, digest("new"), ago=timedelta(days=1), expires=later, lines=1, minutes=1, paid="vendor")
    assert group(serve(world), "unreviewed") == ["Example Own 2"]  # nobody accredited its maker
    accredited = {"action": "accredit", "roles": ["reviewer"], "spki": "A" * 60}
    world.add("party", RITA, [("key", "sha256", VENDOR)], accredited, ago=timedelta(days=3))
    client = serve(world)
    assert (group(client, "unreviewed"), group(client, "in-house")) == ([], ["Example Own 2"])


def test_reviews_that_end_are_open_before_they_have_ended(serve: Serve) -> None:
    world = Sample(empty=True)
    for days in (-1, 29, 31):
        end = world.now + timedelta(days=days)
        world.review(RITA, digest("tree", days), ago=timedelta(days=40), expires=end, lines=1, minutes=1)
    items = next(item for item in serve(world).get("/open.json").json()["groups"] if item["kind"] == "expired")["items"]
    assert [item["badge"]["text"] for item in items] == ["expired", "expires soon"]


def test_where_nothing_is_open_the_page_says_so(serve: Serve) -> None:
    class Quiet(Sample):
        def peers(self) -> tuple[()]:
            return ()

        def mirrors(self) -> tuple[()]:
            return ()

    world = Quiet(empty=True)
    world.add("party", VENDOR, [("key", "sha256", RITA)], {"action": "retire"}, ago=timedelta(days=1))
    assert "Nothing is open in what this node knows." in text(serve(world), "/open")


def test_search_finds_parties_and_nodes_too(client: Client) -> None:
    assert "Parties Rita Reviewer" in text(client, "/search?q=rita")
    assert f"/parties/{RITA}" in client.get(f"/search?q={RITA[:9]}").content.decode()
    assert "Nodes tokyo.example center Example University Asia" in text(client, "/search?q=asia")
    assert client.get("/search", {"q": RITA.upper()}).headers["Location"] == f"/parties/{RITA}"
    nothing = text(client, "/search?q=zzz")
    assert "Nothing found" in nothing
    assert "Parties" not in nothing


def test_a_visitors_page_reads_neither_session_nor_account(client: Client) -> None:
    for address in ("/", "/reviews", "/open", "/design", "/search?q=a"):
        response = client.get(address)
        assert not response.wsgi_request.session.accessed
        assert b'href="/account/login/"' in response.content
        assert b"csrfmiddlewaretoken" not in response.content
