"""The portal as a WSGI application; `current.serve` says of which node."""

from __future__ import annotations

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "pellucid.site.settings")

application = get_wsgi_application()
