"""The ring: which key wraps, which open, and what is said when there is none."""

from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.vault import plugins, ring, sealing
from compliance.vault.errors import KeyRingError, VaultError
from compliance.vault.key_folder import KeyFolder
from compliance.vault.local_key import LocalKey
from compliance.vault.ring import KeyRing
from compliance.vault.wrapping import id_of_uri

ENVIRONMENT = LocalKey(sealing.new_key())
URI = "hv:expunge/1"


@pytest.fixture
def folder(tmp_path: Path) -> KeyFolder:
    keys = KeyFolder(tmp_path / "vault-keys")
    keys.create()
    return keys


def test_without_any_key_nothing_is_wrapped() -> None:
    with pytest.raises(KeyRingError, match="VAULT_MASTER_KEYS_DIR"):
        KeyRing().current()


@pytest.mark.parametrize("key_id", ["", "0123456789abcdef"])
def test_a_key_that_is_nowhere_is_told_by_its_name(key_id: str) -> None:
    with pytest.raises(VaultError, match=key_id or "VAULT_MASTER_KEY"):
        KeyRing(uris=(URI,)).named(key_id)


@pytest.mark.parametrize(
    "uri", ["gnupg:key", "hv:", "hv", "", "hv:expunge", "hv:expunge/0", "hv:a/b/1", "hv:../sys/1 ", "awskms:alias/a"]
)
def test_a_uri_of_another_form_is_refused(uri: str) -> None:
    with pytest.raises(KeyRingError):
        plugins.open_uri(uri)


def test_a_service_wraps_before_a_folder_and_a_folder_before_the_environment(folder: KeyFolder) -> None:
    all_of_them = KeyRing(uris=(URI,), folder=folder, environment_key=ENVIRONMENT)
    assert all_of_them.current().key_id == id_of_uri(URI)
    assert KeyRing(folder=folder, environment_key=ENVIRONMENT).current_id() == folder.current_id()
    assert KeyRing(environment_key=ENVIRONMENT).current() == ENVIRONMENT


def test_every_configured_key_opens_what_it_wrapped(folder: KeyFolder) -> None:
    all_of_them = KeyRing(uris=(URI,), folder=folder, environment_key=ENVIRONMENT)
    for key in all_of_them.held():
        assert all_of_them.named(key.key_id).key_id == key.key_id
    assert [key.is_current for key in all_of_them.held()] == [True, False, False]
    assert all_of_them.named("") == ENVIRONMENT


def test_the_ring_of_the_settings_has_what_they_name(folder: KeyFolder, settings: Settings) -> None:
    settings.VAULT_MASTER_KEYS_DIR, settings.VAULT_MASTER_KEY = folder.path, b""
    assert ring.configured() == KeyRing(folder=folder)
    settings.VAULT_MASTER_KEYS_DIR, settings.VAULT_MASTER_KEY = None, ENVIRONMENT.key
    assert ring.configured() == KeyRing(environment_key=ENVIRONMENT)


def test_each_kind_is_a_file_of_its_name() -> None:
    assert {name: kind.form.partition(":")[0] for name, kind in plugins.installed().items()} == {
        name: name for name in ("awskms", "hv")
    }
