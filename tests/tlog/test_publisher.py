"""Nothing is published below the quorum, and everybody can see who is missing."""

from __future__ import annotations

import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.tlog.homes import LOG, NO_QUORUM, ORIGIN, Center, LogHome, grow, numbered_entries, quorum_of

from pellucid.tlog.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from pellucid.tlog.cosignature import cosignatures
from pellucid.tlog.cosigners import CosignRequest, CosignResult, Parallel
from pellucid.tlog.publisher import Absent
from pellucid.tlog.sequencer import FrozenError


@pytest.fixture
def centers(tmp_path: Path) -> list[Center]:
    return [Center(tmp_path, name) for name in ("asia", "europe", "americas")]


def kept(home: LogHome, size: int) -> bytes | None:
    return home.store.fetch(f"checkpoints/{size:03d}")


def test_published_with_the_cosignatures_of_all_who_answered(home: LogHome, centers: list[Center]) -> None:
    publisher = home.open(quorum=quorum_of(2, *centers), clients=centers)
    published = grow(publisher, b"a", b"b")
    verifiers = [center.signer.verifier for center in centers]
    assert {item.verifier for item in cosignatures(published.note, verifiers)} == set(verifiers)
    assert home.store.fetch("checkpoint") == kept(home, 2) == published.to_bytes()
    assert publisher.status.wanting == ()
    assert publisher.status.cosigned_by == tuple(sorted(center.operator for center in centers))


def test_not_published_below_the_quorum_and_it_says_who_is_missing(home: LogHome, centers: list[Center]) -> None:
    asia, europe, americas = centers
    publisher = home.open(quorum=quorum_of(2, *centers), clients=centers)
    first = grow(publisher, b"a")
    europe.up = americas.up = False
    assert grow(publisher, b"b") == first
    (wanting,) = publisher.status.wanting
    assert "1" in wanting
    assert "2" in wanting
    assert publisher.status.cosigned_by == (asia.operator,)
    assert publisher.status.missing == (
        Absent("europe", europe.operator, "is down"),
        Absent("americas", americas.operator, "is down"),
    )
    assert publisher.status.behind
    assert home.store.fetch("checkpoint") == first.to_bytes()
    assert kept(home, 2) is None
    americas.up = True
    assert grow(publisher, b"c").checkpoint.size == 3
    assert kept(home, 2) is None
    assert not publisher.status.behind


def test_a_cosigner_without_an_address_is_named(home: LogHome, centers: list[Center]) -> None:
    publisher = home.open(quorum=quorum_of(1, *centers), clients=centers[:2])
    grow(publisher, b"a")
    assert [item.operator for item in publisher.status.missing] == [centers[2].operator]


def test_a_quorum_may_be_set_while_it_runs(home: LogHome, centers: list[Center]) -> None:
    publisher = home.open()
    assert not cosignatures(grow(publisher, b"a").note, [centers[0].signer.verifier])
    publisher.configure(quorum_of(1, centers[0]), Parallel(centers[:1]))
    assert cosignatures(grow(publisher, b"b").note, [centers[0].signer.verifier])


def test_a_running_publisher_asks_new_cosigners_at_once(home: LogHome, centers: list[Center]) -> None:
    publisher = home.open()
    grow(publisher, b"a")
    stop = threading.Event()
    loop = threading.Thread(target=publisher.run, args=(stop,), kwargs={"refresh": 600.0})
    loop.start()
    publisher.configure(quorum_of(1, centers[0]), Parallel(centers[:1]))
    for _ in range(200):
        if publisher.published and cosignatures(publisher.published.note, [centers[0].signer.verifier]):
            break
        time.sleep(0.05)
    else:
        pytest.fail("the new witness was not asked")
    stop.set()
    loop.join()


def test_the_same_size_is_published_anew_and_the_first_stays_kept(home: LogHome, tmp_path: Path) -> None:
    now = [1_700_000_000.0]
    center = Center(tmp_path, "asia", clock=lambda: now[0])
    publisher = home.open(quorum=quorum_of(1, center), clients=[center])
    first = grow(publisher, b"a")
    now[0] += 600
    publisher.publish()
    again = home.reader().checkpoint()
    assert [item.timestamp for item in cosignatures(again.note, [center.signer.verifier])] == [1_700_000_600]
    assert kept(home, 1) == first.to_bytes() != again.to_bytes()
    center.up = False
    publisher.publish()
    assert home.store.fetch("checkpoint") == again.to_bytes()
    assert publisher.status.wanting
    assert not publisher.status.behind


def test_what_was_kept_before_a_crash_stays_as_first_published(home: LogHome, tmp_path: Path) -> None:
    now = [1_700_000_000.0]
    center = Center(tmp_path, "asia", clock=lambda: now[0])
    publisher = home.open(quorum=quorum_of(1, center), clients=[center])
    grow(publisher, b"a")
    first = grow(publisher, b"b").to_bytes()
    older = kept(home, 1)
    assert older is not None
    home.close()
    home.store.replace("checkpoint", older)
    now[0] += 60
    publisher = home.open(quorum=quorum_of(1, center), clients=[center])
    publisher.publish()
    assert kept(home, 2) == first
    assert home.store.fetch("checkpoint") != first


class Claimant:
    """A cosigner that answers with the same result each time."""

    def __init__(self, result: CosignResult) -> None:
        self.name = result.name
        self.operator = result.operator
        self._result = result

    def cosign(self, request: CosignRequest) -> CosignResult:  # noqa: ARG002 - the port's
        return self._result


@pytest.mark.parametrize("size", [2, 9])
def test_a_checkpoint_of_ours_that_we_never_signed_freezes_the_log(home: LogHome, size: int) -> None:
    evidence = sign_checkpoint(Checkpoint(ORIGIN, size, b"\7" * 32), LOG).to_bytes()
    claim = CosignResult("asia", "operator of asia", problem="has seen more", contradiction=evidence)
    publisher = home.open()
    first = grow(publisher, b"a", b"b", b"c")
    publisher.configure(NO_QUORUM, Parallel([Claimant(claim)]))
    publisher.log.add_batch([b"d"])
    publisher.log.integrate()
    publisher.publish()
    assert publisher.status.frozen is not None
    assert f"of {size} entries, signed by this log" in publisher.status.frozen
    assert home.store.fetch("checkpoint") == first.to_bytes()
    (alarm,) = home.alarms.all()
    assert alarm.offered.encode() == evidence
    with pytest.raises(FrozenError):
        publisher.log.add_batch([b"e"])
    home.close()
    publisher = home.open()
    publisher.publish()
    assert home.store.fetch("checkpoint") == first.to_bytes()


def test_a_cosigner_that_refuses_a_tree_that_is_ours_is_reported_not_obeyed(home: LogHome) -> None:
    publisher = home.open()
    older = grow(publisher, b"a", b"b").to_bytes()
    grow(publisher, b"c")
    claim = CosignResult("asia", "operator of asia", problem="says no", contradiction=older)
    publisher.configure(NO_QUORUM, Parallel([Claimant(claim)]))
    assert grow(publisher, b"d").checkpoint.size == 4
    assert publisher.status.frozen is None
    assert publisher.status.missing[0].why == "says no, but shows a tree of 2 entries that this log extends"
    assert home.alarms.all() == []


def test_one_that_hangs_delays_only_itself() -> None:
    release = threading.Event()

    class Hanging(Claimant):
        def cosign(self, request: CosignRequest) -> CosignResult:  # noqa: ARG002 - the port's
            release.wait(10)
            return self._result

    fast, slow = CosignResult("fast", "one"), CosignResult("slow", "two")
    pool = Parallel([Claimant(fast), Hanging(slow)], timeout=30, grace=0.05)
    signed = open_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, 0, b"\0" * 32), LOG), LOG.verifier)
    request = CosignRequest(signed, lambda _: [])
    started = time.monotonic()
    late = replace(slow, problem="has not answered in time")
    assert pool(request, lambda results: fast in results) == [fast, late]
    assert pool(request, lambda results: fast in results)[1].problem == "still has not answered an earlier request"
    assert time.monotonic() - started < 5
    release.set()
    time.sleep(0.1)
    assert pool(request, lambda results: len(results) == 2) == [fast, slow]
    pool.close()


def test_at_its_start_a_log_hears_everybody_before_it_goes_on(home: LogHome) -> None:
    """Even where no quorum is asked for, a late witness that holds a larger tree is waited for."""
    evidence = sign_checkpoint(Checkpoint(ORIGIN, 9, b"\7" * 32), LOG).to_bytes()

    class Late(Claimant):
        def cosign(self, request: CosignRequest) -> CosignResult:
            time.sleep(0.7)
            return super().cosign(request)

    claim = CosignResult("asia", "operator of asia", problem="has seen more", contradiction=evidence)
    publisher = home.open(clients=[Late(claim)])
    assert publisher.publish(patient=True).frozen is not None
    assert publisher.published is None


def test_one_that_breaks_is_reported() -> None:
    class Breaking(Claimant):
        def cosign(self, request: CosignRequest) -> CosignResult:  # noqa: ARG002 - the port's
            raise ZeroDivisionError

    signed = open_checkpoint(sign_checkpoint(Checkpoint(ORIGIN, 0, b"\0" * 32), LOG), LOG.verifier)
    pool = Parallel([Breaking(CosignResult("asia", "one"))])
    (result,) = pool(CosignRequest(signed, lambda _: []), lambda _: False)
    assert result.problem is not None
    assert result.problem.startswith("could not be asked")
    pool.close()


def test_superseded_partials_left_by_a_crash_are_removed_later(home: LogHome) -> None:
    grow(home.open(), *numbered_entries(0, 200))
    partial = home.store.fetch("tile/0/000.p/200")
    assert partial is not None
    grow(home.open(), *numbered_entries(200, 300))
    home.close()
    home.store.replace("tile/0/000.p/200", partial)
    publisher = home.open()
    grow(publisher, *numbered_entries(300, 301))
    assert home.store.children("tile/0/") == ["000", "001.p/"]
