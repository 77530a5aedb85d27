"""The identifier is in the vault and in what goes to the recipient, and nowhere else; auditors verify all the same."""

import hashlib
import io
import logging
import zipfile
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps

from compliance.evidence.verify_export import verify_export
from compliance.ledger.trust_file import current_trust
from compliance.reports import ledger_export
from compliance.reports.request_bundle import export
from tests.compliance import cast
from tests.compliance.outbound.receiver import Receiver
from tests.compliance.recipients import scene
from tests.compliance.recipients.scene import by_token
from tests.compliance.recipients.test_by_hand import give_up, tell
from tests.compliance.reports.test_request_bundle import verified

pytestmark = pytest.mark.django_db


def traces() -> list[bytes]:
    address = cast.ALICE.encode()
    return [cast.MARK.encode(), hashlib.sha256(address).hexdigest().encode(), hashlib.sha256(address).digest()]


def rows() -> bytes:
    """Every column of every table."""
    found: list[Any] = [row for model in apps.get_models() for row in model._default_manager.values_list()]
    return b"".join(
        bytes(cell) if isinstance(cell, (bytes, memoryview)) else repr(cell).encode() for row in found for cell in row
    )


@pytest.mark.parametrize("form", ["plain", "sha256"])
def test_the_identifier_and_the_token_are_in_no_row_and_no_log(
    form: str, server: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        server.statuses = [500, 204]
        request = scene.waiting()
        notice = scene.owed(request, url=scene.url_of(server), identifier_form=form)
        scene.sent(notice)
        found = scene.read_one(server, notice)
        scene.answer(notice, by_token(found))
        give_up(scene.owed(request, "Gone"))
        cast.run_ledger()
    kept = rows()
    token = found.notice["acknowledgement"]["token"].encode()
    assert any(trace in found.payload for trace in traces()), "the recipient must know whom to erase"
    for trace in [*traces(), token, found.payload]:
        assert trace not in kept
        assert trace not in caplog.text.encode()


def test_bundle_and_export_verify_with_every_event_of_recipients(server: Receiver, tmp_path: Path) -> None:
    request = scene.waiting()
    notice = scene.owed(request, url=scene.url_of(server))
    found = scene.read_one(server, notice)
    tell(scene.owed(request, "Archive"))
    give_up(scene.owed(request, "Gone"))
    cast.second_signature(request.pk)
    scene.answer(notice, by_token(found))
    cast.run_ledger()
    data = export(request.pk)
    report = verified(data)
    assert report.state == "completed"
    folder = ledger_export.export(tmp_path / "export", [request.pk])
    verify_export(folder, trust=current_trust(), n_processes=1)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        contents = b"".join(archive.read(name) for name in archive.namelist())
    for trace in traces():
        assert trace not in contents
    request.refresh_from_db()
    scene.shredded(request)
    other = scene.answer(notice, by_token(found))
    assert other.status_code == 200
    cast.run_ledger()
    verify_export(ledger_export.export(tmp_path / "later", [request.pk]), trust=current_trust(), n_processes=1)
