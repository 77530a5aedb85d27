"""The story as one test, in the order in which README follows it: from an HTTP request to verified evidence."""

import logging
import re
import uuid
import zipfile
from io import BytesIO

import pytest
from django.core import mail
from django.db import connection

from compliance.evidence import dsse
from compliance.evidence.verify import verify_bundle
from compliance.ledger.models import LedgerEntry
from compliance.registry.models import LineageRecord, ModelVersion, RegisteredModel
from compliance.registry.pseudonyms import pseudonym_of
from compliance.requests.models import DeletionRequest, Job, Letter
from tests.compliance import cast
from tests.compliance.api.caller import Caller, body_of
from workers import tasks


def caller(authorization: str = "") -> Caller:
    return Caller(authorization)


def test_a_person_is_forgotten_and_an_auditor_can_check_it(
    live: ModelVersion, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    # Alice asks. She gets a token, and the ledger an entry that does not name her.
    receipt = body_of(caller().post("submit", body={"identifier": {"kind": "email", "value": cast.ALICE}}))
    request_id = uuid.UUID(receipt["id"])
    alice = caller(f"Subject {receipt['status_token']}")
    assert body_of(alice.get("request", request_id))["state"] == "received"

    # A worker mails her a code; with it she proves that the address is hers.
    tasks.ask_identity(str(request_id))
    (message,) = mail.outbox
    found = re.search(r"code: (\d{10})", str(message.body))
    assert found is not None
    assert message.to == [cast.ALICE]
    assert body_of(alice.post("identity", request_id, body={"code": found[1]}))["state"] == "under_review"

    # Dana, the DPO, sees what the models hold of her, and approves.
    dana = caller(f"Token {cast.staff_token(cast.dana())}")
    (share,) = body_of(dana.get("staff-scope", request_id))["models"]
    assert share["n_records"] == 12
    assert body_of(dana.post("staff-approve", request_id, body={"ground": "art17_1_b"}))["state"] == "approved"

    # The system plans a job, a worker runs it: unlearn, audit against a retrained control, sign.
    tasks.plan(str(request_id))
    cast.run_ledger()
    tasks.run_job(str(Job.objects.get().pk))
    detail = body_of(dana.get("staff-request", request_id))
    assert detail["state"] == "signoff", detail
    assert {row["audit"]: row["verdict"] for row in detail["targets"][0]["findings"]} == {
        "retrain_equality": "pass",
        "mia_loss": "pass",
    }

    # Dana decided, so she cannot sign off; Bob can. The version without Alice goes into service.
    assert dana.post("staff-sign-off", request_id).status_code == 403
    bob = caller(f"Token {cast.staff_token(cast.bob())}")
    assert body_of(bob.post("staff-sign-off", request_id))["state"] == "completed"
    model = RegisteredModel.objects.select_related("live").get()
    assert model.live is not None
    assert (model.live.parent, model.live.n_records) == (live, live.n_records - 12)
    assert not LineageRecord.objects.filter(
        subject_pseudonym=pseudonym_of("email", cast.ALICE), removed_in=None
    ).exists()

    # A worker signs what it came to, for each model.
    tasks.summarise(str(request_id))

    # She is told, in words that claim no more than the evidence does.
    tasks.send_letter(Letter.objects.get().pk)
    assert "12 of your records" in mail.outbox[-1].body

    # Audrey, the auditor, takes the bundle and verifies it under keys that she pinned.
    cast.run_ledger()
    audrey = caller(f"Token {cast.staff_token(cast.audrey())}")
    keys = {key["purpose"]: key["text"] for key in body_of(audrey.get("audit-keys"))["keys"]}
    bundle = audrey.get("audit-bundle", request_id).content
    report = verify_bundle(
        bundle, log_vkeys=[keys["checkpoint"]], evidence_keys=[dsse.load_public_key(keys["evidence"].encode())]
    )
    assert (report.state, len(report.steps)) == ("completed", 13)

    # There is one entry of each kind, and no trace of Alice in ledger, bundle, logs or database.
    assert_one_of_each_kind(request_id)
    assert_nowhere(bundle, caplog.text)


def assert_one_of_each_kind(request_id: uuid.UUID) -> None:
    kinds = list(
        LedgerEntry.objects.filter(request_id=request_id).order_by("position").values_list("event_type", flat=True)
    )
    # The letter and the summary are made at the same time.
    assert [kind for kind in kinds if kind != "request.notified"] == [
        "request.received",
        "request.identity_requested",
        "request.identity_confirmed",
        "request.approved",
        "request.planned",
        "job.started",
        "job.recorded",
        "findings.recorded",
        "evidence.attached",
        "request.completed",
        # The signed summary.
        "evidence.attached",
    ]
    assert kinds.count("request.notified") == 1


def assert_nowhere(bundle: bytes, log: str) -> None:
    with zipfile.ZipFile(BytesIO(bundle)) as archive:
        contents = b"".join(archive.read(name) for name in archive.namelist())
    pseudonym = DeletionRequest.objects.get().vault.pseudonym
    for trace in (cast.MARK, pseudonym):
        assert trace.encode() not in contents
        assert trace not in log
    assert cast.MARK not in _dump()


def _dump() -> str:
    rows = []
    for table in connection.introspection.table_names():
        with connection.cursor() as cursor:
            cursor.execute(f'SELECT * FROM "{table}"')  # noqa: S608  names that the database itself gave
            rows += [[bytes(cell) if isinstance(cell, memoryview) else cell for cell in row] for row in cursor]
    return repr(rows)
