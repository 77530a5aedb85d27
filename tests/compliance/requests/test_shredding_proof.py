"""`manage.py shred --verify`: says yes only where rows and ledger agree, and which keys still open old copies."""

import uuid
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from compliance.evidence import proof
from compliance.evidence.checkpoint import open_note
from compliance.evidence.merkle import verify_inclusion
from compliance.ledger import notes
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import LedgerEntry
from compliance.requests import identities
from compliance.requests.actions.shred import shred
from compliance.requests.models import DeletionRequest, IdentityChallenge, Letter, SealedNote, SubjectVault
from compliance.requests.shredding_proof import inspect
from compliance.requests.states import RequestState
from compliance.vault.key_folder import KeyFolder
from tests.compliance import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings: Settings, tmp_path: Path) -> KeyFolder:
    settings.VAULT_MASTER_KEYS_DIR, settings.VAULT_MASTER_KEY = tmp_path / "vault-keys", b""
    keys = KeyFolder(settings.VAULT_MASTER_KEYS_DIR)
    keys.create()
    return keys


def refused_request() -> DeletionRequest:
    request = cast.brought_to(RequestState.REFUSED).request
    Letter.objects.update(sent_at=request.changed_at)
    text = identities.seal_note(request.vault, f"I am {cast.ALICE}")
    SealedNote.objects.create(request=request, kind="answer", sealed_text=text, created_at=request.changed_at)
    return request


def shredded() -> DeletionRequest:
    request = refused_request()
    shred(request.pk, actor=SYSTEM)
    cast.run_ledger()
    return request


def verify(request_id: uuid.UUID) -> tuple[int, str]:
    """Exit code and output."""
    out = StringIO()
    try:
        call_command("shred", "--verify", str(request_id), stdout=out, stderr=out)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def leave_a_note(request: DeletionRequest) -> None:
    SealedNote.objects.create(request=request, kind="answer", sealed_text=b"x", created_at=request.changed_at)


def leave_a_code(request: DeletionRequest) -> None:
    IdentityChallenge.objects.create(
        request=request, code_hmac="0" * 64, expires_at=request.changed_at, attempts_left=1
    )


def leave(**fields: object) -> Callable[[DeletionRequest], object]:
    return lambda request: SubjectVault.objects.filter(request=request).update(**fields)


LEFTOVERS = {
    "the wrapped key": leave(wrapped_key=b"x"),
    "the identifier": leave(sealed_identifier=b"x"),
    "the commitment key": leave(sealed_commitment_key=b"x"),
    "the pseudonym": leave(pseudonym="0" * 64),
    "no time of shredding": leave(shredded_at=None),
    "a note": leave_a_note,
    "a code": leave_a_code,
}


@pytest.mark.parametrize("damage", [pytest.param(damage, id=name) for name, damage in LEFTOVERS.items()])
def test_what_is_left_over_is_no_proof(damage: Callable[[DeletionRequest], object]) -> None:
    request = shredded()
    damage(request)
    code, said = verify(request.pk)
    assert code == 1
    assert "NOT PROVEN" in said


def test_a_request_that_was_not_shredded_is_not_proven() -> None:
    request = refused_request()
    cast.run_ledger()
    code, said = verify(request.pk)
    assert code == 1
    assert "NOT blank" in said and "no entry" in said and "sealed notes: 1" in said


def test_an_entry_that_is_not_signed_over_yet_is_not_proven() -> None:
    request = refused_request()
    shred(request.pk, actor=SYSTEM)
    assert verify(request.pk)[0] == 1
    cast.run_ledger()
    assert verify(request.pk)[0] == 0


def test_a_blank_row_without_its_entry_is_not_proven() -> None:
    request = refused_request()
    cast.run_ledger()
    leave(
        wrapped_key=b"", sealed_identifier=b"", sealed_commitment_key=b"", pseudonym="", shredded_at=request.changed_at
    )(request)
    SealedNote.objects.all().delete()
    IdentityChallenge.objects.all().delete()
    assert verify(request.pk)[0] == 1


def test_a_request_that_is_not_there_is_said_to_be_none() -> None:
    with pytest.raises(CommandError, match="There is no request"):
        verify(uuid.uuid4())


def test_rows_notes_and_entry_are_shown_and_the_proof_verifies_by_itself() -> None:
    request = shredded()
    code, said = verify(request.pk)
    assert code == 0
    assert f"{request.pk}: shredded" in said and "vault row: blank" in said and cast.MARK not in said
    entry = inspect(request.pk).entry
    assert entry is not None and entry.written.decode() in said
    parsed = proof.parse(entry.written)
    head = open_note(parsed.checkpoint, [notes.vkey_of(parsed.checkpoint)])
    row = LedgerEntry.objects.get(request_id=request.pk, event_type="request.shredded")
    verify_inclusion(bytes.fromhex(row.leaf_sha256), parsed.index, head.size, parsed.path, head.root)


def test_the_key_that_opens_old_copies_is_named_until_it_is_retired(folder: KeyFolder) -> None:
    old = folder.current_id()
    request = shredded()
    assert f"still open under the key {old}" in verify(request.pk)[1]
    new = folder.create().key_id
    folder.make_current(new)
    call_command("rewrap_vault", stdout=StringIO())
    said = verify(request.pk)[1]
    assert f"still open under the key {old}" in said and new in said
    call_command("vault_keys", "retire", old, "--yes", stdout=StringIO())
    code, said = verify(request.pk)
    assert code == 0
    assert f"the key {old}, which wrapped the row last, is not held here any more" in said
