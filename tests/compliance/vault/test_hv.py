"""Keys in a transit engine, against a server with its meaning: no real Vault runs here."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.vault import plugins, sealing
from compliance.vault.errors import KeyRingError, KeyServiceError, VaultError
from compliance.vault.wrapping import id_of_uri
from tests.services import transit
from tests.services.transit import Transit

DATA_KEY, CONTEXT = sealing.new_key(), b"row 1"
URI = "hv:expunge/1"


@pytest.fixture
def service(settings: Settings) -> Iterator[Transit]:
    with transit.running() as running:
        settings.KEY_SERVICE_ADDRESS = running.address
        settings.KEY_SERVICE_TOKEN, settings.KEY_SERVICE_TOKEN_PATH = transit.TOKEN, None
        yield running


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_service_that_is_not_ready_is_worth_another_try(service: Transit, status: int) -> None:
    key = plugins.open_uri(URI)
    wrapped = key.wrap(DATA_KEY, CONTEXT)
    service.failure = status
    with pytest.raises(KeyServiceError, match=str(status)):
        key.wrap(DATA_KEY, CONTEXT)
    with pytest.raises(KeyServiceError, match=str(status)):
        key.unwrap(wrapped, CONTEXT)
    service.failure = None
    assert key.unwrap(wrapped, CONTEXT) == DATA_KEY


def test_a_service_that_is_not_there_is_worth_another_try_and_its_error_shows_no_key(
    service: Transit, settings: Settings
) -> None:
    settings.KEY_SERVICE_ADDRESS = "http://127.0.0.1:1"
    with pytest.raises(KeyServiceError, match="ConnectionRefusedError") as failed:
        plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)
    assert failed.value.__cause__ is None


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 403, 404])
def test_a_service_that_refuses_is_a_matter_of_settings_and_leads_nowhere_else(service: Transit, status: int) -> None:
    service.failure = status
    with pytest.raises(KeyRingError, match=str(status)):
        plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)


@pytest.mark.parametrize(
    "answer", [b"", b"<html>", b"[]", b"{}", b'{"data": 1}', b'{"data": {}}', b'{"data": {"plaintext": 1}}']
)
def test_an_answer_of_another_form_is_refused(service: Transit, answer: bytes) -> None:
    key = plugins.open_uri(URI)
    wrapped = key.wrap(DATA_KEY, CONTEXT)
    service.raw_answer = answer
    with pytest.raises(KeyRingError):
        key.wrap(DATA_KEY, CONTEXT)
    with pytest.raises(KeyRingError):
        key.unwrap(wrapped, CONTEXT)


def test_a_key_that_another_token_name_or_version_asks_for_is_refused(service: Transit, settings: Settings) -> None:
    for uri in ("hv:another/1", "hv:expunge/2"):
        with pytest.raises(KeyRingError):
            plugins.open_uri(uri).wrap(DATA_KEY, CONTEXT)
    settings.KEY_SERVICE_TOKEN = "stolen"
    with pytest.raises(KeyRingError, match="403"):
        plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)


@pytest.mark.parametrize("address", ["", "http://vault.example:8200", "http://192.0.2.1"])
def test_a_data_key_is_sent_in_clear_to_no_other_machine(service: Transit, settings: Settings, address: str) -> None:
    settings.KEY_SERVICE_ADDRESS = address
    with pytest.raises(KeyRingError, match="VAULT_ADDR"):
        plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)


@pytest.mark.parametrize("token", ["", "two\nlines", "tökén"])
def test_a_token_that_is_none_is_not_sent(service: Transit, settings: Settings, token: str) -> None:
    settings.KEY_SERVICE_TOKEN = token
    with pytest.raises(KeyRingError, match="VAULT_TOKEN"):
        plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)
    assert service.asked == []


def test_a_wrapped_key_opens_for_its_row_alone_although_the_service_knows_no_rows(service: Transit) -> None:
    key = plugins.open_uri(URI)
    wrapped = key.wrap(DATA_KEY, CONTEXT)
    assert key.unwrap(wrapped, CONTEXT) == DATA_KEY
    with pytest.raises(VaultError, match="another row"):
        key.unwrap(wrapped, b"row 2")
    for changed in (b"", wrapped[:-8], b"vault:v1:AAAA", wrapped.replace(b"v1", b"v2"), b"\xff" + wrapped):
        with pytest.raises(VaultError):
            key.unwrap(changed, CONTEXT)


def test_each_version_is_a_key_of_its_own_and_a_retired_one_opens_nothing(service: Transit) -> None:
    old, old_wrapped = plugins.open_uri(URI), plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)
    service.add_version()
    new = plugins.open_uri("hv:expunge/2")
    assert old.key_id == id_of_uri(URI) != new.key_id
    assert old.unwrap(old_wrapped, CONTEXT) == DATA_KEY, "the older version still opens"
    assert old.wrap(DATA_KEY, CONTEXT).startswith(b"vault:v1:"), "and wraps under itself, not under the newest"
    new_wrapped = new.wrap(DATA_KEY, CONTEXT)
    service.min_decryption_version = 2
    with pytest.raises(VaultError, match="retired"):
        old.unwrap(old_wrapped, CONTEXT)
    assert new.unwrap(new_wrapped, CONTEXT) == DATA_KEY


def test_a_token_in_a_file_is_read_anew_each_time(service: Transit, settings: Settings, tmp_path: Path) -> None:
    settings.KEY_SERVICE_TOKEN, settings.KEY_SERVICE_TOKEN_PATH = "", tmp_path / "token"
    with pytest.raises(KeyRingError, match="VAULT_TOKEN_FILE"):
        plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)
    (tmp_path / "token").write_text("old")
    with pytest.raises(KeyRingError, match="403"):
        plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)
    (tmp_path / "token").write_text(f"{transit.TOKEN}\n")
    assert plugins.open_uri(URI).wrap(DATA_KEY, CONTEXT)


def test_the_service_is_told_no_id_of_a_request(service: Transit) -> None:
    context = bytes(range(16)) + b"key"
    key = plugins.open_uri(URI)
    key.unwrap(key.wrap(DATA_KEY, context), context)
    assert all(set(question) <= {"plaintext", "ciphertext", "key_version"} for question in service.asked)
