"""What an auditor takes home, and that it verifies without the server."""

from dataclasses import replace

import pytest

from compliance.evidence import bundle, checkpoint
from compliance.evidence.dsse import load_public_key
from compliance.evidence.verify import verify_bundle
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.api.caller import body_of, refused, staff
from tests.compliance.api.rows import snapshot

pytestmark = pytest.mark.django_db


def test_no_bundle_while_entries_wait_for_the_ledger() -> None:
    alices = cast.ask()
    refused(staff(cast.audrey()).get("audit-bundle", alices.request.pk), 409, "not_ready")
    cast.run_ledger()
    assert staff(cast.audrey()).get("audit-bundle", alices.request.pk).status_code == 200
    cast.mail_code(alices.request.pk)
    refused(staff(cast.audrey()).get("audit-bundle", alices.request.pk), 409, "not_ready")


def test_no_bundle_of_a_request_that_does_not_exist() -> None:
    unknown = "00000000-0000-4000-8000-00000000beef"
    refused(staff(cast.audrey()).get("audit-bundle", unknown), 404, "not_found")


def test_no_checkpoint_before_one_was_signed() -> None:
    refused(staff(cast.audrey()).get("audit-checkpoint"), 409, "not_ready")


def test_the_bundle_verifies_with_the_keys_that_the_api_names() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(RequestState.COMPLETED)
    cast.run_ledger()
    audrey = staff(cast.audrey())
    keys = body_of(audrey.get("audit-keys"))["keys"]
    response = audrey.get("audit-bundle", alices.request.pk)
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == f'attachment; filename="expunge-{alices.request.pk}.zip"'
    assert "no-store" in response["Cache-Control"]
    report = verify_bundle(
        response.content,
        log_vkeys=[key["text"] for key in keys if key["purpose"] == "checkpoint"],
        evidence_keys=[load_public_key(key["text"].encode()) for key in keys if key["purpose"] == "evidence"],
    )
    assert report.request == str(alices.request.pk)


def test_taking_a_bundle_changes_nothing_and_gives_the_same_twice() -> None:
    cast.model_of("spam-filter", cast.ALICE)
    alices = cast.brought_to(RequestState.SIGNOFF)
    cast.run_ledger()
    before = snapshot()
    first, second = (bundle.read(staff(cast.audrey()).get("audit-bundle", alices.request.pk).content) for _ in range(2))
    assert first == replace(second, exported_at=first.exported_at)
    assert snapshot() == before


def test_the_checkpoint_is_the_newest_note() -> None:
    cast.ask()
    cast.run_ledger()
    audrey = staff(cast.audrey())
    response = audrey.get("audit-checkpoint")
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    (vkey,) = [key["text"] for key in body_of(audrey.get("audit-keys"))["keys"] if key["purpose"] == "checkpoint"]
    first = checkpoint.open_note(response.content, [vkey])
    cast.ask(cast.CHARLIE)
    cast.run_ledger()
    second = checkpoint.open_note(audrey.get("audit-checkpoint").content, [vkey])
    assert second.size > first.size > 0


def test_the_list_for_auditors_holds_states_and_dates_alone() -> None:
    cast.ask()
    (row,) = body_of(staff(cast.audrey()).get("audit-requests"))["results"]
    assert set(row) == {"id", "state", "received_at", "changed_at", "decided_at", "closed_at"}
