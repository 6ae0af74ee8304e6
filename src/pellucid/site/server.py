"""`serve`: one node behind granian, a WSGI server; the process that holds the node ends with the one that started it.

The first process binds the address and waits; the second opens the node under the home's lock, serves, and writes
`serving.json`. Whatever ends one of them ends both, and the exit code tells it.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import signal
import socket
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from multiprocessing import util
from multiprocessing.connection import Connection, Pipe
from typing import Any, NoReturn, cast
from urllib.parse import urlsplit

from django.urls import get_resolver
from granian.constants import Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from pellucid import capabilities
from pellucid.errors import FatalError, InputError, PellucidError, UnavailableError
from pellucid.jobs.durable import DATABASE
from pellucid.node import Node
from pellucid.node.job_tools import tools_of
from pellucid.node.runtime import end_process
from pellucid.record.home import Home
from pellucid.site import database
from pellucid.site.front import Application, Front
from pellucid.terminal import say

_THREADS = 8
_STOP_WITHIN = 30
_READY_WITHIN = 30.0
_PR_SET_PDEATHSIG = 1


class ServeError(UnavailableError):
    """The node could not be served, or ended by itself."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where to listen."""

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `HOST:PORT` or `[IPv6]:PORT`; InputError for anything else."""
        host, _, port = text.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise InputError(f"{text[:100]!r} is no address", where="--listen", remedy="write HOST:PORT")
        return cls(host.removeprefix("[").removesuffix("]"), int(port))

    def reserved(self) -> Address:
        """Return the address by its number, with a port that nobody listens on; ServeError where that cannot be."""
        try:
            family, _, _, _, found = socket.getaddrinfo(self.host, self.port, type=socket.SOCK_STREAM)[0]
            with socket.socket(family, socket.SOCK_STREAM) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind(found)
                return Address(str(found[0]), int(probe.getsockname()[1]))
        except OSError as error:
            remedy = "give another --listen HOST:PORT; port 0 takes a free one"
            raise ServeError(f"cannot listen: {error.strerror or error}", where=self.text, remedy=remedy) from error

    @property
    def text(self) -> str:
        """Return `HOST:PORT`."""
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """Return where this machine reaches it."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)  # noqa: S104 - compared, not bound
        return f"http://{Address(host, self.port).text}"


class Worker:
    """What the second process does; called by the server to load the application."""

    def __init__(self, home: Home, passphrase: bytes, address: Address, report: Connection) -> None:
        self._home = home
        self._passphrase = passphrase
        self._address = address
        self._report = report
        self._parent = os.getpid()
        self._node: Node | None = None

    def __call__(self) -> Application:
        """Open the node and return the application; what goes wrong is reported to the first process."""
        _end_with(self._parent)
        try:
            self._node = node = Node.open(self._home.path, self._passphrase, clock=time.time)
            node.start()
            application = _application(node, self._home, self._address)
        except PellucidError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - the first process has to hear of it
            traceback.print_exception(error)
            self._fail(FatalError(f"unexpected {type(error).__name__} at the start", where=str(self._home.path)))
        util.Finalize(None, self._stop, exitpriority=100)
        threading.Thread(target=self._announce, daemon=True, name="announce").start()
        return application

    def _announce(self) -> None:
        """Say that the node is served once it answers."""
        deadline = time.monotonic() + _READY_WITHIN
        family = socket.AF_INET6 if ":" in self._address.host else socket.AF_INET
        target = urlsplit(self._address.url)
        while time.monotonic() < deadline:
            with socket.socket(family, socket.SOCK_STREAM) as probe, contextlib.suppress(OSError):
                probe.settimeout(1.0)
                probe.connect((target.hostname, target.port))
                break
            time.sleep(0.02)
        self._home.announce(self._address.url)
        say(f"pellucid: serving {self._home.settings.name} on {self._address.url}")

    def _stop(self) -> None:
        self._home.withdraw()
        _close_rooms()
        if self._node is not None:
            self._node.stop()
        self._report.send({"stopped": True})

    def _fail(self, error: PellucidError) -> NoReturn:
        self._report.send({**error.as_json(), "exit_code": error.exit_code})
        self._report.close()
        os._exit(error.exit_code)


def serve(home: Home, passphrase: bytes, address: Address) -> None:
    """Serve until told to stop (SIGTERM, SIGINT); raises ServeError, or what kept the node from opening."""
    holder, url = home.holder(), home.node_url()
    if holder is not None:
        where = f"process {holder or 'unknown'}" + (f", {url}" if url else "")
        raise ServeError(
            f"this home is in use already ({where})", where=str(home.path), remedy="stop that process first"
        )
    address = address.reserved()
    reports, report = Pipe(duplex=False)
    server = Server(
        "pellucid",
        address=address.host,
        port=address.port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=_THREADS,
        websockets=False,
        backlog=1024,
        backpressure=256,
        http1_settings=HTTP1Settings(header_read_timeout=15_000),
        log_level=LogLevels.error,
        workers_kill_timeout=_STOP_WITHIN,
    )
    worker = Worker(home, passphrase, address, report)
    code: Any = 0
    try:
        server.serve(target_loader=cast("Any", worker), wrap_loader=False)
    except SystemExit as end:
        code = end.code
    report.close()
    _judge(reports, code, home)


def _judge(reports: Connection, code: Any, home: Home) -> None:
    """Raise what the second process reported, or that it ended without a word."""
    said: dict[str, Any] = {}
    with contextlib.suppress(EOFError):
        while reports.poll():
            said |= reports.recv()
    if "error" in said:
        raise _reported(said)
    if code and "stopped" not in said:
        raise ServeError(
            "the node ended by itself",
            where=str(home.path),
            remedy="see what it printed last; start it again: it recovers from what is on disk",
        )


def _reported(said: dict[str, Any]) -> PellucidError:
    family = {2: InputError, 3: UnavailableError}.get(said["exit_code"], FatalError)
    text = said["error"]
    return family(text["what"], where=text["where"], remedy=text["remedy"])


def _application(node: Node, home: Home, address: Address) -> Application:
    """Put Django behind the front, for this node."""
    os.environ["PELLUCID_HOME"] = str(home.path)
    os.environ.setdefault("PELLUCID_HOSTS", ",".join(_hosts(home, address)))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pellucid.site.settings")
    database.prepare(home.path)
    from pellucid.audit.portal import door as audit_door  # noqa: PLC0415 - Django reads its settings from what is set above
    from pellucid.jobs.portal import door as jobs_door  # noqa: PLC0415
    from pellucid.outbox.portal import worker as outbox  # noqa: PLC0415
    from pellucid.people.portal import spool  # noqa: PLC0415
    from pellucid.site import answers, current, signing_ground  # noqa: PLC0415
    from pellucid.site.accounts.openid import check_providers  # noqa: PLC0415
    from pellucid.site.wsgi import application  # noqa: PLC0415

    check_providers()
    get_resolver().url_patterns  # noqa: B018 - read now, so that a mistake in them shows at the start
    for name, level in (("django.request", logging.ERROR), ("django.security.DisallowedHost", logging.CRITICAL)):
        logging.getLogger(name).setLevel(level)  # what strangers ask for in vain is not worth a line
    current.serve(node.views)
    answers.serve(node)
    signing_ground.serve(node)
    audit_door.serve(node.trail)
    spool.start(node.trail)
    jobs_door.run(home.path / DATABASE, capabilities.jobs(), tools_of(home, node), on_fatal=end_process)
    outbox.serve(node)
    return Front(node, cast("Application", application), {"jobs": jobs_door.healthz, "outbox": outbox.healthz})


def _close_rooms() -> None:
    """End what the rooms run in this process, before the node that they ask."""
    from pellucid.jobs.portal import door as jobs_door  # noqa: PLC0415 - as above
    from pellucid.outbox.portal import worker as outbox  # noqa: PLC0415
    from pellucid.people.portal import spool  # noqa: PLC0415

    outbox.stop()
    jobs_door.stop()
    spool.stop()


def _hosts(home: Home, address: Address) -> list[str]:
    """Return the names under which the portal answers."""
    names = ["127.0.0.1", "localhost", "[::1]", address.host, socket.gethostname()]
    public = home.settings.url
    if public is not None and (host := urlsplit(public).hostname):
        names.append(host)
    return list(dict.fromkeys(names))


def _end_with(parent: int) -> None:
    """Have the kernel end this process with its parent; until the server listens, signals just end it."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    os.setpgid(0, 0)  # Ctrl-C is for the first process, which then stops this one
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)
