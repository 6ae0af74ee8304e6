"""A host that pip trusts without a certificate is that host, and no longer name that begins like it."""

from __future__ import annotations

import pytest

from pellucid.demo.product import PipSettings


@pytest.mark.parametrize(
    ("url", "trusted"),
    [
        ("https://packages.example/simple", True),
        ("https://user@packages.example:8443/simple", True),
        ("https://packages.example.evil.example/simple", False),
        ("https://other.example/packages.example", False),
        ("https://ports.example:1/simple", True),
        ("https://ports.example:12/simple", False),
    ],
)
def test_only_the_host_that_was_named_is_trusted(url: str, trusted: bool) -> None:
    settings = PipSettings(trusted_hosts=frozenset({"packages.example", "ports.example:1"}))
    assert settings.trusts(url) is trusted
