"""Long lists, awkward names, several logs, quorums: what pages say where it would be easy to say too much."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from tests.site.sample import Sample
from tests.site.sample_world import PAUL, RITA, VENDOR, digest
from tests.site.test_pages import text

from pellucid.record.facts import LogFact, PartyFact
from pellucid.release.portal.pages import product_href
from pellucid.release.portal.seen import log_glance

Serve = Callable[[Sample], Client]


@pytest.mark.parametrize("name", ["foo.json", "foo.json.json", "foo", "a/b.json", "x/../foo", "x/./y", "a@b!c~d:e+"])
def test_a_product_of_any_name_has_a_page_and_a_twin_of_its_own(serve: Serve, name: str) -> None:
    world = Sample()
    for each in ("foo", "foo.json", "foo.json.json", name):
        world.release(each, "1.json", digest(each), ago=timedelta(days=1))
    client = serve(world)
    response = client.get(product_href(name))
    assert response.headers["Content-Type"].startswith("text/html")
    page = response.content.decode()
    assert f"<h1>{name}</h1>" in page
    found = re.search(r'<link rel="alternate" type="application/json" href="([^"]+)"', page)
    assert found is not None
    assert client.get(found[1]).json()["product"] == name
    assert not {".", ".."} & set(product_href(name).split("/"))


def test_long_lists_are_paged_with_plain_links_and_say_how_long_they_are(serve: Serve) -> None:
    world = Sample()
    for number in range(120):
        world.release("Example Many", f"7.{number}", digest("many"), ago=timedelta(hours=1), files=1)
        world.release(f"Product {number:03}", "1", None, ago=timedelta(hours=1), files=1)
    client = serve(world)
    for address in ("/products/Example%20Many", "/products", "/search?q=product"):
        seen, following = 0, address
        while following:
            page = client.get(following).content.decode()
            seen += page.count('<a class="title"')
            found = re.search(r'rel="next" href="([^"]+)"', page)
            following = found[1].replace("&amp;", "&") if found else ""
        assert seen >= 120, address
        assert re.search(r"1 to 50 of 12\d", text(client, address)), address
    assert "101 to 120 of 120" in text(client, "/products/Example%20Many?from=100")
    assert "none after 120" in text(client, "/products/Example%20Many?from=5000")
    assert "showing the newest 100 of 3" in text(client, f"/parties/{VENDOR}")
    assert "showing the newest 100 of" in text(client, f"/digest/{digest('many')}")


def test_short_lists_say_nothing_of_being_cut(client: Client) -> None:
    for address in ("/products", "/products/Example%20Agent", f"/parties/{RITA}"):
        assert not re.search(r"showing the newest|\d to \d+ of", text(client, address)), address


def test_a_release_in_two_logs_says_of_both_who_saw_it(serve: Serve) -> None:
    world = Sample()
    record = world.marks["reviewed"]
    other = world.logs()[1]
    place = dataclasses.replace(record.places[0], log=other.id, origin=other.origin, own=False, index=3)
    world._replace(record, places=(*record.places, place))
    page = text(serve(world), f"/releases/{record.id}")
    assert "in 2 logs since" in page
    assert "3 operators in 3 regions (vendor.example/log) and seen there by 3 operators in 3 regions (zurich" in page
    assert "vendor.example/log: cosigned by 3 of 3 in 3 regions; zurich.example/log: cosigned by" in page


def glance_of(required: int) -> tuple[str, str, str]:
    fact: LogFact = dataclasses.replace(
        Sample().logs()[0], required=required, outages=3 - required, colluders=max(0, 2 * required - 4)
    )
    glance = log_glance(fact)
    return glance.state.value, glance.words, glance.tolerance


def test_a_quorum_is_told_in_outages_liars_and_overlap(client: Client) -> None:
    page = text(client, "/log")
    assert "Tolerates 1 outage, 0 colluders" in page
    assert "Two quorums always share an operator" in page
    assert "any two such quorums share 1 operator" in glance_of(2)[2].lower()
    assert "all of them would have to lie, so 2 may" in glance_of(3)[2]
    state, words, tolerance = glance_of(1)
    assert (state, "need not overlap" in words) == ("attention", True)
    assert "with nobody lying" in tolerance


def test_a_rebuild_is_not_promised_and_build_statements_are_shown_but_not_judged(serve: Serve) -> None:
    world = Sample()
    record = world.marks["reviewed"]
    client = serve(world)
    assert "not offered yet" in text(client, f"/releases/{record.id}")
    file = record.subjects[0].refs[0].partition(":")[2]
    said = world.add("x", PAUL, [("a", "sha256", file)], {"builder": "b"}, ago=timedelta(hours=1))
    world._replace(said, predicate_type="https://slsa.dev/provenance/v1")
    page = text(serve(world), f"/releases/{record.id}")
    assert "1 build statement, not judged here" in page
    assert "https://slsa.dev/provenance/v1" in page


def test_a_reviewer_without_a_name_is_shown_by_who_accredited_it(serve: Serve) -> None:
    class Nameless(Sample):
        def party(self, key: str) -> PartyFact | None:
            found = super().party(key)
            return dataclasses.replace(found, name=None, affiliation=None) if found and key == RITA else found

    world = Nameless()
    page = text(serve(world), f"/releases/{world.marks['first'].id}")
    assert f"Reviewed by key {RITA[:12]}… (accredited by Zurich Center; independent" in page
    named = text(serve(Sample()), f"/releases/{world.marks['first'].id}")
    assert "Reviewed by Rita Reviewer (Example Lab, accredited by Zurich Center; independent" in named


def test_pages_say_on_whose_word_they_count(client: Client, world: Sample) -> None:
    for address in (f"/releases/{world.marks['first'].id}", "/products/Example%20Scanner"):
        assert "A verdict goes by your own policy." in text(client, address)


def test_a_source_tree_is_not_taken_for_a_file(client: Client, world: Sample) -> None:
    tree = world.marks["first"].model.source.sha256
    page = text(client, f"/digest/{tree}")
    assert "A source tree, not a file that ships" in page
    assert "the source tree that Example Scanner 4.1.0 names" in page
