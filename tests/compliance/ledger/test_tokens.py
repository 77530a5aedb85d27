"""A stored time stamp counts only as an auditor would take it: over the right bytes, by a configured authority."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.evidence.rekord import parse_hashedrekord
from compliance.ledger import timestamping, tokens
from compliance.ledger.models import CheckpointTimestamp, EvidenceTimestamp, LedgerEntry
from compliance.reports import request_files
from compliance.requests.states import RequestState
from tests.compliance import cast
from tests.compliance.evidence import stamping
from tests.compliance.evidence.stamping import Authority
from tests.compliance.ledger.growing import grow_to

AT = datetime(2026, 11, 25, tzinfo=UTC)


@pytest.fixture
def authority(settings: Settings, tmp_path: Path) -> Authority:
    made = stamping.new_authority()
    settings.TSA_CERTIFICATES_PATH = tmp_path / "authority.pem"
    settings.TSA_CERTIFICATES_PATH.write_text("".join(made.pems))
    return made


def test_what_is_no_token_over_these_bytes_has_no_time(authority: Authority) -> None:
    other = stamping.new_authority()
    genuine = authority.stamp(b"data", AT)
    for token in (b"", b"Anna Example", genuine[:-1], authority.stamp(b"other data", AT), other.stamp(b"data", AT)):
        assert tokens.verified_at(token, b"data", [authority.pems]) is None
    assert tokens.verified_at(genuine, b"data", []) is None
    assert tokens.verified_at(genuine, b"data", [other.pems, authority.pems]) == AT
    known = timestamping.HttpAuthority("http://127.0.0.1/", [authority.pems])
    assert known.verified_at(genuine, b"data") == AT
    assert known.verified_at(genuine, b"other data") is None


def test_without_certificates_that_can_be_read_nothing_counts(authority: Authority, settings: Settings) -> None:
    genuine = authority.stamp(b"data", AT)
    assert tokens.that_verify([b"x", genuine], b"data") == (genuine,)
    settings.TSA_CERTIFICATES_PATH.write_text("no certificate")
    assert tokens.that_verify([genuine], b"data") == ()
    settings.TSA_CERTIFICATES_PATH = None
    assert tokens.that_verify([genuine], b"data") == ()


@pytest.mark.django_db
def test_the_token_of_a_checkpoint_is_the_first_that_verifies(authority: Authority) -> None:
    head = grow_to(3)
    assert tokens.of_checkpoint(head) is None
    genuine = [authority.stamp(bytes(head.note), AT) for _ in range(2)]
    for token in (b"x", *genuine):
        CheckpointTimestamp.objects.create(checkpoint=head, token=token, stamped_at=AT)
    assert tokens.of_checkpoint(head) == genuine[0]


@pytest.mark.django_db
def test_a_row_that_is_no_token_does_not_get_into_the_files_of_a_request(authority: Authority) -> None:
    """One wrong token in a bundle, and an auditor refuses all of it."""
    cast.model_of("spam-filter", cast.ALICE)
    request_id = cast.brought_to(RequestState.SIGNOFF).request.pk
    cast.run_ledger()
    entry = LedgerEntry.objects.get(kind="evidence")
    genuine = authority.stamp(parse_hashedrekord(bytes(entry.leaf)).signature, AT)
    for token in (b"x", genuine, stamping.new_authority().stamp(b"x", AT)):
        EvidenceTimestamp.objects.create(leaf_sha256=entry.leaf_sha256, token=token, stamped_at=AT)
    assert request_files.collect(request_id).timestamps == {entry.leaf_sha256: (genuine,)}
