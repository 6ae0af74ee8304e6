"""The whole of it in a real browser against a node that is served: enrol, be accredited, sign, and `verify` agrees."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from tests.server.conftest import Served, make_home, start
from tests.signing.desk import review
from tests.signing.test_prove import prove

from pellucid.cli import main
from pellucid.statement import keys as key_files
from pellucid.statement.dsse import IN_TOTO, Envelope
from pellucid.statement.keys import Role, generate_key, seal_key

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.full

CHROMIUM = Path("/usr/bin/chromium")
ROOT = Path(__file__).parents[2]
ORIGIN = "log.vendor.example/1"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
JOIN = """
import json, sys
from pathlib import Path
from pellucid.site.database import prepare
prepare(Path(sys.argv[1]))
from django.conf import settings
from django.test import Client
from allauth.mfa.totp.internal.auth import TOTP
from tests.world import TOTP_SECRET, sign_in
from pellucid.people.portal.models import Account, RoleGrant
account = Account.objects.create_user("rita@people.example", name="Rita Example")
RoleGrant.objects.create(account=account, role="reviewer")
TOTP.activate(account, TOTP_SECRET)
browser = Client(SERVER_NAME="127.0.0.1")
sign_in(browser, account)
name = settings.SESSION_COOKIE_NAME
print(json.dumps({"name": name, "value": browser.cookies[name].value, "account": account.id}))
"""
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


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip("there is no Chromium here: apt-get install chromium libatomic1")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        yield browser
        browser.close()


@dataclass
class Place:
    """A node that is served, its release, and what runs on its home."""

    node: Served
    folder: Path
    artifact: Path
    tree: str
    cookie: dict[str, str]

    def cli(self, *words: object) -> int:
        """Run a command on the node's home."""
        return main(["--home", str(self.node.home), *map(str, words)])

    def visit(self, browser: Browser, **options: Any) -> Page:
        """Open a browser in which Rita is signed in."""
        context: BrowserContext = browser.new_context(reduced_motion="reduce", **options)
        cookie = {"name": self.cookie["name"], "value": self.cookie["value"], "url": self.node.url}
        context.add_cookies([cookie])  # type: ignore[list-item]
        page = context.new_page()
        page.set_default_timeout(20_000)
        return page

    def policy(self, name: str, *options: str) -> Path:
        """Write a policy that wants one review."""
        path = self.folder / name
        words = ["--node", self.node.url, "--witnesses", "0", "--review", "1", "--accreditor", ORIGIN, "-o", path]
        assert self.cli("policy", "init", *words, *options) == 0
        path.write_text(path.read_text().replace("http://127.0.0.1:8400", self.node.url))
        return path


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A vendor's node with one release, and a reviewer who has a second factor."""
    folder = tmp_path_factory.mktemp("signing")
    home = make_home(folder / "vendor", "vendor", ORIGIN, "Example Vendor", "europe")
    command = [sys.executable, "-c", JOIN, str(home)]
    joined = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert joined.returncode == 0, joined.stderr
    (folder / "src").mkdir()
    (folder / "src/main.py").write_text("print()\n")
    (folder / "scanner.bin").write_text("program")
    (folder / "release.toml").write_text(MANIFEST)
    node = start(home)
    try:
        found = Place(node, folder, folder / "scanner.bin", "", json.loads(joined.stdout))
        assert found.cli("publish", folder / "release.toml") == 0
        found.tree = _tree(node.home, folder / "src")
        yield found
    finally:
        node.process.kill()
        node.process.wait(20)


def _tree(home: Path, source: Path) -> str:
    command = [sys.executable, "-m", "pellucid.cli", "--home", str(home), "source", "tree", str(source), "--json"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return str(json.loads(said)["sha256"])


def enrol_in_browser(place: Place, page: Page) -> str:
    """Make a key in the browser and enrol it; return its public half."""
    page.goto(f"{place.node.url}/account/keys")
    page.get_by_role("button", name="Make a key in this browser").click()
    page.get_by_role("button", name="Answer with the key in this browser").click()
    page.wait_for_url("**/account/keys")
    twin = page.request.get(f"{place.node.url}/account/keys.json").json()
    key = next(key for key in twin["keys"] if key["custody"] == "browser" and key["retired_at"] is None)
    return str(key["spki"])


def bring(place: Place, page: Page, payload: bytes) -> str:
    """Bring a statement as a file, and return the address of its page."""
    page.goto(f"{place.node.url}/signing/new")
    page.set_input_files("input[type=file]", {"name": "s.json", "mimeType": "application/json", "buffer": payload})
    page.get_by_role("button", name="Show it in full").click()
    page.get_by_role("heading", name="What you would say").wait_for()
    return page.url


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < end, "it does not come to hold"
        time.sleep(0.1)


def test_signed_in_the_browser_and_accepted_by_verify_unless_the_policy_refuses_it(
    place: Place, browser: Browser
) -> None:
    page, said = place.visit(browser), []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    spki = enrol_in_browser(place, page)
    assert place.cli("party", "accredit", spki, "--role", "reviewer", "--custody", "browser") == 0
    payload = review(place.tree).payload()
    statement = Envelope(IN_TOTO, payload, ()).id

    address = bring(place, page, payload)
    sign = page.get_by_role("button", name="Sign and have it logged")
    assert sign.is_disabled()
    assert page.locator("[data-slot=id]").text_content() == statement
    assert page.locator("[data-slot=text]").text_content() == payload.decode()
    page.get_by_label("I have read all of it").check()
    sign.click()
    page.get_by_role("heading", name="The log's answer").wait_for()
    assert page.url == address
    until(lambda: place.node.get(f"/api/statements/{statement}").status == 200)

    free, strict = place.policy("free.toml"), place.policy("strict.toml", "--custody", "file")
    pack = place.folder / "scanner.evidence.json"
    assert place.cli("pack", place.artifact, "--policy", free, "-o", pack) == 0
    assert place.cli("verify", place.artifact, "--pack", pack, "--policy", free) == 0
    assert place.cli("verify", place.artifact, "--pack", pack, "--policy", strict) == 1
    assert said == []
    page.context.close()


def test_the_verdict_names_the_custody(place: Place, capsys: pytest.CaptureFixture[str]) -> None:
    pack, strict = place.folder / "scanner.evidence.json", place.folder / "strict.toml"
    assert place.cli("verify", place.artifact, "--pack", pack, "--policy", strict, "--json") == 1
    verdict = json.loads(capsys.readouterr().out)
    (why,) = [item["why"] for item in verdict["requirements"] if item["name"] == "review"]
    assert "its reviewer's key has the custody `browser`, which the policy refuses" in why


def test_the_secret_key_cannot_leave_the_browser(place: Place, browser: Browser) -> None:
    page = place.visit(browser)
    enrol_in_browser(place, page)
    module = page.locator("script[src*=enrol]").get_attribute("src") or ""
    tried = page.evaluate(
        """async ([module, account]) => {
            const { held } = await import(module);
            const { privateKey } = (await held(account)).pair;
            const formats = ["pkcs8", "jwk", "raw"];
            const attempt = (format) => crypto.subtle.exportKey(format, privateKey).then(() => format, () => "");
            const results = await Promise.all(formats.map(attempt));
            return [privateKey.extractable, results.join("")];
        }""",
        [module.replace("enrol.js", "keys.js"), place.cookie["account"]],
    )
    assert tried == [False, ""]
    page.context.close()


def test_a_page_that_gives_other_bytes_than_it_shows_is_caught(place: Place, browser: Browser) -> None:
    page = place.visit(browser)
    enrol_in_browser(place, page)
    shown, other = review(place.tree, minutes=61).payload(), review(place.tree, minutes=61, result="fail").payload()

    def swap(route: Any) -> None:
        import base64

        body = route.fetch().text()
        bad, good = base64.b64encode(other).decode(), base64.b64encode(shown).decode()
        route.fulfill(body=body.replace(good, bad), content_type="text/html; charset=utf-8")

    address = bring(place, page, shown)
    page.get_by_label("I have read all of it").wait_for()
    page.route(address, swap)
    page.goto(address)
    page.get_by_role("heading", name="This page contradicts itself").wait_for()
    assert not page.get_by_label("I have read all of it").is_visible()
    page.context.close()


def test_a_browser_without_a_key_or_without_scripts_shows_the_other_way(place: Place, browser: Browser) -> None:
    page = place.visit(browser)
    address = bring(place, page, review(place.tree, minutes=62).payload())
    page.get_by_text("No enrolled key of yours is kept in this browser").wait_for()
    page.context.close()
    page = place.visit(browser, java_script_enabled=False)
    page.goto(address)
    assert "Scripts are off. Use your own program" in page.content()
    assert page.get_by_role("button", name="Check it and have it logged").is_visible()
    assert not page.get_by_role("button", name="Sign and have it logged").is_visible()
    assert "pellucid statement sign" in page.content()
    page.context.close()


def test_a_browser_without_ed25519_says_so(place: Place, browser: Browser) -> None:
    page = place.visit(browser)
    page.add_init_script("crypto.subtle.generateKey = () => Promise.reject(new Error('NotSupported'));")
    page.goto(f"{place.node.url}/account/keys")
    page.get_by_text("This browser cannot keep a key").wait_for()
    assert not page.get_by_role("button", name="Make a key in this browser").is_visible()
    page.context.close()


def test_a_forgotten_key_is_gone(place: Place, browser: Browser) -> None:
    page = place.visit(browser)
    enrol_in_browser(place, page)
    page.get_by_text("It is enrolled.", exact=True).wait_for()
    page.get_by_text("Forget it").click()
    page.get_by_role("button", name="Forget the key in this browser").click()
    page.get_by_role("button", name="Make a key in this browser").wait_for()
    page.context.close()


def test_signed_with_the_program_and_uploaded(
    place: Place, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(key_files, "_SCRYPT_N", 1024)
    key = generate_key(Role.PARTY, "rita")
    (tmp_path / "passphrase").write_bytes(b"of rita alone")
    (tmp_path / "rita.key").write_bytes(seal_key(key, b"of rita alone"))
    page = place.visit(browser)
    page.goto(f"{place.node.url}/account/keys")
    page.get_by_label("Public key").fill(key.public.spki_base64)
    page.get_by_role("button", name="Ask for a challenge").click()
    with page.expect_download() as challenge:
        page.get_by_role("link", name="Download").click()
    challenge.value.save_as(tmp_path / "challenge.json")
    assert prove(tmp_path / "challenge.json", tmp_path / "rita.key") == 0
    page.set_input_files("input[type=file]", tmp_path / "challenge.dsse.json")
    page.get_by_role("button", name="Check it and enrol the key").click()
    page.wait_for_url("**/account/keys")
    assert place.cli("party", "accredit", tmp_path / "rita.key", "--role", "reviewer") == 0

    address = bring(place, page, review(place.tree, minutes=63).payload())
    with page.expect_download() as statement:
        page.get_by_role("link", name="Download statement").click()
    statement.value.save_as(tmp_path / "statement.json")
    words = ["--key", tmp_path / "rita.key", "--passphrase-file", tmp_path / "passphrase"]
    assert place.cli("statement", "sign", tmp_path / "statement.json", *words) == 0
    page.set_input_files("#envelope input[type=file]", tmp_path / "statement.dsse.json")
    page.get_by_role("button", name="Check it and have it logged").click()
    page.get_by_role("heading", name="The log's answer").wait_for()
    assert page.url == address

    def accepted() -> bool:
        pack, policy = tmp_path / "e.json", place.folder / "strict.toml"
        place.cli("pack", place.artifact, "--policy", policy, "-o", pack)
        return place.cli("verify", place.artifact, "--pack", pack, "--policy", policy) == 0

    until(accepted)
    page.context.close()


def test_axe_finds_nothing_on_the_pages_in_either_scheme(place: Place, browser: Browser) -> None:
    from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]

    page = place.visit(browser)
    enrol_in_browser(place, page)
    waiting = bring(place, page, review(place.tree, minutes=64).payload()).removeprefix(place.node.url)
    addresses = ["/signing", "/signing/new", "/signing/withdraw", "/account/keys", waiting]
    page.goto(f"{place.node.url}/signing/new")
    for address in addresses:
        page.goto(f"{place.node.url}{address}", wait_until="networkidle")
        assert _violations(Axe().run(page, options={"runOnly": WCAG, "resultTypes": ["violations"]}).response) == [], (
            address
        )
        page.emulate_media(color_scheme="dark")
        dark = page.evaluate("axe.run({ runOnly: ['color-contrast'], resultTypes: ['violations'] })")
        assert _violations(dark) == [], address
        page.emulate_media(color_scheme="light")
    page.context.close()


def test_the_logs_fit_together_afterwards(place: Place) -> None:
    assert place.cli("fsck", place.node.home) == 0


def _violations(result: Any) -> list[tuple[str, str]]:
    return [(item["id"], node["html"]) for item in result["violations"] for node in item["nodes"]]
