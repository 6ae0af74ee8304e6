"""What visitors read on each page, good news and bad."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from datetime import timedelta

from django.test import Client
from tests.site.sample import Sample
from tests.site.sample_world import CENTER, LOG, MALLORY, RITA, VENDOR, digest

Serve = Callable[[Sample], Client]


def text(client: Client, address: str, status: int = 200) -> str:
    response = client.get(address)
    assert response.status_code == status, (address, response.status_code)
    bare = re.sub(r"(?s)<(script|style).*?</\1>|<[^>]+>", " ", response.content.decode())
    return " ".join(html.unescape(bare).split())


def test_home_says_who_cosigns(client: Client) -> None:
    page = text(client, "/")
    assert "vendor.example" in page
    assert "cosigned by 3 of 3 in 3 regions" in page
    assert "Not proven here" in page
    assert "not cosigned by anyone independent" not in page.lower()


def test_every_page_of_a_lone_node_says_that_nobody_independent_cosigns(serve: Serve) -> None:
    world = Sample(required=0)
    client = serve(world)
    for address in ("/", "/products", "/log", "/nodes", "/check", f"/releases/{world.marks['debt'].id}", "/search"):
        assert "not cosigned by anyone independent" in text(client, address), address


def test_an_unmet_quorum_names_who_is_missing(serve: Serve) -> None:
    page = text(serve(Sample(cosigning=1)), "/log")
    assert "cosigned by 1, the quorum is 2; missing: recife.example and zurich.example" in page


def test_an_empty_node_has_pages_too(serve: Serve) -> None:
    client = serve(Sample(empty=True))
    assert "not published yet" in text(client, "/")
    assert "No product has a release" in text(client, "/products")
    assert "There are no entries here." in text(client, "/log")


def test_a_release_with_debt_says_how_much_and_since_when(client: Client, world: Sample) -> None:
    page = text(client, f"/releases/{world.marks['debt'].id}")
    assert "its source was last reviewed 1,204 changed lines ago" in page
    assert "1,204 lines unread" in page
    assert "80 days since the review was logged" in page
    assert "paid by a customer" in page
    assert "11,400 lines left out" in page
    assert "pellucid verify example-scanner-4.2.0.tar.gz" in page


def test_a_reviewed_release_shows_each_review_and_open_findings(client: Client, world: Sample) -> None:
    page = text(client, f"/releases/{world.marks['reviewed'].id}")
    assert "all of its source was reviewed by 2 parties" in page
    assert "Rita Reviewer" in page
    assert "Paul Peer" in page
    assert "4 reported, 1 open" in page


def test_a_review_by_the_maker_itself_is_called_that(serve: Serve) -> None:
    world = Sample()
    release = world.release("Example Own", "1", digest("own"), ago=timedelta(days=2))
    later = world.now + timedelta(days=99)
    world.review(VENDOR, digest("own"), ago=timedelta(days=1), expires=later, lines=10, minutes=9, paid="vendor")
    client = serve(world)
    alone = text(client, f"/releases/{release.id}")
    assert "no review of its source counts" in alone
    assert "nobody known here has accredited its author as a reviewer" in alone
    accredited = {"action": "accredit", "roles": ["reviewer"], "spki": "A" * 60}
    world.add("party", CENTER, [("key", "sha256", VENDOR)], accredited, ago=timedelta(days=3))
    client = serve(world)
    assert "reviewed only by its own maker" in text(client, f"/releases/{release.id}")
    assert "reviewed only by its own maker" in text(client, "/products/Example%20Own")
    world.review(RITA, digest("own"), ago=timedelta(hours=1), expires=later, lines=10, minutes=9)
    client = serve(world)
    assert "reviewed only by its own maker" not in text(client, f"/releases/{release.id}")


def test_a_release_without_source_or_review_says_so_plainly(client: Client, world: Sample) -> None:
    page = text(client, f"/releases/{world.marks['sourceless'].id}")
    assert "names no source" in page
    assert "nobody has logged one" in page


def test_withdrawn_failed_and_doubled_releases_are_told(client: Client, world: Sample) -> None:
    ended = text(client, f"/releases/{world.marks['withdrawn'].id}")
    assert "Withdrawn by its author" in ended
    assert "1 review did not pass it" in ended
    doubled = text(client, f"/releases/{world.marks['doubled'].id}")
    assert "Example Agent 0.8 is released more than once" in doubled
    assert "and a second copy" in doubled
    assert "Alarm: doubled release" in text(client, "/")


def test_an_expired_review_by_a_compromised_key_stays_visible_and_does_not_count(client: Client, world: Sample) -> None:
    page = text(client, f"/releases/{world.marks['first'].id}")
    assert "author's key compromised" in page
    assert "expired" in page
    assert "reviewed by 1 party" in page
    assert "said that it passed the criteria" in page
    assert "This key is compromised" in text(client, f"/parties/{MALLORY}")


def test_an_entry_shows_the_statement_its_proof_and_the_first_head(client: Client, world: Sample) -> None:
    record = world.marks["debt"]
    page = text(client, f"/statements/{record.id}")
    assert record.id in page
    for value in world.inclusion(LOG, record.places[0].index, len(world.entries)) or ():
        assert value in page
    assert world._payloads[record.id].decode()[2:7] in page
    assert "First head that covers it" in page


def test_proofs_are_given_or_refused_in_words(client: Client, world: Sample) -> None:
    assert "show that entry 5 is in the log of 79 entries" in text(client, f"/logs/{LOG}/proof?index=5")
    assert "show that the log of 5 entries is in the log of 9" in text(client, f"/logs/{LOG}/proof?old=5&size=9")
    assert "There is no proof" in text(client, f"/logs/{LOG}/proof?index=5&size=4000")


def test_the_log_is_paged_newest_first(client: Client) -> None:
    first = text(client, "/log")
    assert "78 to 29, newest first, of 79 entries" in first
    assert "28 to 0, newest first" in text(client, "/log?before=29")
    assert "There are no entries here." in text(client, "/log?before=0")
    assert "78 to 29" in text(client, "/log?before=-9&x=%00")


def test_a_digest_leads_to_its_chain_and_an_unknown_one_gets_a_clear_answer(client: Client) -> None:
    known = text(client, f"/digest/{digest('file', '4.2.0', 0)}")
    assert "This file was released here" in known
    assert "1,204 lines changed since" in known
    unknown = text(client, f"/digest/{'ab' * 32}")
    assert "Nothing is logged here about it" in unknown
    assert "What to do now" in unknown


def test_search_finds_digests_products_and_statements(client: Client, world: Sample) -> None:
    file, statement = digest("file", "4.2.0", 0), world.marks["debt"].id
    assert client.get("/search", {"q": f" sha256:{file.upper()} "}).headers["Location"] == f"/digest/{file}"
    assert client.get("/search", {"q": statement}).headers["Location"] == f"/statements/{statement}"
    assert "Example Agent" in text(client, "/search?q=agent")
    assert "Example Scanner 4.2.0" in text(client, f"/search?q={file[:10]}")
    assert "Nothing is logged here under “zzz”" in text(client, "/search?q=zzz")


def test_nodes_show_lags_faults_and_fingerprints(client: Client, world: Sample) -> None:
    page = text(client, "/nodes")
    assert "14 entries behind" in page
    assert "the log contradicts an earlier head" in page
    assert "connection refused" in page
    assert world.node().keys[0].fingerprint in page


def test_times_are_utc_and_say_how_long_ago(client: Client, world: Sample) -> None:
    body = client.get(f"/releases/{world.marks['debt'].id}").content.decode()
    assert re.search(
        r'<time datetime="[0-9T:-]+Z">\d+ \w{3} \d{4} \d\d:\d\d UTC <span class="ago">\(5 hours ago\)', body
    )


def test_hostile_names_are_printed_not_run(serve: Serve) -> None:
    world = Sample()
    evil = "<script>alert(1)</script>"
    world.add(
        "elsewhere", MALLORY, [(evil, "sha256", digest("evil"))], {evil: [evil, {"x": evil}]}, ago=world.now - world.now
    )
    body = serve(world).get(f"/logs/{LOG}/entries/{len(world.entries) - 1}").content.decode()
    assert evil not in body
    assert html.escape(evil) in body


def test_words_that_claim_too_much_are_on_no_page(client: Client, world: Sample) -> None:
    addresses = ["/", "/products", "/log", "/nodes", "/check", "/search?q=a", f"/statements/{world.marks['debt'].id}"]
    addresses += [f"/releases/{record.id}" for record in world.marks.values()]
    for address in addresses:
        assert not re.search(r"\b(verified|trusted|secure)\b", text(client, address), re.IGNORECASE), address
