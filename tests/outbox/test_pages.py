"""The pages of the outbox: a person's own wishes, webhooks and feed, and what operators see of deliveries."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from django.test import Client
from tests.outbox.conftest import NODE_URL, change
from tests.outbox.posting import job_ended, wishes
from tests.world import World, now

from pellucid.outbox.portal.door import forget, post
from pellucid.outbox.portal.models import Delivery, Preferences, Told, Webhook
from pellucid.outbox.portal.pages import MOST_WEBHOOKS
from pellucid.outbox.portal.worker import Worker

ATOM = "{http://www.w3.org/2005/Atom}"
WISHES = {
    "zone": "Europe/Berlin",
    "quiet_from": "22:00",
    "quiet_until": "07:00",
    "daily_at": "08:30",
    "job-ended": "daily",
    "expiry": "at-once",
    "cosignature-lost": "off",
    "alarm": "at-once",
    "signature-wanted": "at-once",
}
URL = "https://receiver.example/hook"
HOOK = {"url": URL, "kinds": ["alarm"]}
POSTS = ("", "/webhooks", "/webhooks/x/remove", "/webhooks/x/resume", "/feed", "/feed/end")


def entries(feed: bytes) -> list[ET.Element]:
    return ET.fromstring(feed).findall(f"{ATOM}entry")  # noqa: S314 - our own feed


def feed_path(page: bytes) -> str:
    """Return the path of the personal feed that a page shows."""
    [path] = re.findall(rf"{NODE_URL}(/feed/[\w-]+\.atom)", page.decode())
    return str(path)


def test_a_person_chooses_how_to_be_told(world: World, outbox: Worker) -> None:
    rita = world.client("rita")
    assert rita.get("/account/notices").status_code == 200
    assert rita.post("/account/notices", WISHES).status_code == 302
    kept = Preferences.objects.get(account=world.account("rita"))
    assert (kept.zone, str(kept.quiet_from), str(kept.daily_at)) == ("Europe/Berlin", "22:00:00", "08:30:00")
    assert kept.modes["cosignature-lost"] == "off"
    page = rita.get("/account/notices").content.decode()
    assert re.search(r'<option value="Europe/Berlin" selected', page)
    assert 'value="22:00"' in page


def test_a_wish_that_cannot_be_is_refused_at_its_place(world: World, outbox: Worker) -> None:
    rita = world.client("rita")
    wrong = [("zone", "Mars/Olympus"), ("quiet_until", ""), ("quiet_from", "25:00"), ("daily_at", "")]
    for field, value in (*wrong, ("job-ended", "often")):
        answer = rita.post("/account/notices", {**WISHES, field: value})
        assert answer.status_code == 400
        assert f'href="#id_{field}"' in answer.content.decode()
    assert not Preferences.objects.exists()


def test_a_person_sees_what_they_were_told_and_nobody_elses(world: World, outbox: Worker) -> None:
    post(job_ended(), [world.account("rita").id])
    assert "Job check logs: done" in world.client("rita").get("/account/notices").content.decode()
    assert "Job check logs: done" not in world.client("vera").get("/account/notices").content.decode()
    [notice] = world.client("rita").get("/account/notices.json").json()["notices"]
    assert notice["kind"] == "job-ended"


def test_a_webhook_is_added_and_removed_and_the_person_hears_of_it(world: World, outbox: Worker) -> None:
    rita = world.client("rita")
    assert rita.post("/account/notices/webhooks", HOOK).status_code == 302
    hook = Webhook.objects.get()
    assert (hook.url, hook.kinds) == (URL, ["alarm"])
    assert hook.id in rita.get("/account/notices").content.decode()
    assert Told.objects.get().message.words == {"change": "webhook-added"}
    assert rita.post(f"/account/notices/webhooks/{hook.id}/remove").status_code == 302
    assert not Webhook.objects.exists()


def test_a_webhook_that_cannot_be_called_is_refused(world: World, outbox: Worker) -> None:
    rita = world.client("rita")
    for url in ("http:/", "https://user@receiver.example/", "ftp://x.example/", "https://a.example/#b", "", "a" * 501):
        answer = rita.post("/account/notices/webhooks", {"url": url})
        assert answer.status_code == 400
        assert 'href="#id_url"' in answer.content.decode()
    assert not Webhook.objects.exists()


def test_nobody_has_more_webhooks_than_there_is_room_for(world: World, outbox: Worker) -> None:
    rita = world.client("rita")
    answers = [rita.post("/account/notices/webhooks", HOOK).status_code for _each in range(MOST_WEBHOOKS + 1)]
    assert answers == [302] * MOST_WEBHOOKS + [400]


def test_nobody_touches_anothers_webhook(world: World, outbox: Worker) -> None:
    hook = Webhook.objects.create(account=world.account("rita"), url=URL, made_at=now(), stopped_at=now())
    for what in ("remove", "resume"):
        assert world.client("mallory").post(f"/account/notices/webhooks/{hook.id}/{what}").status_code == 404
    assert Webhook.objects.get().stopped_at is not None


def test_a_visitor_is_asked_to_sign_in(world: World, outbox: Worker) -> None:
    visitor = world.client(None)
    assert visitor.get("/account/notices").status_code in {302, 401}
    assert visitor.get("/account/notices.json").status_code == 401
    for path in POSTS:
        assert visitor.post(f"/account/notices{path}").status_code in {302, 401}
    assert not Preferences.objects.exists()


def test_another_site_can_change_nothing(world: World, outbox: Worker) -> None:
    rita = world.client("rita", enforce_csrf_checks=True)
    for path in POSTS:
        assert rita.post(f"/account/notices{path}", WISHES).status_code == 403


def test_the_address_of_a_personal_feed_is_shown_once_and_may_be_made_anew(world: World, outbox: Worker) -> None:
    post(job_ended(), [world.account("rita").id])
    rita, reader = world.client("rita"), Client(SERVER_NAME="localhost")
    first = feed_path(rita.post("/account/notices/feed").content)
    assert first not in rita.get("/account/notices").content.decode()
    answer = reader.get(first)
    assert answer.headers["Content-Type"].startswith("application/atom+xml")
    assert "no-store" in answer.headers["Cache-Control"]
    assert first.encode() not in answer.content
    titles = [entry.findtext(f"{ATOM}title") for entry in entries(answer.content)]
    assert "Job check logs: done" in titles
    second = feed_path(rita.post("/account/notices/feed").content)
    assert reader.get(first).status_code == 404
    assert reader.get(second).status_code == 200
    assert second not in "".join(str(row) for row in Preferences.objects.values_list())
    rita.post("/account/notices/feed/end")
    assert reader.get(second).status_code == 404
    assert reader.get("/feed/.atom").status_code == 404


def test_a_feed_keeps_its_ids_and_its_bytes(world: World, outbox: Worker) -> None:
    post(job_ended(), [world.account("rita").id])
    path, reader = feed_path(world.client("rita").post("/account/notices/feed").content), world.client(None)
    first, second = reader.get(path).content, reader.get(path).content
    assert first == second
    ids = [entry.findtext(f"{ATOM}id") or "" for entry in entries(first)]
    assert len(set(ids)) == len(ids) == 2
    assert all(name.startswith("urn:uuid:") for name in ids)


def test_feeds_are_in_the_language_of_the_mails_whatever_the_reader_asks_for(world: World, outbox: Worker) -> None:
    path = feed_path(world.client("rita").post("/account/notices/feed").content)
    reader = Client(SERVER_NAME="localhost", headers={"accept-language": "de"})
    assert b"Your notices" in reader.get(path).content
    assert b"What is logged and what is wrong" in reader.get("/feed.atom").content


def test_everybody_may_read_the_public_feed_and_ask_whether_it_changed(world: World, outbox: Worker) -> None:
    visitor = world.client(None)
    answer = visitor.get("/feed.atom")
    assert answer.status_code == 200
    assert ET.fromstring(answer.content).findtext(f"{ATOM}title", "").startswith("log.vendor.example/1")  # noqa: S314
    again = visitor.get("/feed.atom", headers={"if-none-match": answer.headers["ETag"]})
    assert again.status_code == 304


def test_only_an_operator_in_a_session_sees_the_outbox(world: World, outbox: Worker) -> None:
    post(job_ended(), [world.account("rita").id])
    assert world.client("rita").get("/outbox").status_code == 403
    assert world.client("otto").get("/outbox.json").status_code != 200
    page = world.operator_session("otto").get("/outbox")
    assert page.status_code == 200
    text = world.operator_session("otto").get("/outbox.json").content.decode()
    assert '"job-ended"' in text
    assert world.account("rita").id not in text
    assert "check-logs" not in text


def test_what_was_given_up_without_an_account_cannot_be_tried_again(world: World, outbox: Worker) -> None:
    gone = Delivery.objects.create(channel="mail", state="failed", made_at=now(), due_at=now(), ended_at=now())
    assert world.operator_session("otto").post(f"/outbox/{gone.id}/again").status_code == 404
    assert world.client("rita").post(f"/outbox/{gone.id}/again").status_code == 403


def test_nothing_is_left_of_who_is_forgotten(world: World, outbox: Worker) -> None:
    rita = world.account("rita")
    wishes(rita, zone="Europe/Berlin", feed="ab" * 32)
    Webhook.objects.create(account=rita, url=URL, made_at=now())
    post(job_ended(), [rita.id, world.account("otto").id])
    forget(rita.id)
    for model in (Preferences, Webhook):
        assert not model.objects.exists()
    assert list(Told.objects.values_list("account__email", flat=True)) == ["otto@people.example"]
    assert not Delivery.objects.filter(account=rita).exists()


def test_a_node_that_names_no_address_of_its_own_links_to_where_it_was_asked(world: World, outbox: Worker) -> None:
    change(world, url=None)
    feed = world.client(None).get("/feed.atom").content.decode()
    assert 'href="http://localhost/' in feed
