"""When mail goes: never in quiet hours, never before it is asked for, never much later than it may."""

from __future__ import annotations

import random
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from tests.outbox.conftest import Mailbox
from tests.outbox.posting import job_ended, make_due, sample, wishes
from tests.world import World, now

from pellucid.outbox.channel import Mode
from pellucid.outbox.notice import NoticeKind
from pellucid.outbox.portal.door import post
from pellucid.outbox.portal.models import Delivery
from pellucid.outbox.portal.worker import Worker
from pellucid.outbox.schedule import MOST_ATTEMPTS, Hours, pause_after, zone_of, zones

ZONES = st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "no/where"])
MOMENTS = st.integers(1_577_836_800, 2_051_222_400).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
TIMES = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))


@given(zone=ZONES, start=TIMES, end=TIMES, asked=MOMENTS)
def test_mail_at_once_waits_for_the_end_of_quiet_hours_and_no_longer(
    zone: str, start: time, end: time, asked: datetime
) -> None:
    hours = Hours(zone, start, end)
    due = hours.due(asked, Mode.AT_ONCE)
    assert due >= asked
    if hours.is_quiet(asked):
        assert asked < due <= asked + timedelta(hours=26)
        moved = due.astimezone(zone_of(zone)).utcoffset() != asked.astimezone(zone_of(zone)).utcoffset()
        assert moved or not hours.is_quiet(due)
    else:
        assert due == asked


@given(zone=ZONES, at=TIMES, asked=MOMENTS)
def test_the_daily_mail_goes_at_its_hour_within_a_day(zone: str, at: time, asked: datetime) -> None:
    due = Hours(zone, daily_at=at).due(asked, Mode.DAILY)
    assert asked < due <= asked + timedelta(hours=26)
    here = due.astimezone(zone_of(zone))
    assert here.time() == at or here.utcoffset() != (here - timedelta(hours=3)).utcoffset()


def test_quiet_hours_are_by_the_persons_clock_in_summer_and_in_winter() -> None:
    hours = Hours("Europe/Berlin", time(22), time(7))
    summer, winter = datetime(2026, 7, 1, 5, 30, tzinfo=UTC), datetime(2026, 1, 1, 5, 30, tzinfo=UTC)
    assert not hours.is_quiet(summer)  # 07:30 there
    assert hours.is_quiet(winter)  # 06:30 there
    assert hours.due(winter, Mode.AT_ONCE) == datetime(2026, 1, 1, 6, tzinfo=UTC)
    assert not Hours("Europe/Berlin", time(7), time(7)).is_quiet(winter)


def test_pauses_grow_with_a_random_part_and_end() -> None:
    luck = random.Random(7)
    pauses = [pause_after(attempts, luck) for attempts in range(1, MOST_ATTEMPTS + 1)]
    assert pauses[-1] is None
    known = [pause for pause in pauses if pause is not None]
    assert timedelta(seconds=15) <= known[0] <= timedelta(seconds=30)
    assert max(known) <= timedelta(hours=6)
    assert timedelta(hours=12) < sum(known, timedelta()) < timedelta(days=2)
    assert len({pause_after(5, luck) for _each in range(20)}) > 15


def test_there_is_a_zone_for_everybody() -> None:
    assert {"UTC", "Europe/Berlin", "America/Sao_Paulo"} <= zones()
    assert zone_of("../../etc/passwd") == ZoneInfo("UTC")


def test_nothing_is_mailed_in_quiet_hours_even_what_waited_for_other_reasons(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    rita = world.account("rita")
    quiet_until = (now() + timedelta(hours=2)).time().replace(second=0, microsecond=0)
    quiet_from = (now() - timedelta(hours=2)).time().replace(second=0, microsecond=0)
    preferences = wishes(rita, quiet_from=quiet_from, quiet_until=quiet_until)
    post(job_ended(), [rita.id, world.account("otto").id])
    outbox.turn()
    make_due()
    outbox.turn()
    assert mailbox.recipients == ["otto@people.example"]
    assert Delivery.objects.get(state="waiting").due_at > now() + timedelta(hours=1)
    preferences.quiet_from = preferences.quiet_until = None
    preferences.save()
    make_due()
    outbox.turn()
    assert mailbox.recipients == ["otto@people.example", "rita@people.example"]


def test_what_is_wanted_once_a_day_is_gathered_and_what_is_not_wanted_is_not_mailed(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    rita = world.account("rita")
    wishes(rita, modes={"job-ended": "daily", "alarm": "off", "account-changed": "off"})
    for number in range(3):
        post(job_ended(f"job:{number}"), [rita.id])
    post(sample(NoticeKind.ALARM), [rita.id])
    outbox.turn()
    assert mailbox.raw == []
    make_due()
    outbox.turn()
    [text] = mailbox.texts()
    assert text.count("has ended") == 3
    assert "wrong" not in text


def test_changes_of_the_account_are_told_at_once_whatever_is_wished(
    world: World, outbox: Worker, mailbox: Mailbox
) -> None:
    rita = world.account("rita")
    for number, wish in enumerate(("off", "daily", "sometimes"), 1):
        wishes(rita, modes={"account-changed": wish})
        post(sample(NoticeKind.ACCOUNT_CHANGED, wish), [rita.id])
        outbox.turn()
        assert len(mailbox.raw) == number
