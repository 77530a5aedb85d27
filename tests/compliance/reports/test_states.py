"""A request verifies in every state it can be in, alone and in the export of the whole ledger, disclosed or not."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.evidence.verify import verify_bundle
from compliance.evidence.verify_export import verify_export
from compliance.ledger.actors import SYSTEM
from compliance.ledger.trust_file import current_trust
from compliance.reports import ledger_export, request_bundle
from compliance.requests.actions.shred import shred
from compliance.requests.models import Letter
from compliance.requests.states import TERMINAL, RequestState
from tests.compliance import cast

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("state", RequestState, ids=str)
def test_it_verifies_as_it_is(state: RequestState, tmp_path: Path) -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(state).request
    cast.run_ledger()
    verify_bundle(request_bundle.export(request.pk), trust=current_trust())
    for name, disclosed in (("open", [request.pk]), ("closed", [])):
        folder = ledger_export.export(tmp_path / name, disclosed)
        report = verify_export(folder, trust=current_trust(), n_processes=1)
        assert [line.is_disclosed for line in report.requests] == [name == "open"]


@pytest.mark.parametrize("state", sorted(TERMINAL), ids=str)
def test_it_verifies_once_it_was_shredded(state: RequestState, tmp_path: Path) -> None:
    cast.model_of("spam", cast.ALICE)
    request = cast.brought_to(state).request
    Letter.objects.update(sent_at=datetime.now(tz=UTC))
    shred(request.pk, actor=SYSTEM)
    cast.run_ledger()
    verify_bundle(request_bundle.export(request.pk), trust=current_trust())
    verify_export(ledger_export.export(tmp_path / "export", [request.pk]), trust=current_trust(), n_processes=1)
