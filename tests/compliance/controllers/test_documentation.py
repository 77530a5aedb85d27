"""docs/opendsr.md: its examples are run as they stand, and its lists are those of the code."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from django.conf import settings
from pytest_django.live_server_helper import LiveServer

from compliance.api.opendsr.openapi import document
from compliance.opendsr.outcome import Outcome
from compliance.opendsr.statuses import STATUS_OF_STATE
from compliance.requests.models import DeletionRequest
from tests.compliance import cast
from tests.compliance.controllers.caller import Caller
from tests.compliance.controllers.installation import deliver_all, registered, row_of, valid_terms
from tests.compliance.opendsr.authority import DOMAIN, Authority, new_authority, pem_of
from tests.compliance.opendsr.conformance import ITEMS
from tests.compliance.outbound.receiver import receiving

MANUAL = (settings.ROOT / "docs" / "opendsr.md").read_text()


def example(language: str) -> str:
    (found,) = re.findall(rf"```{language}\n(.*?)```", MANUAL, flags=re.DOTALL)
    return str(found)


def test_the_commands_do_what_they_say(
    ledger_db: None, live_server: LiveServer, authority: Authority, tmp_path: Path
) -> None:
    for program in ("bash", "curl", "openssl"):
        if shutil.which(program) is None:
            pytest.skip(f"needs {program}")
    (tmp_path / "authority.pem").write_bytes(pem_of(authority.root.certificate))
    environment = {**os.environ, "PROCESSOR": live_server.url, "DOMAIN": DOMAIN, "TOKEN": registered().token}
    script = f"set -euo pipefail\n{example('sh')}"
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "processor.pem: OK" in done.stdout
    assert "Verified OK" in done.stdout
    assert '"request_status":"pending"' in done.stdout
    assert DeletionRequest.objects.get().state == "withdrawn"


@pytest.mark.django_db
def test_the_python_example_believes_what_is_genuine_and_nothing_else(authority: Authority) -> None:
    names: dict[str, Callable[..., bool]] = {}
    exec(example("python"), names)  # noqa: S102 - our own manual
    is_genuine = names["is_genuine"]
    with receiving() as receiver:
        request_id = Caller(registered().token).created(status_callback_urls=[receiver.url])
        cast.say_no(row_of(request_id).request_id)
        deliver_all()
    (received,) = receiver.received
    own, between = authority.chain(terms=valid_terms())
    roots = [authority.root.certificate]
    headers = dict(received.headers)
    assert is_genuine(received.body, headers, DOMAIN, own, [between], roots)
    stranger = [new_authority("Stranger").root.certificate]
    assert not is_genuine(received.body + b" ", headers, DOMAIN, own, [between], roots)
    assert not is_genuine(received.body, headers, "other.example", own, [between], roots)
    assert not is_genuine(received.body, headers, DOMAIN, own, [between], stranger)
    assert not is_genuine(received.body, {**headers, "x-opendsr-signature": "?"}, DOMAIN, own, [between], roots)


def test_each_check_is_in_the_list_and_each_test_that_it_names_exists() -> None:
    _, _, certification = MANUAL.partition("## Self-certification")
    rows = dict(re.findall(r"^\| ([^|]+) \| (.+) \|$", certification, flags=re.MULTILINE))
    for item in ITEMS:
        assert f"`{item.name}`" in rows[item.of], item.name
    named = re.findall(r"`(tests/[a-z_/]+\.py)`", MANUAL)
    assert len(named) > 10
    assert [path for path in named if not (settings.ROOT / path).exists()] == []


def test_each_state_extension_and_address_is_described() -> None:
    for state, status in STATUS_OF_STATE.items():
        assert re.search(rf"^\|[^|`]*\b{state}\b[^|]*\| `{status}` \|$", MANUAL, flags=re.MULTILINE), state
    for member in Outcome().to_dict():
        assert f"\n| `{member}` |" in MANUAL, member
    for path in document(DOMAIN)["paths"]:
        if path.startswith("/v2"):
            assert path.replace("{subject_request_id}", "{id}") in MANUAL, path
