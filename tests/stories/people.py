"""A node with its mail server, and the people who come to it, each with a browser and a device of their own."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec
from tests.outbox.conftest import Mailbox, free_port
from tests.server.conftest import ORIGIN, Served, start

from pellucid.record.settings import Mail, load_settings, write_settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
PASSWORD = "seventeen badgers of the stories"  # noqa: S105 - opens nothing but the nodes of tests
TOUCH = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
MANIFEST = """\
[release]
product = "scanner"
version = "4.2"
kind = "software"

[source]
tree = "src"

[[artifact]]
name = "scanner.bin"
path = "scanner.bin"
"""
NAMED = """() => {
    const one = document.activeElement;
    const label = one.labels && one.labels.length ? one.labels[0].innerText : "";
    return (one.getAttribute("aria-label") || label || one.innerText || one.value || "").trim();
}"""
MOST_TABS = 120
PATIENCE = 30.0


@contextmanager
def silent_node() -> Iterator[str]:
    """Listen where a node should be, and never answer."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"


def until(holds: Callable[[], object], saying: Callable[[], str] = lambda: "it does not come to hold") -> None:
    """Wait until something holds."""
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, saying()
        time.sleep(0.1)


@dataclass
class Place:
    """A node that is served, its release, its mail server, and what runs on its home."""

    browser: Browser
    node: Served
    url: str
    folder: Path
    mailbox: Mailbox
    visits: list[Visit] = field(default_factory=list)

    @classmethod
    @contextmanager
    def opened(cls, browser: Browser, made_home: Path, folder: Path, mailbox: Mailbox) -> Iterator[Self]:
        """Serve a copy of a home; passkeys want a name, so people come to it by `localhost`."""
        home, port = Path(shutil.copytree(made_home, folder / "vendor")), free_port()
        mail = Mail(host="127.0.0.1", port=mailbox.port, sender="node@vendor.example", security="none")
        url = f"http://localhost:{port}"
        changed = msgspec.structs.replace(load_settings(home), url=url, listen=f"127.0.0.1:{port}", mail=mail)
        write_settings(home, changed)
        node = start(home, "--listen", f"127.0.0.1:{port}")
        place = cls(browser, node, url, folder, mailbox)
        try:
            place.publish()
            yield place
        finally:
            for visit in place.visits:
                visit.page.context.close()
            node.process.kill()
            node.process.wait(20)

    def cli(self, *words: object, code: int = 0) -> Any:
        """Run a command on the node's home, as an operator does; return what it prints as JSON."""
        command = [sys.executable, "-m", "pellucid.cli", "--home", str(self.node.home), *map(str, words), "--json"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == code, (words, done.returncode, done.stdout, done.stderr)
        return json.loads(done.stdout) if done.stdout.startswith("{") else done.stdout

    def publish(self) -> None:
        """Log one release of a program and its source."""
        (self.folder / "src").mkdir()
        (self.folder / "src/main.py").write_text("print()\n")
        self.artifact.write_text("program")
        (self.folder / "release.toml").write_text(MANIFEST)
        self.cli("publish", self.folder / "release.toml")

    @property
    def artifact(self) -> Path:
        """The file that was released."""
        return self.folder / "scanner.bin"

    def tree(self) -> str:
        """Return the digest of the source that was released."""
        return str(self.cli("source", "tree", self.folder / "src")["sha256"])

    def policy(self) -> Path:
        """Write a policy that wants one review."""
        path = self.folder / "policy.toml"
        words = ["--node", self.url, "--witnesses", "0", "--review", "1", "--accreditor", ORIGIN, "-o", path]
        self.cli("policy", "init", *words)
        return path

    def visit(self, name: str) -> Visit:
        """Open a browser for somebody."""
        self.visits.append(Visit(self, name))
        return self.visits[-1]


class Visit:
    """Somebody with a browser and a device that keeps passkeys; `said` is what the browser complained of."""

    def __init__(self, place: Place, name: str) -> None:
        from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

        self.place, self.name = place, name
        self.page: Page = place.browser.new_context(reduced_motion="reduce").new_page()
        self.page.set_default_timeout(20_000)
        self.said, self._axe, self.looked = list[str](), Axe(), list[str]()
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        line = self.page.context.new_cdp_session(self.page)
        line.send("WebAuthn.enable")
        line.send("WebAuthn.addVirtualAuthenticator", {"options": TOUCH})

    def _heard(self, message: Any) -> None:
        if message.type != "info":  # the one says what was asked for: that the cache is cleared at sign-out
            self.said.append(message.text)

    @property
    def mail(self) -> str:
        """Their mail address."""
        return f"{self.name}@people.example"

    def open(self, address: str, title: str) -> None:
        """Go to a page by its address."""
        self.page.goto(address if address.startswith("http") else self.place.url + address)
        self.arrived(title)

    def refused(self, address: str) -> None:
        """Go to a page that is not theirs, and be told so in plain words."""
        before = len(self.said)
        answer = self.page.goto(self.place.url + address)
        assert answer is not None
        assert answer.status == 403, address
        self.arrived("That is not yours to do")
        assert "Your account has no role that allows this." in self.text()
        assert all("403" in words for words in self.said[before:])
        del self.said[before:]

    def arrived(self, title: str) -> None:
        """Wait for a page, and look at it in both schemes and at both widths."""
        self.page.wait_for_load_state()
        until(lambda: self.title() == title, saying=lambda: f"{self.page.url}: {self.title()!r}, not {title!r}")
        self.page.evaluate("document.querySelectorAll('main details').forEach((item) => (item.open = true))")
        found = self._axe.run(self.page, options={"runOnly": WCAG, "resultTypes": ["violations"]}).response
        self.page.emulate_media(color_scheme="dark")
        dark = self.page.evaluate("axe.run({ runOnly: ['color-contrast'], resultTypes: ['violations'] })")
        self.page.emulate_media(color_scheme="light")
        for scheme, result in (("light", found), ("dark", dark)):
            wrong = [(item["id"], node["html"]) for item in result["violations"] for node in item["nodes"]]
            assert wrong == [], (self.page.url, scheme)
        for width in (320, 1280):
            self.page.set_viewport_size({"width": width, "height": 900})
            assert self.page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0, (self.page.url, width)
        self.looked.append(title)

    def title(self) -> str:
        """Return the heading of the page, empty while there is none."""
        from playwright.sync_api import Error

        try:
            return self.page.inner_text("h1", timeout=2_000)
        except Error:  # the page is just being left
            return ""

    def text(self) -> str:
        """Return what stands in the page's own part."""
        return self.page.inner_text("main")

    def fill(self, label: str, text: str) -> None:
        """Write into a field."""
        self.page.get_by_label(label, exact=True).fill(text)

    def press(self, name: str) -> None:
        """Press a button."""
        self.page.get_by_role("main").get_by_role("button", name=name, exact=True).click()

    def follow(self, name: str) -> None:
        """Follow a link."""
        self.page.get_by_role("main").get_by_role("link", name=name).first.click()

    def tab_to(self, name: str) -> None:
        """Go to what has this name by the Tab key alone."""
        for _ in range(MOST_TABS):
            self.page.keyboard.press("Tab")
            if self.page.evaluate(NAMED) == name:
                return
        raise AssertionError(f"the Tab key does not lead to {name!r} on {self.page.url}")

    def type(self, name: str, text: str) -> None:
        """Write into a field, reached by the Tab key."""
        self.tab_to(name)
        self.page.keyboard.insert_text(text)

    def strike(self, name: str, key: str = "Enter") -> None:
        """Use what has this name, reached by the Tab key."""
        self.tab_to(name)
        self.page.keyboard.press(key)

    def join(self, link: str, code: str) -> None:
        """Come in by an invitation, and set up a passkey."""
        self.open(link, "You are invited")
        self.fill("Code", code)
        self.fill("Your name", f"{self.name.title()} Example")
        self.fill("A password", PASSWORD)
        self.fill("The password again", PASSWORD)
        self.press("Come in")
        self.arrived("Ways to sign in")
        self.follow("Add a passkey")
        self.arrived("Add a passkey")
        self.page.get_by_role("main").get_by_role("textbox", name="Name").fill("blue key")
        self.press("Make a passkey")
        self.arrived("Recovery codes")
        assert len(re.findall(r"\d{10}", self.page.inner_text(".codes"))) == 10
        self.follow("I have kept them")
        self.arrived("Ways to sign in")
