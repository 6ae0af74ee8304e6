"""What holds for all pages: twins, headers, errors, and no need of scripts."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable

import pytest
from django.test import Client
from tests.site.sample import Sample
from tests.site.sample_world import LOG, PAUL, RITA, TREE_1, digest

EVIDENCE = [
    "/",
    "/products",
    "/products/Example%20Agent",
    "/products/Example%20Tool/1",
    "/log",
    f"/logs/{LOG}",
    f"/logs/{LOG}/entries/3",
    f"/logs/{LOG}/proof?index=3",
    "/nodes",
    f"/parties/{RITA}",
    f"/digest/{TREE_1}",
    "/search?q=a",
]


@pytest.mark.parametrize("address", EVIDENCE)
def test_each_evidence_page_has_a_json_twin_that_it_names(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    found = re.search(r'<link rel="alternate" type="application/json" href="([^"]+)"', page)
    assert found is not None
    twin = client.get(found[1].replace("&amp;", "&"))
    assert twin.status_code == 200
    assert twin.headers["Content-Type"] == "application/json"
    model = json.loads(twin.content)
    assert model["title"] in page
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", model["as_of"])


def test_the_twin_of_a_release_says_what_the_page_says(client: Client, world: Sample) -> None:
    record = world.marks["debt"]
    model = client.get(f"/releases/{record.id}.json").json()
    assert model["known"].endswith("its source was last reviewed 1,204 changed lines ago.")
    assert [step["state"] for step in model["chain"]] == ["good", "attention", "unknown", "good", "good"]
    assert model["reviews"][0]["debt_lines"] == 1204
    assert model["reviews"][0]["paid_by"] == "a customer"


@pytest.mark.parametrize(
    "address", ["/nope.json", f"/releases/{'0' * 64}.json", "/check.json", f"/parties/{'0' * 64}.json"]
)
def test_a_twin_of_nothing_is_a_404_in_json(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert response.json()["error"]["where"] == address


@pytest.mark.parametrize(
    "address",
    [
        "/nope",
        "/releases/xyz",
        "/products/none",
        f"/logs/{'0' * 64}",
        f"/logs/{LOG}/entries/99999",
        f"/logs/{LOG}/entries/{'9' * 40}",
        f"/statements/{digest('x')}",
        "/digest/abc",
    ],
)
def test_what_is_not_known_is_a_404_in_the_same_dress(client: Client, address: str) -> None:
    response = client.get(address)
    assert response.status_code == 404
    assert b"Nothing is known here by that name" in response.content
    assert b'class="brand"' in response.content


def test_a_host_that_is_not_ours_is_a_400(client: Client) -> None:
    response = client.get("/", SERVER_NAME="evil.example")
    assert response.status_code == 400
    assert b"That could not be read" in response.content


def test_a_fault_of_the_node_is_a_500_in_the_same_dress(serve: Callable[[Sample], Client]) -> None:
    class Broken(Sample):
        def counts(self) -> dict[str, int]:
            raise OSError("disk")

    client = serve(Broken())
    client.raise_request_exception = False
    response = client.get("/")
    assert response.status_code == 500
    assert b"Something broke here" in response.content
    assert client.get("/index.json").json()["error"]["what"] == "it could not be answered"


def test_pages_are_only_read(client: Client) -> None:
    assert client.post("/").status_code in (403, 405)
    assert client.head("/log").status_code == 200


def test_headers_allow_nothing_inline_and_nothing_from_elsewhere(client: Client, world: Sample) -> None:
    for address in [*EVIDENCE, "/check", "/nope", f"/releases/{world.marks['debt'].id}"]:
        response = client.get(address)
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'self'" in policy
        assert "unsafe" not in policy
        assert response.headers["X-Content-Type-Options"] == "nosniff"
        assert response.headers["X-Frame-Options"] == "DENY"
        assert not response.cookies
        body = response.content.decode()
        assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son\w+=", body), address
        assert not re.search(
            r'(?:src|href)="(?:https?:)?//', body.replace('href="https://', "", 3 * (address == "/nodes"))
        ), address


def test_static_files_are_served_and_may_be_kept_for_ever(client: Client) -> None:
    page = client.get("/").content.decode()
    for address in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        response = client.get(address)
        assert response.status_code == 200, address
        assert "max-age=31536000" in response.headers["Cache-Control"]


def test_headings_ids_and_labels_are_in_order(client: Client, world: Sample) -> None:
    for address in [*EVIDENCE, "/check", f"/releases/{world.marks['first'].id}", f"/parties/{PAUL}"]:
        body = client.get(address).content.decode()
        ids = re.findall(r'\sid="([^"]+)"', body)
        assert len(ids) == len(set(ids)), address
        assert len(re.findall(r"<h1[ >]", body)) == 1, address
        for target in re.findall(r'aria-labelledby="([^"]+)"', body):
            assert set(target.split()) <= set(ids), (address, target)


def test_deployment_checks_are_clean_behind_https() -> None:
    code = "import sys; from django.core.management import execute_from_command_line as run; run(sys.argv)"
    asked = ["check", "--deploy", "--fail-level", "WARNING"]
    env = {"DJANGO_SETTINGS_MODULE": "pellucid.site.settings", "PELLUCID_HTTPS": "1", "PELLUCID_HOSTS": "node.example"}
    done = subprocess.run([sys.executable, "-c", code, *asked], env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
