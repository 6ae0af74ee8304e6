"""A package index on this machine, with a small product of two releases, and how the demonstration is run with it."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tarfile
import threading
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

NAME, OLD, NEW = "tiny-guard", "1.0", "1.1"


@dataclass
class Index:
    """What the index serves: files by name, the hashes it claims, and which versions are yanked."""

    files: dict[str, bytes] = field(default_factory=dict)
    claimed: dict[str, str] = field(default_factory=dict)
    yanked: set[str] = field(default_factory=set)
    url: str = ""

    def add(self, name: str, data: bytes) -> None:
        """Serve a file under its true hash."""
        self.files[name] = data
        self.claimed[name] = hashlib.sha256(data).hexdigest()

    def page(self) -> bytes:
        """Return the project's page."""
        files = [
            {"filename": name, "url": f"{self.url}/files/{name}", "hashes": {"sha256": self.claimed[name]}}
            | ({"yanked": True} if name in self.yanked else {})
            for name in self.files
        ]
        return json.dumps({"meta": {"api-version": "1.0"}, "name": NAME, "files": files}).encode()


def source_archive(version: str, lines: int) -> bytes:
    """Return a source archive of the product, always the same."""
    out = io.BytesIO()
    root = f"tiny_guard-{version}"
    code = "".join(f"RULE_{n} = {n}\n" for n in range(lines))
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=6) as tar:
        for name, text in (("README", f"An example product, {version}.\n"), ("tiny_guard.py", code)):
            member = tarfile.TarInfo(f"{root}/{name}")
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    return out.getvalue()


def wheel(version: str, lines: int) -> bytes:
    """Return a wheel of the product."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("tiny_guard.py", "".join(f"RULE_{n} = {n}\n" for n in range(lines)))
        archive.writestr(f"tiny_guard-{version}.dist-info/METADATA", f"Name: tiny-guard\nVersion: {version}\n")
    return out.getvalue()


@contextmanager
def serving() -> Iterator[Index]:
    """Serve the product of two releases."""
    found = Index()
    for version, lines in ((OLD, 20), (NEW, 23)):
        found.add(f"tiny_guard-{version}.tar.gz", source_archive(version, lines))
        found.add(f"tiny_guard-{version}-py3-none-any.whl", wheel(version, lines))

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.rpartition("/")[2]
            data = found.page() if self.path == f"/simple/{NAME}/" else found.files.get(name)
            self.send_response(404 if data is None else 200)
            kind = "application/vnd.pypi.simple.v1+json" if self.path.startswith("/simple/") else "application/zip"
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data or b"")))
            self.end_headers()
            self.wfile.write(data or b"")

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield found
    server.shutdown()


def settings(index: Index | None) -> Mapping[str, str]:
    """Return an environment in which pip is set to the index, or to none."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("PIP_")}
    chosen = {"PIP_NO_INDEX": "1"} if index is None else {"PIP_INDEX_URL": f"{index.url}/simple/"}
    return {**kept, "PIP_CONFIG_FILE": os.devnull, **chosen}


def pellucid(*words: str | Path, index: Index | None = None) -> subprocess.CompletedProcess[str]:
    """Run the program as a process of its own."""
    command = [sys.executable, "-m", "pellucid.cli", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, env=settings(index), check=False, timeout=280)
