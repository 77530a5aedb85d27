"""Who signs here: the domain, key and certificate of the settings, read again whenever one of the files changes."""

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from django.conf import settings

from compliance.controllers.errors import SignerUnavailableError, SwitchedOffError
from compliance.opendsr import certificates, signing_identity
from compliance.opendsr.errors import OpenDsrError
from compliance.opendsr.signing_identity import SigningIdentity


def is_switched_on() -> bool:
    """Whether this installation speaks OpenDSR."""
    return bool(settings.OPENDSR_DOMAIN)


def signer() -> SigningIdentity:
    """The identity that signs now; raises SwitchedOffError, and SignerUnavailableError with the reason for operators.

    Nothing is signed under a certificate that nobody would believe.
    """
    if not is_switched_on():
        raise SwitchedOffError("This installation does not speak OpenDSR.")
    try:
        identity = load()
        certificates.refuse_outside_validity(identity.chain[0], datetime.now(tz=UTC))
    except (OpenDsrError, OSError) as error:
        raise SignerUnavailableError(f"OpenDSR: {error}") from error
    return identity


def load() -> SigningIdentity:
    """The identity in the files of the settings; raises OpenDsrError or OSError. The time is not judged."""
    key_path, chain_path = settings.OPENDSR_KEY_PATH, settings.OPENDSR_CERTIFICATE_PATH
    if key_path is None or chain_path is None:
        raise FileNotFoundError("EXPUNGE_OPENDSR_KEY_PATH and EXPUNGE_OPENDSR_CERTIFICATE_PATH both have to be set.")
    changed = (key_path.stat().st_mtime_ns, chain_path.stat().st_mtime_ns)
    return _loaded(settings.OPENDSR_DOMAIN, key_path, chain_path, changed)


@lru_cache(maxsize=4)
def _loaded(domain: str, key_path: Path, chain_path: Path, changed: tuple[int, int]) -> SigningIdentity:
    return signing_identity.load(domain, key_path, chain_path)
