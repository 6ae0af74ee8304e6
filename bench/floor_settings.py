"""The portal's settings with other addresses."""

from __future__ import annotations

from pellucid.site.settings import *  # noqa: F403 - the same middleware is the point

ROOT_URLCONF = "bench.floor_urls"
