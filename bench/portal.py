"""`portal`: 200 people who open a page every two seconds each, beside Django's own floor under the same load.

Both servers stay up for the whole run and are asked in turn. Ours is a node of the demonstration with its log, its
peers' mirrors and its jobs; the pages are every kind that the public sees, and a tenth of the people are signed in.
The floor is a view of one line behind the same middleware and the same server: what no page of Django can be under.
The limits are absolute, 200 ms and 200 MB; a row's goal is the limit divided by the floor's figure of this run.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import urlopen

from bench.harness import Bench, Better, Options, PeerError, Report, Row, WrongAnswerError, capture, progress
from bench.verify import our_case

SECONDS = 10.0
MOST_MS = 200.0
MOST_MB = 200.0
SIGNED_IN_SHARE = 10
START_WITHIN = 60.0
_LINK = re.compile(r'href="(/[^"#]*)"')
_MAKE_SESSION = """
import django; django.setup()
from importlib import import_module
from django.conf import settings
from django.contrib.auth import SESSION_KEY, BACKEND_SESSION_KEY, HASH_SESSION_KEY
from pellucid.people.portal.models import Account
account = Account.objects.create_user("reader@people.example", None, name="Reader")
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = account.pk
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = account.get_session_auth_hash()
session.save()
print(f"{settings.SESSION_COOKIE_NAME}={session.session_key}")
"""


def run(options: Options) -> Report:
    """Serve both, see that every page answers, let people browse each in turn."""
    shutil.rmtree(options.scratch, ignore_errors=True)
    options.scratch.mkdir(parents=True)
    home = _node_home(options)
    with _serve(_ours(home), home) as ours, _serve(_floor(), home) as floor:
        cookie = _signed_in(home)
        addresses = options.scratch / "addresses.json"
        addresses.write_text(json.dumps(_walk(ours.url, cookie)))
        figures: dict[str, list[dict[str, Any]]] = {ours.url: [], floor.url: []}
        order = [ours.url, floor.url]
        for done in range(options.pairs):
            for url in order:
                figures[url].append(_browse(url, addresses))
            order.reverse()
            progress(f"round {done + 1} of {options.pairs}", end="\r" if sys.stderr.isatty() else "\n")
        rows = [
            _row(f"p{share} of a page, 200 people", share, figures[ours.url], figures[floor.url]) for share in (50, 95)
        ]
        memory = Row(
            "memory of the node", ours.megabytes(), floor.megabytes(), "MB", Better.LOWER, MOST_MB / floor.megabytes()
        )
        return Report((*rows, memory), {"Django": _version("django"), "granian": _version("granian")})


PORTAL = Bench("portal", "200 people browsing the portal; beside it: Django's one-line view, same middleware", run)


class Served:
    """A server that runs: where it answers, and the processes it consists of."""

    def __init__(self, url: str, process: subprocess.Popen[bytes], said: Path) -> None:
        self.url = url
        self.process = process
        self.said = said

    def megabytes(self) -> float:
        """Return the proportional set size of all its processes."""
        family = [self.process.pid, *_children(self.process.pid)]
        return sum(_pss(pid) for pid in family) / 1024


def _node_home(options: Options) -> Path:
    """Return the home of a vendor's node; a demo home is made unless one is given."""
    top = options.home
    if top is None:
        our_case(options.scratch)
        top = options.scratch / "demo-home"
    else:
        top = Path(shutil.copytree(top, options.scratch / "demo-home"))
    homes = [path.parent for path in sorted(top.rglob("node.toml")) if 'role = "vendor"' in path.read_text()]
    if not homes:
        raise PeerError("no home of a vendor's node", where=str(top), remedy="leave --home out")
    return homes[0]


def _ours(home: Path) -> list[str]:
    return [str(Path(sys.executable).with_name("pellucid")), "--home", str(home), "serve", "--listen", "{address}"]


def _floor() -> list[str]:
    server = [str(Path(sys.executable).with_name("granian")), "--interface", "wsgi", "--workers", "1"]
    return [*server, "--blocking-threads", "8", "--port", "{port}", "--no-ws", "bench.floor:application"]


@contextmanager
def _serve(command: list[str], home: Path) -> Iterator[Served]:
    """Start a server on a free port and end it afterwards, with the processes it started."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = {**os.environ, "PELLUCID_HOME": str(home), "PELLUCID_HOSTS": "127.0.0.1"}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    words = [word.format(address=f"127.0.0.1:{port}", port=port) for word in command]
    said = home / f"said-{port}"
    with said.open("wb") as file:
        process = subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=file)
    served = Served(f"http://127.0.0.1:{port}", process, said)
    try:
        _wait(served)
        yield served
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait(served: Served) -> None:
    deadline = time.monotonic() + START_WITHIN
    while time.monotonic() < deadline and served.process.poll() is None:
        try:
            with urlopen(f"{served.url}/products", timeout=5) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.1)
    raise WrongAnswerError(f"does not answer; it said: {served.said.read_text()[-1000:]}", where=served.url)


def _signed_in(home: Path) -> str:
    """Return the cookie of somebody who is signed in on this node."""
    script = (
        f"import os; os.environ.update(PELLUCID_HOME={str(home)!r}, DJANGO_SETTINGS_MODULE='pellucid.site.settings')"
    )
    done = capture([sys.executable, "-c", script + _MAKE_SESSION])
    if done.returncode != 0:
        raise WrongAnswerError(f"nobody can be signed in: {done.stderr.strip()[-500:]}", where="pellucid")
    return done.stdout.strip().splitlines()[-1]


def _walk(url: str, cookie: str) -> list[dict[str, str | None]]:
    """Follow the portal's links two steps deep; a tenth of the visits is by somebody who is signed in."""
    found, edge = {"/"}, ["/"]
    for _ in range(2):
        links = {link for path in edge for link in _LINK.findall(_read(url + path)) if _is_page(link)}
        edge = sorted(links - found)[:60]
        found |= set(edge)
    pages = sorted(found)
    progress(f"{len(pages)} pages: {' '.join(pages[:12])} …")
    return [
        {"path": page, "cookie": cookie if at % SIGNED_IN_SHARE == 0 else None}
        for at, page in enumerate(pages * SIGNED_IN_SHARE)
    ]


def _is_page(link: str) -> bool:
    return not link.startswith(("/static/", "/api/", "/account", "/feed")) and not link.endswith((".json", ".atom"))


def _read(address: str) -> str:
    with urlopen(address, timeout=20) as answer:
        return str(answer.read().decode())


def _browse(url: str, addresses: Path) -> dict[str, Any]:
    done = capture(
        [sys.executable, "-m", "bench.people", url, "--addresses", str(addresses), "--seconds", str(SECONDS)]
    )
    seen: dict[str, Any] = json.loads(done.stdout) if done.returncode == 0 else {"wrong": [done.stderr[-500:]]}
    if seen["wrong"]:
        raise WrongAnswerError(f"not every page was answered: {seen['wrong'][0]}", where=url)
    return seen


def _row(name: str, share: int, ours: list[dict[str, Any]], floor: list[dict[str, Any]]) -> Row:
    mine, least = (median(figures[f"p{share}_ms"] for figures in side) for side in (ours, floor))
    return Row(name, mine, least, "ms", Better.LOWER, MOST_MS / least)


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [deep for child in map(int, text.split()) for deep in (child, *_children(child))]


def _pss(pid: int) -> float:
    line = next(line for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines() if line.startswith("Pss:"))
    return float(line.split()[1])


def _version(package: str) -> str:
    from importlib.metadata import version  # noqa: PLC0415 - once

    return version(package)
