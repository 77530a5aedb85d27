"""docs/api.md: its walk is walked, and its tables are those of the code."""

import os
import re
import subprocess
import uuid

from django.conf import settings
from pytest_django.live_server_helper import LiveServer
from rest_framework.throttling import ScopedRateThrottle

from compliance.api.clients.actions.register import register
from compliance.api.clients.scopes import Scope
from compliance.api.urls import urlpatterns
from compliance.requests.models import DeletionRequest
from tests.compliance import cast
from tests.compliance.api.test_authorisation import PEOPLE, TABLE, Endpoint

MANUAL = (settings.ROOT / "docs" / "api.md").read_text()


def _address(endpoint: Endpoint) -> str:
    """Its path, with names in place of ids, as the schema writes it."""
    (route,) = {str(pattern.pattern) for pattern in urlpatterns if pattern.name == endpoint.name}
    return re.sub(r"<uuid:(\w+)>", r"{\1}", route)


def _rows() -> list[str]:
    head = ["| | " + " | ".join(PEOPLE) + " |", "| --- " * (len(PEOPLE) + 1) + "|"]
    return head + [
        f"| `{endpoint.method} {_address(endpoint)}` | " + " | ".join(map(str, endpoint.statuses)) + " |"
        for endpoint in TABLE
    ]


def test_its_table_of_who_may_call_what_is_the_one_that_is_tested() -> None:
    """The failure shows the table to paste."""
    _, _, table = MANUAL.partition("<!-- the table of tests/compliance/api/test_authorisation.py -->\n\n")
    assert table.strip().splitlines() == _rows(), "\n".join(_rows())


def test_it_names_every_scope_and_every_rate() -> None:
    for scope in Scope:
        assert f"| `{scope.value}` |" in MANUAL
    for rate in ScopedRateThrottle.THROTTLE_RATES:
        # OpenDSR has a manual of its own.
        assert rate == "opendsr" or f"`{rate}`" in MANUAL.partition("## Limits")[2]


def test_its_walk_can_be_walked(ledger_db: None, live_server: LiveServer) -> None:
    bob = cast.bob()
    bob.set_password("correct horse battery staple")
    bob.save()
    registered = register("erp", ["operator"], ["requests:read"])
    (script,) = re.findall(r"```sh\n(.*?)```", MANUAL, flags=re.DOTALL)
    run = subprocess.run(
        ["sh", "-c", script],
        env={
            "PATH": os.environ["PATH"],
            "BASE": live_server.url,
            "KEY": str(uuid.uuid4()),
            "STAFF_USER": "bob",
            "STAFF_PASSWORD": "correct horse battery staple",
            "CLIENT_ID": registered.client_id,
            "CLIENT_SECRET": registered.secret,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    lines = run.stdout.splitlines()
    assert lines[0].startswith("Level 1 is needed.")
    assert (lines[1], lines[-1]) == ("under_review", "withdrawn")
    assert '"code":"insufficient_scope"' in run.stdout
    assert {row.channel for row in DeletionRequest.objects.all()} == {"api", "portal"}
    assert DeletionRequest.objects.count() == 2
