"""What `manage.py check` says of key, certificate and domain."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from compliance.controllers.checks import check_signer
from compliance.evidence import key_files
from compliance.settings import ROOT
from tests.compliance.controllers.installation import valid_terms
from tests.compliance.opendsr.authority import DOMAIN, Authority, Terms, pem_of, rsa_key, self_signed


@dataclass(frozen=True)
class Files:
    """The files of an installation, and who can issue others."""

    settings: Settings
    authority: Authority
    folder: Path

    def certificate(self, pem: bytes) -> None:
        self.settings.OPENDSR_CERTIFICATE_PATH.write_bytes(pem)

    def valid(self, valid_from: timedelta, valid_until: timedelta) -> None:
        now = datetime.now(tz=UTC)
        terms = Terms(valid_from=now + valid_from, valid_until=now + valid_until)
        self.certificate(pem_of(*self.authority.chain(terms=terms)))

    def other_key(self) -> None:
        self.settings.OPENDSR_KEY_PATH = self.folder / "other.key"
        key_files.write(self.settings.OPENDSR_KEY_PATH, rsa_key(name="other"))


@pytest.fixture
def files(settings: Settings, authority: Authority, tmp_path: Path) -> Files:
    return Files(settings, authority, tmp_path)


def _names(files: Files, *names: str) -> None:
    terms = valid_terms()
    files.certificate(pem_of(*files.authority.chain(terms=Terms(names=names, valid_until=terms.valid_until))))


DAY = timedelta(days=1)
WRONG: dict[str, tuple[Callable[[Files], object], str, str]] = {
    "another key": (Files.other_key, "opendsr.E001", "for another key"),
    "a key that others read": (
        lambda files: files.settings.OPENDSR_KEY_PATH.chmod(0o644),
        "opendsr.E001",
        "opendsr.key",
    ),
    "no key": (lambda files: files.settings.OPENDSR_KEY_PATH.unlink(), "opendsr.E001", "opendsr.key"),
    "no certificate": (lambda files: files.settings.OPENDSR_CERTIFICATE_PATH.unlink(), "opendsr.E001", "opendsr.pem"),
    "no PEM": (lambda files: files.certificate(b"x"), "opendsr.E001", "X.509"),
    "another domain": (lambda files: _names(files, "other.example"), "opendsr.E001", DOMAIN),
    "a wildcard": (lambda files: _names(files, "*.processor.example"), "opendsr.E001", "wildcard"),
    "self-signed": (
        lambda files: files.certificate(pem_of(self_signed(rsa_key(), valid_terms()))),
        "opendsr.E001",
        "self-signed",
    ),
    "ended": (lambda files: files.valid(-3 * DAY, -DAY), "opendsr.W001", "was valid until"),
    "not begun": (lambda files: files.valid(DAY, 30 * DAY), "opendsr.W001", "not valid before"),
    "ends soon": (lambda files: files.valid(-DAY, 13 * DAY), "opendsr.W002", "is valid until"),
    "a host that is not ours": (
        lambda files: setattr(files.settings, "ALLOWED_HOSTS", ["localhost"]),
        "opendsr.W003",
        "ALLOWED_HOSTS",
    ),
    "a domain that is none": (lambda files: setattr(files.settings, "OPENDSR_DOMAIN", "x"), "opendsr.E001", "domain"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_does_not_fit_is_told(name: str, files: Files) -> None:
    spoil, code, words = WRONG[name]
    spoil(files)
    (message,) = check_signer(None)
    assert message.id == code
    assert words in message.msg


def test_what_fits_or_is_switched_off_is_not_mentioned(settings: Settings) -> None:
    assert check_signer(None) == []
    settings.OPENDSR_DOMAIN = ""
    assert check_signer(None) == []


@pytest.mark.parametrize(
    "name", ["EXPUNGE_OPENDSR_DOMAIN", "EXPUNGE_OPENDSR_KEY_PATH", "EXPUNGE_OPENDSR_CERTIFICATE_PATH"]
)
def test_one_of_three_settings_alone_stops_the_start(name: str) -> None:
    environment = {**os.environ, name: "opendsr.example.com"}
    command = [sys.executable, "-c", "import compliance.settings"]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Set all three, or none of them." in done.stderr
