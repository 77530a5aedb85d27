"""Keys in AWS KMS, through the SDK against a server that answers like its API: no real KMS is asked.

Skipped where the extra `aws-kms` is not installed, but for what is refused without it.
"""

import base64
import importlib.util
import json
import secrets
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from compliance.vault import plugins, sealing
from compliance.vault.errors import KeyRingError, KeyServiceError, VaultError
from compliance.vault.kinds import awskms

ARN = "arn:aws:kms:eu-central-1:000000000000:key/11111111-2222-4333-8444-555555555555"
DATA_KEY, CONTEXT = sealing.new_key(), b"row 1"
IS_INSTALLED = importlib.util.find_spec("boto3") is not None
needs_sdk = pytest.mark.skipif(not IS_INSTALLED, reason="needs the extra aws-kms")


def test_an_alias_which_may_point_elsewhere_tomorrow_is_refused() -> None:
    with pytest.raises(KeyRingError, match="alias"):
        plugins.open_uri("awskms:alias/expunge")


@pytest.mark.skipif(IS_INSTALLED, reason="the extra aws-kms is installed")
def test_a_missing_package_is_named_by_the_extra_that_brings_it() -> None:
    with pytest.raises(KeyRingError, match=r"expunge\[aws-kms\]"):
        plugins.open_uri(f"awskms:{ARN}")


class Kms:
    """What the server holds. `failure` is an error code that every call gets."""

    keys = {ARN: secrets.token_bytes(32)}
    failure = ""

    def answer(self, operation: str, asked: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        if self.failure or asked["KeyId"] not in self.keys:
            return 400, {"__type": self.failure or "NotFoundException", "message": asked.get("Plaintext", "")}
        cipher = AESGCM(self.keys[asked["KeyId"]])
        if operation == "TrentService.Encrypt":
            nonce = secrets.token_bytes(12)
            sealed = nonce + cipher.encrypt(nonce, base64.b64decode(asked["Plaintext"]), None)
            return 200, {"CiphertextBlob": base64.b64encode(sealed).decode(), "KeyId": asked["KeyId"]}
        sealed = base64.b64decode(asked["CiphertextBlob"])
        try:
            opened = cipher.decrypt(sealed[:12], sealed[12:], None)
        except (InvalidTag, ValueError):
            return 400, {"__type": "InvalidCiphertextException", "message": ""}
        return 200, {"Plaintext": base64.b64encode(opened).decode(), "KeyId": asked["KeyId"]}


@pytest.fixture
def kms(monkeypatch: pytest.MonkeyPatch) -> Iterator[Kms]:
    state = Kms()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            status, value = state.answer(self.headers["X-Amz-Target"], asked)
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/x-amz-json-1.1")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        awskms._client.cache_clear()
        yield state
        awskms._client.cache_clear()
        server.shutdown()
        thread.join()


ANSWERS = {
    "throttled": ("ThrottlingException", KeyServiceError),
    "an error inside KMS": ("KMSInternalException", KeyServiceError),
    "a key that is not ready": ("KeyUnavailableException", KeyServiceError),
    "a disabled key": ("DisabledException", KeyRingError),
    "no right": ("AccessDeniedException", KeyRingError),
    "another key's ciphertext": ("IncorrectKeyException", VaultError),
}


@needs_sdk
@pytest.mark.parametrize(("code", "kind"), [pytest.param(*case, id=name) for name, case in ANSWERS.items()])
def test_each_answer_is_told_apart_and_none_shows_the_key(kms: Kms, code: str, kind: type[VaultError]) -> None:
    kms.failure = code
    with pytest.raises(VaultError) as failed:
        plugins.open_uri(f"awskms:{ARN}").wrap(DATA_KEY, CONTEXT)
    assert type(failed.value) is kind
    assert failed.value.__cause__ is None
    assert base64.b64encode(DATA_KEY).decode()[:20] not in str(failed.value)


@needs_sdk
def test_a_service_that_is_not_there_is_worth_another_try(kms: Kms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_KMS", "http://127.0.0.1:1")
    with pytest.raises(KeyServiceError):
        plugins.open_uri(f"awskms:{ARN}").wrap(DATA_KEY, CONTEXT)


@needs_sdk
def test_a_key_opens_for_its_row_alone(kms: Kms) -> None:
    key = plugins.open_uri(f"awskms:{ARN}")
    wrapped = key.wrap(DATA_KEY, CONTEXT)
    assert key.unwrap(wrapped, CONTEXT) == DATA_KEY
    for changed, context in ((wrapped, b"row 2"), (wrapped[:-1], CONTEXT), (bytes(60), CONTEXT)):
        with pytest.raises(VaultError) as refused:
            key.unwrap(changed, context)
        assert type(refused.value) is VaultError
    with pytest.raises(KeyRingError, match="NotFoundException"):
        plugins.open_uri(f"awskms:{ARN[:-1]}6").unwrap(wrapped, CONTEXT)
