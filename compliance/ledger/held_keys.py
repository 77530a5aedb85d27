"""Keys behind a URI: an HSM or a key service signs with them and never gives them out."""

from functools import lru_cache
from pathlib import Path

from django.conf import settings

from compliance.evidence.key_files import KeyFileError
from compliance.evidence.signing import EvidenceSigner, SignerError, UriLogKey


def evidence_key() -> EvidenceSigner:
    """The evidence key of the settings; raises KeyFileError, SignerError, SignerUnreachableError."""
    return _evidence_key(settings.EVIDENCE_KEY_URI, public_pem(settings.EVIDENCE_PUBLIC_KEY_PATH))


def log_key() -> UriLogKey:
    """The checkpoint key of the settings; raises KeyFileError, SignerError, SignerUnreachableError."""
    return _log_key(settings.LEDGER_KEY_URI, public_pem(settings.LEDGER_PUBLIC_KEY_PATH))


def public_pem(path: Path) -> bytes:
    """The public half in a file; raises KeyFileError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise KeyFileError(
            f"The public half {path} of the key behind the URI cannot be read: {error.strerror}. Export it from the "
            "key service as PEM."
        ) from error


@lru_cache(maxsize=2)
def _evidence_key(uri: str, public_key_pem: bytes) -> EvidenceSigner:
    """Kept, so that the connection is, and the probe is signed once."""
    return EvidenceSigner.from_uri(uri, public_key_pem, _read_secret)


@lru_cache(maxsize=2)
def _log_key(uri: str, public_key_pem: bytes) -> UriLogKey:
    return UriLogKey.from_uri(uri, public_key_pem, _read_secret)


def _read_secret(name: str) -> str:
    """What an HSM asks for: its PIN."""
    if not settings.HSM_PIN:
        raise SignerError(f"The HSM asks for its {name}. Set EXPUNGE_HSM_PIN_FILE.")
    pin: str = settings.HSM_PIN
    return pin
