"""What the settings accept about master keys and retention, in a process of its own: they are read once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

SHOW = "from django.conf import settings as s; print(len(s.VAULT_MASTER_KEY), s.VAULT_MASTER_KEY_URIS, s.IDENTITY_RETENTION_DAYS)"
KEY = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY="
#: Outside DEBUG nothing is made on first use; what comes before the vault in the settings is given.
PRODUCTION = {"EXPUNGE_DEBUG": "0", "SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "privacy.example"}


def shown(**variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(
        [sys.executable, "-c", SHOW], cwd=settings.ROOT, env=environment, capture_output=True, text=True, check=False
    )


REFUSED = {
    "no master key at all": (PRODUCTION, "VAULT_MASTER_KEY is not set"),
    "less than a month": ({"VAULT_MASTER_KEY_URIS": "hv:a/1", "EXPUNGE_IDENTITY_RETENTION_DAYS": "30"}, "at least 31"),
    "no address": ({"VAULT_MASTER_KEY_URIS": "hv:a/1", "VAULT_ADDR": "vault.example:8200"}, "VAULT_ADDR"),
}


@pytest.mark.parametrize(("variables", "said"), [pytest.param(*case, id=name) for name, case in REFUSED.items()])
def test_a_setting_that_is_missing_or_wrong_stops_the_start(variables: dict[str, str], said: str) -> None:
    done = shown(**variables)
    assert done.returncode != 0
    assert said in done.stderr


def test_with_a_folder_or_a_key_service_no_single_key_is_needed(tmp_path: Path) -> None:
    assert shown(VAULT_MASTER_KEYS_DIR=str(tmp_path)).stdout == "0 () 92\n"
    given = shown(VAULT_MASTER_KEY_URIS="hv:a/2  hv:a/1", EXPUNGE_IDENTITY_RETENTION_DAYS="31")
    assert given.stdout == "0 ('hv:a/2', 'hv:a/1') 31\n"
    both = shown(VAULT_MASTER_KEYS_DIR=str(tmp_path), VAULT_MASTER_KEY=KEY)
    assert both.stdout == "32 () 92\n", "it still opens what it wrapped"
