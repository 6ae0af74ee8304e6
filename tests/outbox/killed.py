"""A process on the database of a home: `python killed.py HOME post` fills it, `… deliver` sends what waits in it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))
os.environ["PELLUCID_HOME"] = sys.argv[1]
os.environ["DJANGO_SETTINGS_MODULE"] = "pellucid.site.settings"

import django

django.setup()

from django.core.management import call_command  # noqa: E402 - Django had to be set up first
from tests.outbox.posting import job_ended  # noqa: E402

from pellucid.node import Home  # noqa: E402
from pellucid.outbox.portal import sending  # noqa: E402
from pellucid.outbox.portal.door import post  # noqa: E402
from pellucid.people.portal.models import Account  # noqa: E402


class OnlyItsHome:
    """Mail asks for nothing else of a node."""

    home = Home(Path(sys.argv[1]))


if sys.argv[2] == "post":
    call_command("migrate", verbosity=0)
    rita = Account.objects.create_user("rita@people.example", name="Rita")
    post(job_ended(), [rita.id])
else:
    sending.Sender(OnlyItsHome()).round()  # type: ignore[arg-type]
sys.stdout.write("done\n")
