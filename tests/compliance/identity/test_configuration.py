"""What the environment may say about proofs of identity: a slip stops the start with a sentence that names it."""

import json
import os
import subprocess
import sys

import pytest
from django.conf import settings

_NAMES = ("IDENTITY_LEVEL", "OIDC_ISSUER", "OIDC_CLIENT_ID", "OIDC_CLIENT_SECRET", "OIDC_SCOPE", "OIDC_CLAIMS")
_PRINT = f"import json; from compliance import settings as s; print(json.dumps([getattr(s, n) for n in {_NAMES}]))"


def started(**variables: str) -> subprocess.CompletedProcess[str]:
    """A process that reads the settings."""
    environment = {**os.environ, **{f"EXPUNGE_{name}": value for name, value in variables.items()}}
    command = [sys.executable, "-c", _PRINT]
    return subprocess.run(command, cwd=settings.ROOT, env=environment, capture_output=True, text=True, check=False)


BAD_SETTINGS: dict[str, dict[str, str]] = {
    "level 0": {"IDENTITY_LEVEL": "0"},
    "level 4": {"IDENTITY_LEVEL": "4"},
    "an issuer that is no address": {"OIDC_ISSUER": "login.example.org", "OIDC_CLIENT_ID": "expunge"},
    "an issuer with a query": {"OIDC_ISSUER": "https://login.example.org/?realm=1", "OIDC_CLIENT_ID": "expunge"},
    "an issuer without a client": {"OIDC_ISSUER": "https://login.example.org"},
    "claims that are no pairs": {"OIDC_CLAIMS": "email"},
    "a secret in a file that is not there": {
        "OIDC_ISSUER": "https://login.example.org",
        "OIDC_CLIENT_ID": "expunge",
        "OIDC_CLIENT_SECRET_FILE": "no-such-file",
    },
}


@pytest.mark.parametrize("variables", [pytest.param(value, id=name) for name, value in BAD_SETTINGS.items()])
def test_a_slip_in_the_environment_stops_the_start(variables: dict[str, str]) -> None:
    process = started(**variables)
    assert process.returncode != 0
    assert "ImproperlyConfigured: EXPUNGE_" in process.stderr


def test_nothing_said_asks_for_an_address_and_offers_no_sign_in() -> None:
    assert json.loads(started().stdout) == [1, "", "", "", "openid email", {"email": "email"}]


def test_a_provider_is_set_up_by_its_issuer_and_a_client() -> None:
    process = started(
        IDENTITY_LEVEL="2",
        OIDC_ISSUER="https://login.example.org/realms/a",
        OIDC_CLIENT_ID="expunge",
        OIDC_CLIENT_SECRET="s3cret",
        OIDC_SCOPE="openid profile",
        OIDC_CLAIMS="email=email,customer=https://example.org/customer",
    )
    claims = {"email": "email", "customer": "https://example.org/customer"}
    expected = [2, "https://login.example.org/realms/a", "expunge", "s3cret", "openid profile", claims]
    assert json.loads(process.stdout) == expected, process.stderr
