"""A master key in AWS KMS: `awskms:KEY`, where KEY is the ARN or id of a symmetric key; needs the extra `aws-kms`.

Credentials and region are those of the AWS SDK; the key policy must allow `kms:Encrypt` and `kms:Decrypt`. The yearly
rotation of KMS keeps all earlier key material: only a new key, and the deletion of the old one, makes old copies
unopenable.
"""

import functools
import importlib
from dataclasses import dataclass
from typing import Any

from compliance.vault.errors import KeyRingError, KeyServiceError, VaultError
from compliance.vault.plugins import ServiceKind
from compliance.vault.wrapping import KeyWrapper, bound, unbound

# Error codes of the API (AWS KMS API reference, "Encrypt" and "Decrypt").
_DOES_NOT_OPEN = frozenset({"InvalidCiphertextException", "IncorrectKeyException"})
_NOT_NOW = frozenset(
    {
        *("DependencyTimeoutException", "KMSInternalException", "KeyUnavailableException", "InternalFailure"),
        *("ThrottlingException", "RequestLimitExceeded", "LimitExceededException", "ServiceUnavailable"),
    }
)
# Errors of the SDK itself that another try does not help.
_SETUP = frozenset({"NoCredentialsError", "PartialCredentialsError", "NoRegionError", "ProfileNotFound"})


@dataclass(frozen=True, kw_only=True)
class KmsKey:
    """A `KeyWrapper`."""

    key_id: str
    place: str

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """The ciphertext blob; raises KeyServiceError, KeyRingError."""
        return bytes(self._asked("encrypt", Plaintext=bound(data_key, context))["CiphertextBlob"])

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The data key; raises VaultError, KeyServiceError, KeyRingError."""
        return unbound(bytes(self._asked("decrypt", CiphertextBlob=wrapped)["Plaintext"]), context)

    def _asked(self, operation: str, **parameters: bytes) -> dict[str, Any]:
        failures = importlib.import_module("botocore.exceptions")
        try:
            answer: dict[str, Any] = getattr(_client(), operation)(KeyId=self.place, **parameters)
        except failures.ClientError as error:
            # Without its cause: the SDK's errors may show what was asked.
            raise _refused(str(error.response["Error"]["Code"])) from None
        except failures.BotoCoreError as error:
            raise _failed(type(error).__name__) from None
        return answer


def open_key(key_id: str, place: str) -> KeyWrapper:
    """The key of `awskms:place`; raises KeyRingError."""
    if "alias/" in place:
        raise KeyRingError("awskms: needs the ARN or id of a key; an alias may point to another one tomorrow.")
    try:
        importlib.import_module("boto3")
    except ImportError as error:
        raise KeyRingError(
            "awskms: needs packages that are not installed. Run: pip install 'expunge[aws-kms]'"
        ) from error
    return KmsKey(key_id=key_id, place=place)


@functools.cache
def _client() -> Any:
    """One client for the process, as the SDK wants it; short waits, since a person waits for the answer."""
    config = importlib.import_module("botocore.config").Config(
        connect_timeout=5, read_timeout=5, retries={"total_max_attempts": 2, "mode": "standard"}
    )
    return importlib.import_module("boto3").client("kms", config=config)


def _refused(code: str) -> VaultError:
    if code in _DOES_NOT_OPEN:
        return VaultError(
            "The key service does not open a wrapped key: another key wrapped it, or the row was changed."
        )
    if code in _NOT_NOW:
        return KeyServiceError(f"The key service is not ready ({code}). Nothing was lost.")
    return KeyRingError(
        f"The key service refuses ({code}). Expected an enabled symmetric key, and the right to use it."
    )


def _failed(name: str) -> VaultError:
    if name in _SETUP:
        return KeyRingError(f"The AWS SDK is not set up ({name}). It needs credentials and a region.")
    return KeyServiceError(f"The key service cannot be reached ({name}). Nothing was lost.")


kind = ServiceKind(__name__, form="awskms:KEY", open_key=open_key)
