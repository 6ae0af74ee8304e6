"""A small OpenID Connect provider on loopback: code flow with PKCE, ES256; honest unless a test says how not."""

from __future__ import annotations

import base64
import hashlib
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

CLIENT = "pellucid"
SECRET = "a secret of the tests"  # noqa: S105 - opens nothing but this provider


class Provider:
    """Knows one client. `claims` are laid over those of each token, None takes one away; `lies` over its configuration.

    `key` signs, `published` is what the key set holds; `token` stands in for the whole token; `pad` lengthens answers.
    """

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}"
        self.key = self.published = ec.generate_private_key(ec.SECP256R1())
        self.claims: dict[str, Any] = {}
        self.lies: dict[str, Any] = {}
        self.token: str | None = None
        self.pad = 0
        self.asked: list[dict[str, str]] = []
        self.refused: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def approve(self, address: str) -> dict[str, str]:
        """Do what a person does there: follow the address the node gave, say yes, and be sent back with these."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        self.asked.append(asked)
        code = f"code-{len(self.asked)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def configuration(self) -> dict[str, Any]:
        """Return OpenID Connect Discovery 1.0 §3."""
        base = self.issuer
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/keys",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            **self.lies,
        }

    def keys(self) -> dict[str, Any]:
        """Return the key set (RFC 7517)."""
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.published.public_key()))
        return {"keys": [{**public, "kid": "1", "alg": "ES256", "use": "sig"}]}

    def answer(self, form: dict[str, str]) -> dict[str, Any] | None:
        """Return tokens for a code, None if the client, the code or the proof of its key (RFC 7636) is wrong."""
        asked = self._codes.pop(form.get("code", ""), None)
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        wanted = base64.urlsafe_b64encode(proof).rstrip(b"=").decode()
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET) or asked is None:
            self.refused.append("client or code")
            return None
        if asked.get("code_challenge") != wanted or asked.get("redirect_uri") != form.get("redirect_uri"):
            self.refused.append("proof or address")
            return None
        return {"access_token": "opens-nothing", "token_type": "Bearer", "id_token": self.token or self._signed(asked)}

    def _signed(self, asked: dict[str, str]) -> str:
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "sub": "rita-there", "iat": now, "exp": now + 300}
        claims |= {"nonce": asked.get("nonce"), "email": "otto@people.example", "email_verified": True, **self.claims}
        kept = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(kept, self.key, algorithm="ES256", headers={"kid": "1"})


class _Door(BaseHTTPRequestHandler):
    server: Any

    def do_GET(self) -> None:
        provider: Provider = self.server.provider
        if self.path.startswith("/authorize?"):
            back = provider.approve(self.path)
            self.send_response(302)
            self.send_header("Location", f"{provider.asked[-1]['redirect_uri']}?{urlencode(back)}")
            self.end_headers()
            return
        pages = {"/.well-known/openid-configuration": provider.configuration, "/keys": provider.keys}
        page = pages.get(self.path)
        self._send(page() if page else None)

    def do_POST(self) -> None:
        form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        self._send(self.server.provider.answer({name: values[0] for name, values in form.items()}))

    def _send(self, body: dict[str, Any] | None) -> None:
        data = json.dumps(body or {"error": "invalid_request"}).encode() + b" " * self.server.provider.pad
        self.send_response(200 if body else 400)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[Provider]:
    """Run a provider for as long as the block lasts."""
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Door)
    server.provider = Provider(server.server_port)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield server.provider
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
