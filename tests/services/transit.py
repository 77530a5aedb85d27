"""A small server with the meaning of Vault's transit engine: versions of a key, encrypt, decrypt, a lowest version.

It is no Vault: it shows that questions and answers are of the documented form, and fails in the documented ways.
"""

import base64
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

TOKEN = "hvs.of-the-tests"


@dataclass
class Transit:
    """The state of the server. `failure` is a status that every question is answered with."""

    address: str = ""
    versions: dict[int, bytes] = field(default_factory=dict)
    min_decryption_version: int = 1
    failure: int | None = None
    raw_answer: bytes | None = None
    asked: list[dict[str, Any]] = field(default_factory=list)

    def add_version(self) -> int:
        """What `transit/keys/NAME/rotate` does."""
        number = len(self.versions) + 1
        self.versions[number] = secrets.token_bytes(32)
        return number

    def encrypt(self, question: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        version = question.get("key_version") or len(self.versions)
        if version not in self.versions:
            return 400, {"errors": ["requested version for encryption is higher than the latest key version"]}
        nonce = secrets.token_bytes(12)
        sealed = AESGCM(self.versions[version]).encrypt(nonce, base64.b64decode(question["plaintext"]), None)
        return 200, {"data": {"ciphertext": f"vault:v{version}:{_text(nonce + sealed)}", "key_version": version}}

    def decrypt(self, question: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        _, version, box = question["ciphertext"].split(":")
        number, sealed = int(version[1:]), base64.b64decode(box)
        if number < self.min_decryption_version:
            return 400, {"errors": ["ciphertext or signature version is disallowed by policy (too old)"]}
        try:
            opened = AESGCM(self.versions[number]).decrypt(sealed[:12], sealed[12:], None)
        except (KeyError, InvalidTag):
            return 400, {"errors": ["invalid ciphertext: cipher: message authentication failed"]}
        return 200, {"data": {"plaintext": _text(opened)}}


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


@contextmanager
def running(name: str = "expunge") -> Iterator[Transit]:
    """The server with a key of this name in version 1."""
    transit = Transit()
    transit.add_version()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            transit.asked.append(question)
            operations = {
                f"/v1/transit/encrypt/{name}": transit.encrypt,
                f"/v1/transit/decrypt/{name}": transit.decrypt,
            }
            if transit.failure is not None:
                answer = (transit.failure, {"errors": ["Vault is sealed"]})
            elif self.headers["X-Vault-Token"] != TOKEN:
                answer = (403, {"errors": ["permission denied"]})
            elif self.path not in operations:
                answer = (404, {"errors": ["encryption key not found"]})
            else:
                answer = operations[self.path](question)
            status, value = answer
            body = transit.raw_answer if transit.raw_answer is not None else json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Location", "http://127.0.0.1:1/")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name for it
            """Nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        transit.address = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield transit
        finally:
            server.shutdown()
            thread.join()
