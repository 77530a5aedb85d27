"""A master key in the transit engine of HashiCorp Vault or OpenBao: `hv:NAME/VERSION`.

The version is part of the URI, so that a rotation there is one here, too: a new version, a new URI before the old one,
`rewrap_vault`, and then `min_decryption_version` there. The key needs the type aes256-gcm96 and the engine the path
`transit`; the token needs `update` on `transit/encrypt/NAME` and `transit/decrypt/NAME`.
"""

import base64
import binascii
import http.client
import ipaddress
import json
import re
import ssl
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from compliance.vault.errors import KeyRingError, KeyServiceError, VaultError
from compliance.vault.plugins import ServiceKind
from compliance.vault.wrapping import KeyWrapper, bound, unbound

_PLACE = re.compile(r"([A-Za-z0-9._-]{1,128})/([1-9][0-9]{0,8})")
# Requests are answered while a person waits.
_TIMEOUT_SECONDS = 5.0
_MOST_BYTES = 65_536


@dataclass(frozen=True, kw_only=True)
class TransitKey:
    """A `KeyWrapper`: one version of one key."""

    key_id: str
    name: str
    version: int

    def wrap(self, data_key: bytes, context: bytes) -> bytes:
        """What the service returns: `vault:v<version>:<base64>`; raises KeyServiceError, KeyRingError."""
        plaintext = base64.b64encode(bound(data_key, context)).decode()
        answer = _asked(f"encrypt/{self.name}", {"plaintext": plaintext, "key_version": self.version})
        wrapped = answer.get("ciphertext")
        if not isinstance(wrapped, str) or not self._is_mine(wrapped.encode()):
            raise KeyRingError(f"The key service did not wrap under version {self.version} of {self.name}.")
        return wrapped.encode()

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        """The data key; raises VaultError, KeyServiceError, KeyRingError."""
        if not self._is_mine(wrapped):
            raise VaultError(f"A wrapped key is none of version {self.version} of {self.name}: the row was changed.")
        answer = _asked(f"decrypt/{self.name}", {"ciphertext": wrapped.decode("ascii", "replace")})
        try:
            return unbound(base64.b64decode(answer["plaintext"], validate=True), context)
        except (KeyError, TypeError, binascii.Error) as error:
            raise KeyRingError("The key service answered without a plaintext. Is VAULT_ADDR the right one?") from error

    def _is_mine(self, wrapped: bytes) -> bool:
        return wrapped.startswith(f"vault:v{self.version}:".encode())


def open_key(key_id: str, place: str) -> KeyWrapper:
    """The key of `hv:place`; raises KeyRingError."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise KeyRingError("Expected hv:NAME/VERSION, such as hv:expunge/1; found another form.")
    return TransitKey(key_id=key_id, name=match[1], version=int(match[2]))


def _asked(path: str, question: dict[str, Any]) -> dict[str, Any]:
    """The `data` of an answer. No redirect is followed, since the token would go with it; no proxy is asked."""
    connection = _connection()
    headers = {"X-Vault-Token": _token(), "X-Vault-Request": "true", "Content-Type": "application/json"}
    try:
        connection.request("POST", f"/v1/transit/{path}", json.dumps(question), headers)
        with connection.getresponse() as response:
            status, body = response.status, response.read(_MOST_BYTES)
    except (OSError, http.client.HTTPException) as error:
        # Without its cause, which would show the question: it holds a data key.
        raise KeyServiceError(
            f"The key service cannot be reached ({type(error).__name__}). Nothing was lost."
        ) from None
    finally:
        connection.close()
    if status != HTTPStatus.OK:
        raise _refused(path, status)
    return _data_of(body)


def _data_of(body: bytes) -> dict[str, Any]:
    try:
        data = json.loads(body)["data"]
    except (ValueError, KeyError, TypeError):
        data = None
    if not isinstance(data, dict):
        # Not chained: the message of a parser may show a part of the answer.
        raise KeyRingError("The key service answered in another form. Is VAULT_ADDR the right one?") from None
    return data


def _refused(path: str, status: int) -> VaultError:
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR or status in (
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.PRECONDITION_FAILED,
    ):
        return KeyServiceError(f"The key service is not ready (status {status}). Nothing was lost.")
    if path.startswith("decrypt/") and status == HTTPStatus.BAD_REQUEST:
        return VaultError(
            "The key service does not open a wrapped key: its version was retired, or the row was changed."
        )
    return KeyRingError(
        f"The key service refuses transit/{path} (status {status}). Expected a key of this name and version, and a token "
        "that may use it."
    )


def _connection() -> http.client.HTTPConnection:
    parts = urlsplit(settings.KEY_SERVICE_ADDRESS)
    if not parts.hostname:
        raise KeyRingError("An hv: key needs VAULT_ADDR, such as https://vault.example:8200.")
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=settings.KEY_SERVICE_CA_PATH)
        return http.client.HTTPSConnection(
            parts.hostname, parts.port or 8200, timeout=_TIMEOUT_SECONDS, context=context
        )
    if not _is_this_machine(parts.hostname):
        raise KeyRingError("VAULT_ADDR must begin with https:// for another machine: data keys would be sent in clear.")
    return http.client.HTTPConnection(parts.hostname, parts.port or 8200, timeout=_TIMEOUT_SECONDS)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _token() -> str:
    """Read anew each time from its file: an agent that renews it writes it there."""
    path = settings.KEY_SERVICE_TOKEN_PATH
    try:
        token: str = settings.KEY_SERVICE_TOKEN if path is None else path.read_text().strip()
    except OSError as error:
        raise KeyRingError(f"VAULT_TOKEN_FILE names {path}, which cannot be read ({error.strerror}).") from error
    if not token or not token.isascii() or not token.isprintable():
        raise KeyRingError("An hv: key needs VAULT_TOKEN or VAULT_TOKEN_FILE, with one printable token.")
    return token


kind = ServiceKind(__name__, form="hv:NAME/VERSION", open_key=open_key)
