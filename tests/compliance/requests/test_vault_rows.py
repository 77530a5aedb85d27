"""Rows of the vault: what does not open, what a broken key service does, and that no identifier goes anywhere else."""

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.db.transaction import TransactionManagementError
from django.urls import reverse
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings
from rest_framework.test import APIClient

from compliance.ledger.models import PendingEntry
from compliance.requests import identities
from compliance.requests.errors import NotReadyError
from compliance.requests.models import DeletionRequest, SubjectVault
from compliance.vault import sealing
from compliance.vault.errors import KeyRingError, VaultError
from compliance.vault.key_folder import KeyFolder
from compliance.vault.local_key import LocalKey
from tests.compliance import cast
from tests.services import transit
from tests.services.transit import Transit

pytestmark = pytest.mark.django_db
READERS = (identities.identifier, identities.commitment_key)


def vault_of(email: str = cast.ALICE) -> SubjectVault:
    return SubjectVault.objects.get(request=cast.ask(email).request)


@pytest.fixture
def service(settings: Settings) -> Iterator[Transit]:
    """A key service that wraps from now on."""
    with transit.running() as running:
        settings.KEY_SERVICE_ADDRESS = running.address
        settings.KEY_SERVICE_TOKEN, settings.KEY_SERVICE_TOKEN_PATH = transit.TOKEN, None
        settings.VAULT_MASTER_KEY_URIS = ("hv:expunge/1",)
        yield running


FIELDS = ("wrapped_key", "sealed_identifier", "sealed_commitment_key")


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_moved_to_another_row_does_not_open(field: str) -> None:
    alices, charlies = vault_of(), vault_of(cast.CHARLIE)
    setattr(charlies, field, getattr(alices, field))
    with pytest.raises(VaultError):
        [read(charlies) for read in READERS]


def test_a_whole_row_that_is_given_to_another_request_does_not_open() -> None:
    alices, charlies = vault_of(), vault_of(cast.CHARLIE)
    alices.request_id = charlies.request_id
    for read in READERS:
        with pytest.raises(VaultError):
            read(alices)


def test_what_is_sealed_for_one_purpose_opens_for_no_other() -> None:
    vault = vault_of()
    note = identities.seal_note(vault, "words")
    vault.sealed_identifier, vault.sealed_commitment_key = vault.sealed_commitment_key, vault.sealed_identifier
    for read in READERS:
        with pytest.raises(VaultError):
            read(vault)
    for sealed in (vault.sealed_identifier, vault.sealed_commitment_key, vault.wrapped_key, b""):
        with pytest.raises(VaultError):
            identities.open_note(vault, sealed)
    vault.sealed_identifier = note
    with pytest.raises(VaultError):
        identities.identifier(vault)


def test_a_note_opens_for_its_own_request_alone() -> None:
    vault, other = vault_of(), vault_of()
    with pytest.raises(VaultError):
        identities.open_note(other, identities.seal_note(vault, "words"))


def test_under_another_master_key_nothing_opens_and_the_message_names_the_missing_one(settings: Settings) -> None:
    vault = vault_of()
    settings.VAULT_MASTER_KEY = sealing.new_key()
    for read in READERS:
        with pytest.raises(VaultError, match=vault.master_key_id):
            read(vault)
    vault.master_key_id = LocalKey(settings.VAULT_MASTER_KEY).key_id
    with pytest.raises(VaultError):
        identities.identifier(vault)


def test_a_folder_without_a_key_takes_no_request_and_stores_nothing(settings: Settings, tmp_path: Path) -> None:
    settings.VAULT_MASTER_KEYS_DIR = tmp_path / "none"
    with pytest.raises(KeyRingError, match="vault_keys create"):
        cast.ask()
    assert not DeletionRequest.objects.exists()
    assert not PendingEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_outside_the_transaction_that_stores_the_row_nothing_is_sealed() -> None:
    request = cast.ask().request
    with pytest.raises(TransactionManagementError, match="inside the transaction"):
        identities.seal(request, "email", cast.ALICE, bytes(32))


def test_a_key_service_that_is_down_takes_no_request_and_loses_none(service: Transit) -> None:
    vault = vault_of()
    service.failure = 503
    with pytest.raises(NotReadyError, match="Try again later"):
        cast.ask(cast.CHARLIE)
    for read in READERS:
        with pytest.raises(identities.VaultNotReadyError):
            read(vault)
    assert DeletionRequest.objects.count() == SubjectVault.objects.count() == PendingEntry.objects.count() == 1
    service.failure = None
    assert identities.identifier(vault) == cast.ALICE


def test_the_api_says_that_it_is_not_ready_while_the_key_service_is_down(service: Transit) -> None:
    service.failure = 503
    body = {"identifier": {"kind": "email", "value": cast.ALICE}, "ground": "art17_1_b"}
    answer = APIClient().post(reverse("api:submit"), body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (503, "not_ready")
    assert cast.MARK not in answer.content.decode()


def test_a_row_from_before_keys_had_ids_opens_under_the_key_of_the_environment(
    settings: Settings, tmp_path: Path
) -> None:
    vault = vault_of()
    SubjectVault.objects.update(master_key_id="")
    vault.refresh_from_db()
    settings.VAULT_MASTER_KEYS_DIR = tmp_path / "keys"
    KeyFolder(settings.VAULT_MASTER_KEYS_DIR).create()
    assert identities.identifier(vault) == cast.ALICE


def test_a_row_names_the_key_that_wraps_it() -> None:
    assert vault_of().master_key_id == LocalKey(django_settings.VAULT_MASTER_KEY).key_id


@hypothesis_settings(max_examples=40)
@given(st.text(alphabet=st.characters(codec="utf-8"), max_size=300))
def test_a_note_comes_back_as_it_was(text: str) -> None:
    request = DeletionRequest()
    vault = identities.seal(request, "email", cast.ALICE, identities.new_commitment_key())
    assert identities.open_note(vault, memoryview(identities.seal_note(vault, text))) == text
    assert identities.identifier(vault) == cast.ALICE


def test_no_failure_of_the_vault_shows_the_identifier_or_a_key(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    vault = vault_of()
    said = []
    for change in ({"wrapped_key": bytes(60)}, {"sealed_identifier": bytes(60)}, {"master_key_id": "0" * 16}):
        broken = SubjectVault.objects.get(pk=vault.pk)
        for field, value in change.items():
            setattr(broken, field, value)
        with pytest.raises(VaultError) as failed:
            identities.identifier(broken)
        said += [str(failed.value), repr(failed.value), str(failed.value.__cause__)]
    key = settings.VAULT_MASTER_KEY
    for secret in (cast.MARK, repr(key)[2:12], key.hex()[:12]):
        assert all(secret not in text for text in (*said, caplog.text))
