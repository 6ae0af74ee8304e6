"""Clocks: what ends soon, what is wrong for too long, what has ended; each told once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from tests.outbox.conftest import Mailbox, change
from tests.outbox.posting import job_ended
from tests.signing.desk import Desk, review
from tests.world import PASSPHRASE, World, now

from pellucid.errors import FatalError
from pellucid.node import Home, Settings, create_home
from pellucid.outbox.clock import Clock, Clocks, Due, Watch, Wrong
from pellucid.outbox.notice import Notice, NoticeKind
from pellucid.outbox.portal.models import Concern, Message, Told
from pellucid.outbox.portal.worker import Worker
from pellucid.people.permissions import Permission
from pellucid.people.portal.models import Invitation, RoleGrant
from pellucid.record.card import read_card
from pellucid.signing.portal.models import SigningRequest
from pellucid.storage.alarms import Alarm, AlarmFolder


class Time:
    """A clock that a test moves, in Unix seconds."""

    def __init__(self) -> None:
        self.at = now().timestamp()

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def time() -> Time:
    """The time by which clocks are asked."""
    return Time()


@pytest.fixture
def ask(world: World, time: Time) -> Callable[..., None]:
    """Ask these clocks, and those of every node, at the time of `time`, each as if it was their turn."""

    def turn(*found: Clock | Watch) -> None:
        known = Clocks()
        known.register(*found)
        Worker(world.node, known, time).turn()

    return turn


def told(kind: NoticeKind) -> list[tuple[str, dict[str, str | int]]]:
    """Return who was told what, by the names of the world."""
    items = Told.objects.filter(message__kind=kind.value).order_by("pk").select_related("message", "account")
    return [(item.account.email.partition("@")[0], item.message.words) for item in items]


def wrong(subject: str) -> Wrong:
    def due(since: int) -> Due:
        return Due(
            Notice(NoticeKind.ALARM, f"{subject}:{since}", "/", {"alarm": subject}), holders=Permission.SEE_OUTBOX
        )

    return Wrong(subject, due)


def test_a_room_brings_a_clock_by_registering_it(world: World, ask: Callable[..., None]) -> None:
    rita = world.account("rita").id
    clock = Clock("rebuilds", lambda _now: [Due(job_ended(), frozenset({rita}))])
    ask(clock)
    ask(clock)
    assert told(NoticeKind.JOB_ENDED) == [("rita", {"job": "check-logs", "state": "done"})]


def test_two_clocks_of_one_name_are_a_mistake() -> None:
    known = Clocks()
    clock = Clock("same", lambda _now: [])
    known.register(clock, clock)
    with pytest.raises(FatalError):
        known.register(Watch("same", lambda _now: []))


def test_a_clock_that_fails_stops_no_other(world: World, ask: Callable[..., None]) -> None:
    def broken(_now: int) -> Iterable[Due]:
        raise ZeroDivisionError

    rita = world.account("rita").id
    ask(Clock("broken", broken), Clock("whole", lambda _now: [Due(job_ended(), frozenset({rita}))]))
    assert len(told(NoticeKind.JOB_ENDED)) == 1


def test_what_is_wrong_is_told_once_it_lasts_and_again_when_it_comes_back(
    world: World, time: Time, ask: Callable[..., None]
) -> None:
    otto, _rita = world.account("otto"), world.account("rita")
    there: list[Wrong] = [wrong("thing")]
    watch = Watch("things", lambda _now: there, patience=600)
    ask(watch)
    assert told(NoticeKind.ALARM) == []
    for _each in range(3):
        time.at += 400
        ask(watch)
    assert told(NoticeKind.ALARM) == [("otto", {"alarm": "thing"})]
    there.clear()
    ask(watch)
    assert not Concern.objects.exists()
    ask(Watch("things", lambda _now: None, patience=600))
    assert not Concern.objects.exists()
    there.append(wrong("thing"))
    ask(watch)
    ask(Watch("things", lambda _now: None, patience=600))  # nobody knows: it goes on
    assert Concern.objects.exists()
    for _each in range(3):
        time.at += 400
        ask(watch)
    assert len(told(NoticeKind.ALARM)) == 2
    assert otto.told.count() == 2


@pytest.fixture
def neighbour(tmp_path: Path, world: World) -> Iterator[Home]:
    """A center that the node was joined with, and that does not answer."""
    values = Settings("log.center.example/1", "center", "asia", "Example Center", url="http://127.0.0.1:1")
    made = create_home(tmp_path / "center", values, PASSPHRASE)
    world.home.add_peer(read_card(made.card(PASSPHRASE).to_bytes()))
    yield made
    world.home.remove_peer("log.center.example/1")


def test_operators_hear_of_a_cosigner_that_stays_away(
    world: World, neighbour: Home, time: Time, ask: Callable[..., None]
) -> None:
    world.account("otto"), world.account("rita")
    world.node.publish()
    for _each in range(4):
        ask()
        time.at += 400
    [(who, words)] = told(NoticeKind.COSIGNATURE_LOST)
    assert who == "otto"
    assert (words["node"], words["log"]) == ("log.center.example/1", "log.vendor.example/1")
    feed = world.client(None).get("/feed.atom").content.decode()
    assert "log.center.example/1 no longer cosigns" in feed
    world.home.remove_peer("log.center.example/1")
    world.node.publish()
    ask()
    assert "no longer cosigns" not in world.client(None).get("/feed.atom").content.decode()


def test_operators_hear_of_an_alarm_of_the_node(world: World, ask: Callable[..., None]) -> None:
    world.account("otto"), world.account("rita")
    ask()
    assert told(NoticeKind.ALARM) == []
    origin = world.home.settings.name
    AlarmFolder(world.home.path / "alarms")(Alarm(origin, "somebody holds another tree", True, "held", "offered"))
    ask()
    ask()
    words = {"alarm": "inconsistent-log", "log": origin}
    assert told(NoticeKind.ALARM) == [("otto", words)]


@pytest.mark.parametrize(("days", "times"), [(31, 0), (29, 1), (6, 1), (0.5, 1), (-1, 0)])
def test_who_holds_a_role_and_who_gave_it_hear_that_it_ends(
    world: World, ask: Callable[..., None], days: float, times: int
) -> None:
    rita, otto = world.account("rita"), world.account("otto")
    ends = now() + timedelta(days=days)
    RoleGrant.objects.filter(account=rita).update(expires_at=ends, granted_by=otto)
    ask()
    ask()
    words = {"what": "role", "role": "reviewer", "expires": int(ends.timestamp())}
    assert sorted(told(NoticeKind.EXPIRY), key=str) == [("otto", words), ("rita", words)] * times


def test_a_role_that_ends_is_told_a_month_a_week_and_a_day_before(
    world: World, time: Time, ask: Callable[..., None]
) -> None:
    rita = world.account("rita")
    RoleGrant.objects.filter(account=rita).update(expires_at=now() + timedelta(days=40))
    for _day in range(41):
        ask()
        time.at += 86_400
    assert len(told(NoticeKind.EXPIRY)) == 3


def test_who_invited_hears_that_nobody_came(world: World, ask: Callable[..., None]) -> None:
    otto = world.account("otto")
    account = world.join("mallory")
    invitation = Invitation.objects.create(account=account, invited_by=otto, expires_at=now() + timedelta(hours=5))
    ask()
    assert [who for who, _words in told(NoticeKind.EXPIRY)] == ["otto"]
    Message.objects.all().delete()
    Invitation.objects.filter(pk=invitation.pk).update(accepted_at=now())
    ask()
    assert told(NoticeKind.EXPIRY) == []


def test_who_holds_a_key_hears_that_its_accreditation_ends(world: World, ask: Callable[..., None]) -> None:
    desk = Desk(world)
    key = desk.enrol()
    ends = now() + timedelta(days=5)
    desk.accredit(expires=ends.strftime("%Y-%m-%dT%H:%M:%SZ"))
    ask()
    ask()
    words = {"what": "accreditation", "key": key.key_id, "expires": int(ends.timestamp())}
    assert told(NoticeKind.EXPIRY) == [("rita", words)]


@pytest.mark.parametrize(("hours", "times"), [(30, 0), (5, 1), (-1, 0)])
def test_who_is_asked_for_a_signature_hears_that_the_request_ends(
    world: World, ask: Callable[..., None], hours: int, times: int
) -> None:
    desk = Desk(world)
    desk.enrol()
    request = desk.bring(review())
    SigningRequest.objects.filter(pk=request.pk).update(expires_at=now() + timedelta(hours=hours))
    ask()
    ask()
    assert [who for who, _words in told(NoticeKind.EXPIRY)] == ["rita"] * times


def test_nothing_is_told_where_nothing_happens(world: World, mailbox: Mailbox, ask: Callable[..., None]) -> None:
    for name in ("otto", "rita", "vera"):
        world.account(name)
    change(world, region="asia")
    ask()
    assert not Message.objects.exists()
