"""Private keys behind a URI: in a file, an HSM or a key service, through the `Signer` interface of securesystemslib.

A key service is asked for a signature, never for the key. Before its first use each signer signs a probe, which must
verify under the public key that is published: a URI of another key is found before anything is signed with it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from securesystemslib.exceptions import KeyMismatchError, UnsupportedLibraryError

# The package re-exports them without saying so in a way mypy accepts.
from securesystemslib.signer import CryptoSigner, Signer, SSlibKey  # type: ignore[attr-defined]

from compliance.evidence import dsse, key_files
from compliance.evidence.key_files import KeyFileError

PublicKey = ec.EllipticCurvePublicKey | Ed25519PublicKey
# Given the name of a secret (an HSM asks for "pin"), the secret.
ReadSecret = Callable[[str], str]
_PROBE = b"expunge: this signature says nothing; it shows that a private and a public key belong together\n"


@dataclass(frozen=True)
class _Scheme:
    """One kind of URI: the extra of this project that its libraries come with, and whether it holds Ed25519 keys."""

    extra: str | None
    holds_ed25519: bool
    form: str


SCHEMES: Mapping[str, _Scheme] = MappingProxyType(
    {
        "file2": _Scheme(None, True, "file2:/path/of/the/key.pem"),
        "hsm": _Scheme("pkcs11", False, "hsm:NUMBER?label=TOKEN"),
        "hv": _Scheme("vault", True, "hv:NAME/VERSION"),
        "awskms": _Scheme("aws-kms", False, "awskms:KEY-ID-OR-ARN"),
        "gcpkms": _Scheme("gcp-kms", False, "gcpkms:projects/…/cryptoKeyVersions/NUMBER"),
        "azurekms": _Scheme("azure-kms", False, "azurekms://VAULT.vault.azure.net/keys/NAME/VERSION"),
    }
)
# What the libraries of the key services raise when nobody answers, or the answer is "not now". The libraries may not
# be installed, so these are names.
_NOT_NOW = frozenset(
    {
        *("ConnectionError", "HTTPClientError", "Timeout"),  # requests, botocore
        *("VaultDown", "BadGateway", "RateLimitExceeded", "InternalServerError"),  # hvac
        *("ServerError", "RetryError", "TransportError", "TooManyRequests"),  # google
        *("ServiceRequestError", "ServiceResponseError"),  # azure
        *("TokenNotPresent", "DeviceRemoved", "DeviceError", "SessionCount"),  # pkcs11
    }
)


class SignerError(RuntimeError):
    """A signer that cannot be used as it is configured. Trying again does not help."""


class SignerUnreachableError(SignerError):
    """The key service or HSM did not answer. Nothing was signed; trying again may help."""


class UriSigner:
    """Signs bytes with the key behind a URI; every signature is verified before it is given out."""

    def __init__(self, signer: Signer, public_key: PublicKey, uri: str) -> None:
        self._signer = signer
        self._public_key = public_key
        self._uri = uri

    def public_key(self) -> PublicKey:
        """The published half."""
        return self._public_key

    def sign(self, data: bytes, /) -> bytes:
        """DER of ECDSA with SHA-256, or the 64 bytes of Ed25519; raises SignerError, SignerUnreachableError."""
        try:
            signature = bytes.fromhex(self._signer.sign(data).signature)
        except Exception as error:
            raise _explained(self._uri, error) from error
        try:
            _verify(self._public_key, signature, data)
        except InvalidSignature as error:
            raise SignerError(
                f"The key behind {self._uri} does not belong to the public key {fingerprint(self._public_key)}. "
                "Export the public key of that very key (and version) again, or correct the URI."
            ) from error
        return signature


def open_signer(uri: str, public_key: PublicKey, read_secret: ReadSecret | None = None) -> UriSigner:
    """A signer that has signed a probe.

    Raises KeyFileError, SignerError (unknown scheme, missing package, unfit key), SignerUnreachableError.
    """
    name, _, place = uri.partition(":")
    scheme = SCHEMES.get(name)
    if scheme is None or not place:
        forms = ", ".join(each.form for each in SCHEMES.values())
        raise SignerError(f"Expected the URI of a key ({forms}), found one of the scheme {name!r}.")
    if isinstance(public_key, Ed25519PublicKey) and not scheme.holds_ed25519:
        able = " or ".join(f"{key}:" for key, each in SCHEMES.items() if each.holds_ed25519)
        raise SignerError(f"{name}: signs no Ed25519, which checkpoints need. Keep the checkpoint key behind {able}.")
    signer = UriSigner(_library_signer(uri, name, place, public_key, read_secret), public_key, uri)
    signer.sign(_PROBE)
    return signer


def library_key(key: PublicKey) -> SSlibKey:
    """The key as securesystemslib wants it, under our key id."""
    return SSlibKey.from_crypto(key, fingerprint(key))


def fingerprint(key: PublicKey) -> str:
    """Hex SHA-256 of the DER SPKI."""
    return dsse.public_key_sha256(key)


def _library_signer(uri: str, scheme: str, place: str, public_key: PublicKey, read_secret: ReadSecret | None) -> Signer:
    try:
        if scheme == "file2":
            # Read here and not there: the library does not mind who else can read the file.
            return CryptoSigner(key_files.load(Path(place)), library_key(public_key))
        return Signer.from_priv_key_uri(uri, library_key(public_key), read_secret)
    except KeyFileError:
        raise
    except Exception as error:
        raise _explained(uri, error) from error


def _explained(uri: str, error: Exception) -> SignerError:
    scheme = uri.partition(":")[0]
    if isinstance(error, UnsupportedLibraryError):
        extra = SCHEMES[scheme].extra
        return SignerError(f"{scheme}: needs packages that are not installed. Run: pip install 'expunge[{extra}]'")
    if isinstance(error, KeyMismatchError):
        return SignerError(f"The private key behind {uri} does not belong to the public key that is configured.")
    detail = f"{type(error).__name__}: {error}".rstrip(": ")
    if _is_not_now(error):
        return SignerUnreachableError(f"{uri} cannot be reached at the moment, nothing was signed ({detail}).")
    return SignerError(
        f"{uri} gives no signature ({detail}). Expected {SCHEMES[scheme].form} with a key of the kind configured, and "
        "credentials that may sign with it."
    )


def _is_not_now(error: BaseException) -> bool:
    """Whether it is, or was caused by, an error of a connection or of a service that is overloaded."""
    seen = error
    while True:
        if isinstance(seen, TimeoutError | ConnectionError) or any(
            kind.__name__ in _NOT_NOW for kind in type(seen).__mro__
        ):
            return True
        cause = seen.__cause__
        if cause is None:
            return False
        seen = cause


def _verify(key: PublicKey, signature: bytes, data: bytes) -> None:
    """Raises InvalidSignature."""
    if isinstance(key, Ed25519PublicKey):
        key.verify(signature, data)
    else:
        key.verify(signature, data, ec.ECDSA(SHA256()))
