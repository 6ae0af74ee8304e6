"""Take the pictures of a release's page: run the demo in a folder of its own, and look with a browser.

Left out of the pictures are how long ago things were and the commands with this machine's address.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from playwright.sync_api import sync_playwright

HERE = Path(__file__).parent
HIDDEN = ".ago, article figure.command { display: none }"


def main() -> None:
    """Write release.png and release-dark.png beside this file."""
    with tempfile.TemporaryDirectory() as home:
        demo = subprocess.Popen(
            [sys.executable, "-m", "pellucid.cli", "demo", "--home", f"{home}/demo"], stderr=subprocess.PIPE, text=True
        )
        try:
            take(next(line.split()[0] for line in demo.stderr or () if "Example Vendor," in line))
        finally:
            demo.terminate()
            demo.wait()


def take(vendor: str) -> None:
    """Take the newer release of the product on the vendor's node at `vendor`."""
    with urllib.request.urlopen(f"{vendor}/products/pyjwt.json") as answer:  # noqa: S310 - our own node
        release = json.load(answer)["releases"][0]["href"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for scheme, name in (("light", "release.png"), ("dark", "release-dark.png")):
            page = browser.new_page(color_scheme=scheme, viewport={"width": 1280, "height": 900}, bypass_csp=True)  # type: ignore[arg-type]
            page.goto(vendor + release)
            page.add_style_tag(content=HIDDEN)
            height = page.locator("#reviews > article").first.evaluate("it => it.getBoundingClientRect().bottom + 10")
            clip = {"x": 0, "y": 0, "width": 1280, "height": height}
            page.screenshot(path=HERE / name, full_page=True, clip=clip)  # type: ignore[arg-type]
        browser.close()


if __name__ == "__main__":
    main()
