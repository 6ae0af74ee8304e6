"""Jobs to try, with effects that can be counted: what was done once, and what was tried how often."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from pellucid.errors import EvidenceError, UnavailableError
from pellucid.jobs.work import NoArguments, Registry, Work, job, registry_of, step


class Counting(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How many steps, and where their effects are counted."""

    steps: int
    folder: str
    wait_for: str | None = None


@step
def effect(work: Work, folder: str, number: int, wait_for: str | None) -> dict[str, Any]:
    """Do something that may be done again: each effect is there once, each try is a line of its own."""
    with (Path(folder) / "tries").open("a") as tries:
        tries.write(f"{number} {os.getpid()}\n")
    while wait_for is not None and not Path(wait_for).exists():
        work.progress(number, doing="waits")
        time.sleep(0.02)
    (Path(folder) / f"effect-{number}").touch()
    work.say(f"effect {number}")
    return {"number": number, "by": os.getpid()}


@job("counting", Counting, summary="count effects", offered=True)
def counting(work: Work, asked: Counting) -> Mapping[str, Any]:
    """Make each effect in a step of its own; the third waits for a file."""
    work.say("begins")
    done = []
    for number in range(asked.steps):
        work.progress(number, asked.steps, unit="effects", doing=f"effect {number}")
        done.append(effect(work, asked.folder, number, asked.wait_for if number == 2 else None))
    work.say("ends")
    return {"ok": True, "numbers": [item["number"] for item in done], "by": [item["by"] for item in done]}


class Trouble(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which way to fail."""

    how: str


@step
def troubled(work: Work, how: str) -> dict[str, Any]:
    """Fail inside of a step."""
    if how == "unavailable":
        raise UnavailableError("the peer is down", where="center.example", remedy="wait")
    if how == "evidence":
        raise EvidenceError("the log is broken")
    text = "passphrase-of-the-node"
    raise KeyError(text)


@job("trouble", Trouble, summary="fail")
def trouble(work: Work, asked: Trouble) -> Mapping[str, Any]:
    """Answer no, give too much, or fail."""
    if asked.how == "no":
        return {"ok": False}
    if asked.how == "large":
        return {"text": "x" * (2 << 20)}
    return troubled(work, asked.how)


@job("killing", NoArguments, summary="end the process each time")
def killing(work: Work, asked: NoArguments) -> Mapping[str, Any]:
    """Die."""
    os._exit(9)


@job("talking", NoArguments, summary="say much")
def talking(work: Work, asked: NoArguments) -> Mapping[str, Any]:
    """Say what would steer a terminal, and a very long line."""
    work.say("\x1b[2Jcleared\nand \x00 more")
    work.say("y" * 5000)
    return {}


REGISTRY: Registry = registry_of(counting, trouble, killing, talking)
