"""Two hundred people with browsers, as one process: `python -m bench.people URL --addresses FILE --seconds S`.

Each person keeps one connection, opens an address every two seconds and waits for the whole answer. Whoever finds the
last answer late opens the next one late too, but the time counts from the moment it was due: a server that stalls is
not asked less. Every second person asks for pages that nobody asked for before (`?visit=…`), so that what a server
remembers helps with the other half only. Prints `{"answers", "wrong", "p50_ms", "p95_ms", "p99_ms"}`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

PEOPLE = 200
EVERY = 2.0
PATIENCE = 30.0


@dataclass(frozen=True)
class Visit:
    """A page to open, and the cookie of whoever opens it."""

    path: str
    cookie: str | None

    def request(self, host: str, own: str | None) -> bytes:
        """Return a browser's request; `own` makes it one that nobody made before."""
        path = self.path if own is None else f"{self.path}{'&' if '?' in self.path else '?'}visit={own}"
        lines = [f"GET {path} HTTP/1.1", f"Host: {host}", "Accept: text/html", "Accept-Language: en"]
        return "\r\n".join([*lines, *([f"Cookie: {self.cookie}"] if self.cookie else []), "", ""]).encode()


@dataclass
class Crowd:
    """What all people saw: milliseconds of each right answer, and how many were wrong."""

    host: str
    port: int
    visits: list[Visit]
    taken: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    async def browse(self, person: int, until: float) -> None:
        """Open pages, one every two seconds, until the time is over."""
        chosen = random.Random(person)
        due = time.perf_counter() + chosen.uniform(0, EVERY)
        connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        while due < until:
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            visit = chosen.choice(self.visits)
            request = visit.request(f"{self.host}:{self.port}", f"{person}-{due}" if person % 2 else None)
            try:
                connection = connection or await asyncio.open_connection(self.host, self.port)
                status = await asyncio.wait_for(ask(*connection, request), PATIENCE)
            except (OSError, ValueError, TimeoutError, asyncio.IncompleteReadError) as error:
                status, connection = f"{type(error).__name__}: {error}", None
            if status == "200":
                self.taken.append((time.perf_counter() - due) * 1000)
            else:
                self.wrong.append(f"{status} for {request.split(b' ')[1].decode()}")
            due += EVERY
        if connection:
            connection[1].close()


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> str:
    """Send one request and read the whole answer; return its status."""
    writer.write(request)
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    status, _, fields = head.partition(b"\r\n")
    length = next(int(line[15:]) for line in fields.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    await reader.readexactly(length)
    return status.split(b" ")[1].decode()


def percentile(taken: list[float], share: float) -> float:
    """Return the value that `share` of all stay at or below."""
    ordered = sorted(taken)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


async def crowd(url: str, visits: list[Visit], seconds: float) -> Crowd:
    """Let the people browse for some seconds."""
    place = urlsplit(url)
    seen = Crowd(str(place.hostname), int(place.port or 80), visits)
    until = time.perf_counter() + seconds
    await asyncio.gather(*(seen.browse(person, until) for person in range(PEOPLE)))
    return seen


def main() -> None:
    """Read the arguments, let people browse, print what they saw."""
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--addresses", type=Path, required=True, help='JSON: [{"path", "cookie": text or null}, …]')
    parser.add_argument("--seconds", type=float, required=True)
    options = parser.parse_args()
    visits = [Visit(**item) for item in json.loads(options.addresses.read_bytes())]
    seen = asyncio.run(crowd(options.url, visits, options.seconds))
    figures = {f"p{share}_ms": percentile(seen.taken, share / 100) if seen.taken else None for share in (50, 95, 99)}
    print(json.dumps({"answers": len(seen.taken), "wrong": seen.wrong[:10], **figures}))


if __name__ == "__main__":
    main()
