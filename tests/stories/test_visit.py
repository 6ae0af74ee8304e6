"""A visit from beginning to end: an operator comes in, a reviewer is invited and signs, all see what is their own."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from tests.signing.desk import review
from tests.stories.people import Place, Visit, silent_node, until

from pellucid.statement.dsse import IN_TOTO, Envelope

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]

TABLE = Path(__file__).parents[1] / "people/access_table.toml"
CODE = re.compile(r"(?:[0-9]{5} ){7}[0-9]{5}")


def test_a_visit_from_the_first_operator_to_the_last_byte(place: Place) -> None:
    otto, rita, mallory = (place.visit(name) for name in ("otto", "rita", "mallory"))
    the_first_operator_comes_in(place, otto)
    otto_opens_a_session(otto)
    code = otto_invites_by_the_keyboard(otto, rita.mail, "reviewer")
    rita.join(link_in_the_mail(place, rita, code), code)
    rita_reads_about_her_account(rita)
    rita_enrols_a_key(place, rita)
    rita_signs_by_the_keyboard(place, rita)
    the_review_is_accepted(place)
    otto_watches_a_job(otto)
    otto_cancels_a_job(place, otto)
    rita.refused("/people")
    rita.refused("/audit")
    rita_takes_her_record_home(place, rita)
    code = otto_invites_by_the_keyboard(otto, mallory.mail)
    mallory.join(link_in_the_mail(place, mallory, code), code)
    mallory_gets_in_nowhere(place, mallory)
    otto_leaves(otto)
    for visit in place.visits:
        assert visit.said == [], visit.name
    assert place.node.stop() == 0
    place.cli("fsck", place.node.home)


def the_first_operator_comes_in(place: Place, otto: Visit) -> None:
    invited = place.cli("people", "invite", otto.mail, "--role", "operator")
    otto.join(link_in_the_mail(place, otto, invited["code"]), invited["code"])


def link_in_the_mail(place: Place, visit: Visit, code: str) -> str:
    """Wait for the mail of an invitation, and return its link; neither it nor any other mail carries the code."""
    until(lambda: visit.mail in place.mailbox.recipients)
    text = place.mailbox.texts()[place.mailbox.recipients.index(visit.mail)]
    whole = b"\n".join(place.mailbox.raw).decode()
    assert not any(group in whole for group in (code, code.replace(" ", ""), code[:11]))
    (link,) = re.findall(rf"{place.url}/join/[0-9a-f]{{32}}", text)
    return str(link)


def otto_opens_a_session(otto: Visit) -> None:
    otto.page.goto(f"{otto.place.url}/people")
    otto.arrived("Operator session")
    otto.type("Reason", "too short")
    otto.strike("Open the session")
    otto.arrived("Operator session")
    assert "at least 10 characters" in otto.text()
    otto.tab_to("Reason")
    otto.page.keyboard.press("Control+A")
    otto.page.keyboard.insert_text("A reviewer begins work on scanner 4.2")
    otto.strike("Open the session")
    otto.arrived("People")
    assert otto.page.get_by_role("complementary", name="Operator session").is_visible()


def otto_invites_by_the_keyboard(otto: Visit, mail: str, *roles: str) -> str:
    """Invite somebody without a mouse; return the code that is shown this once."""
    otto.open("/people", "People")
    otto.strike("Invite somebody")
    otto.arrived("Invite somebody")
    otto.type("Mail address", mail)
    for role in roles:
        otto.strike(role, "Space")
    otto.strike("Invite")
    otto.arrived("Invited")
    (code,) = CODE.findall(otto.page.inner_text("#invitation-code"))
    return str(code)


def rita_reads_about_her_account(rita: Visit) -> None:
    for address, title in (
        ("/account", "Your account"),
        ("/account/sessions/", "Where you are signed in"),
        ("/account/notices", "Notices"),
    ):
        rita.open(address, title)


def rita_enrols_a_key(place: Place, rita: Visit) -> None:
    """Make a key in the browser; the operator takes the command from the page and runs it on the home."""
    rita.open("/account/keys", "Keys you sign with")
    rita.press("Make a key in this browser")
    rita.arrived("Show that the key is yours")
    rita.press("Answer with the key in this browser")
    rita.page.wait_for_url("**/account/keys")
    rita.arrived("Keys you sign with")
    (key,) = rita.page.request.get(f"{place.url}/account/keys.json").json()["keys"]
    assert (key["custody"], key["retired_at"]) == ("browser", None)
    place.cli("party", "accredit", key["spki"], "--role", "reviewer", "--custody", "browser")


def rita_signs_by_the_keyboard(place: Place, rita: Visit) -> None:
    payload = review(place.tree()).payload()
    statement = Envelope(IN_TOTO, payload, ()).id
    rita.open("/signing", "Signing")
    rita.strike("Bring a statement")
    rita.arrived("Bring a statement to sign")
    rita.type("The statement", payload.decode())
    rita.strike("Show it in full")
    rita.page.get_by_role("heading", name="What you would say").wait_for()
    rita.arrived(rita.page.inner_text("h1"))
    assert rita.page.locator("[data-slot=text]").text_content() == payload.decode()
    assert rita.page.locator("[data-slot=id]").text_content() == statement
    rita.strike("I have read all of it, and this is what I say", "Space")
    rita.strike("Sign and have it logged")
    rita.page.get_by_role("heading", name="The log's answer").wait_for()
    rita.arrived(rita.page.inner_text("h1"))
    until(lambda: place.node.get(f"/api/statements/{statement}").status == 200)
    rita.page.get_by_role("main").get_by_role("link", name="The statement and its proof").click()
    rita.page.wait_for_url(f"**/statements/{statement}")
    rita.arrived(rita.page.inner_text("h1"))


def the_review_is_accepted(place: Place) -> None:
    policy, pack = place.policy(), place.folder / "scanner.evidence.json"
    place.cli("pack", place.artifact, "--policy", policy, "-o", pack)
    place.cli("verify", place.artifact, "--pack", pack, "--policy", policy)


def otto_watches_a_job(otto: Visit) -> None:
    """Start `check-logs`; nothing is loaded again by hand, and its end and every log's line come to the page."""
    otto.open("/jobs", "Jobs")
    asked: list[str] = []
    otto.page.on("request", lambda request: asked.append(request.url) if "/standing?" in request.url else None)
    otto.page.locator("form", has=otto.page.locator("input[value=check-logs]")).get_by_role("button").click()
    otto.page.get_by_role("heading", name="How far it is").wait_for()
    otto.page.locator("#job-standing progress").wait_for()
    otto.page.evaluate("document.body.dataset.mine = 'kept'")
    otto.page.get_by_text("It ended").wait_for()
    lines = otto.page.inner_text("#job-lines")
    assert re.search(r"log\.vendor\.example/1: \d+ entries, \d+ files, all fit", lines)
    assert re.search(r"log\.vendor\.example/1/audit: \d+ entries, \d+ files, all fit", lines)
    assert otto.page.evaluate("document.body.dataset.mine") == "kept"
    assert asked != []
    assert not otto.page.get_by_role("button", name="Cancel this job").is_visible()
    otto.arrived(otto.page.inner_text("h1"))


def otto_cancels_a_job(place: Place, otto: Visit) -> None:
    """Start a job that waits for a node that never answers, and cancel it."""
    with silent_node() as url:
        policy = place.node.home / "policy.toml"
        policy.write_text((place.folder / "policy.toml").read_text().replace(place.url, url))
        otto.open("/jobs", "Jobs")
        form = otto.page.locator("form", has=otto.page.locator("input[value=evidence-pack]"))
        form.get_by_role("textbox").fill("ab" * 32)
        form.get_by_role("button").click()
        otto.press("Cancel this job")
        otto.page.get_by_text("It ended").wait_for()
        assert "cancelled" in otto.page.inner_text("#job-standing")
        otto.arrived(otto.page.inner_text("h1"))


def rita_takes_her_record_home(place: Place, rita: Visit) -> None:
    """See what is recorded, download the proof, and check it offline; one changed byte is found."""
    rita.open("/account/record", "What is recorded about you")
    events = rita.text()
    for what in ("account.joined", "access.refused", "page:/people", "page:/audit"):
        assert what in events, what
    assert "Rita" not in events
    command = rita.page.get_by_text(re.compile("^pellucid audit check ")).inner_text()
    proof, vkey = place.folder / "record.json", command.split("'")[1]
    with rita.page.expect_download() as download:
        rita.follow("Download the proof")
    download.value.save_as(proof)
    place.cli("audit", "check", proof, "--key", vkey)
    data = bytearray(proof.read_bytes())
    time = re.search(rb'"at":\d+', data)
    assert time is not None
    data[time.end() - 1] ^= 1  # an event a millisecond earlier or later
    proof.write_bytes(data)
    place.cli("audit", "check", proof, "--key", vkey, code=1)


def mallory_gets_in_nowhere(place: Place, mallory: Visit) -> None:
    """Try every page that asks for a permission; look at some of them."""
    table: dict[str, list[str]] = tomllib.loads(TABLE.read_text())["pages"]
    asked = [path for who, paths in table.items() if who not in {"public", "account"} for path in paths]
    for path in (re.sub(r"<[a-z]+:[a-z_]+>", "0" * 32, path) for path in asked):
        answer = mallory.page.request.get(place.url + path, max_redirects=0)
        assert answer.status in {403, 404, 405}, path
    for address in ("/people", "/operator/session", "/jobs", "/audit", "/outbox", "/signing", "/account/keys"):
        mallory.refused(address)


def otto_leaves(otto: Visit) -> None:
    """Read what happened, end the session, sign out, and find the door closed; the passkey opens it again."""
    for address, title in (("/audit", "Audit log"), ("/outbox", "Outbox"), ("/operator/sessions", "Operator sessions")):
        otto.open(address, title)
    otto.page.get_by_role("complementary", name="Operator session").get_by_role("button").click()
    otto.arrived("Operator session")
    otto.open("/people", "Operator session")
    otto.open("/account/logout/", "Sign out")
    otto.press("Sign out")
    otto.page.wait_for_url(f"{otto.place.url}/")
    otto.open("/jobs", "Sign in")
    otto.press("Sign in with a passkey")
    otto.arrived("Jobs")
