"""A real time stamp authority for the tests: OpenSSL's, with a root and a certificate of its own, over HTTP.

Its replies carry the signer's certificate alone: OpenSSL sends others along in an order that strict readers refuse.
"""

import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

CONFIGURATION = """
[req]
distinguished_name = name
prompt = no
[name]
CN = Example root
[root]
basicConstraints = critical, CA:true
keyUsage = critical, keyCertSign, cRLSign
subjectKeyIdentifier = hash
[signer]
basicConstraints = critical, CA:false
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
[authority]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.3.6.1.4.1.57264.2
digests = sha256, sha384, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""
CURVE = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
MAX_REQUEST_BYTES = 65_536


def needs_openssl() -> str:
    """The path of OpenSSL; skips the test where there is none."""
    path = shutil.which("openssl")
    if path is None:
        pytest.skip("OpenSSL is not installed here.")
    return path


class TimestampAuthority:
    """Keys, certificates and numbers in one folder. Requests are answered one after the other."""

    def __init__(self, folder: Path, key: tuple[str, ...] = CURVE) -> None:
        self.folder = folder
        self._openssl = needs_openssl()
        self._guard = threading.Lock()
        (folder / "configuration").write_text(CONFIGURATION)
        (folder / "serial").write_text("01\n")
        self.openssl("genpkey", *CURVE, "-out", "root.key")
        root = ("-config", "configuration", "-extensions", "root", "-days", "3650", "-sha256", "-out", "root.pem")
        self.openssl("req", "-x509", "-new", "-key", "root.key", *root)
        self.openssl("genpkey", *key, "-out", "tsa.key")
        named = ("-config", "configuration", "-subj", "/CN=Example TSA", "-out", "tsa.csr")
        self.openssl("req", "-new", "-key", "tsa.key", *named)
        issuer = ("-CA", "root.pem", "-CAkey", "root.key", "-CAcreateserial", "-days", "365", "-sha256")
        signer = ("-extfile", "configuration", "-extensions", "signer", "-out", "tsa.pem")
        self.openssl("x509", "-req", "-in", "tsa.csr", *issuer, *signer)

    def openssl(self, *arguments: str) -> None:
        """Run OpenSSL in the folder; raises CalledProcessError."""
        subprocess.run([self._openssl, *arguments], cwd=self.folder, check=True, capture_output=True, timeout=60)

    @property
    def pems(self) -> tuple[str, ...]:
        """What an auditor pins: root first, signer last."""
        return (self.folder / "root.pem").read_text(), (self.folder / "tsa.pem").read_text()

    def reply(self, query: bytes) -> bytes:
        """The answer to a TimeStampReq, in DER."""
        with self._guard:
            (self.folder / "query").write_bytes(query)
            files = ("-queryfile", "query", "-out", "reply")
            self.openssl("ts", "-reply", "-config", "configuration", "-section", "authority", *files)
            return (self.folder / "reply").read_bytes()

    def stamp(self, data: bytes, *options: str) -> bytes:
        """The reply to a request that OpenSSL makes itself, for these bytes."""
        (self.folder / "data").write_bytes(data)
        self.openssl("ts", "-query", "-data", "data", "-cert", "-out", "asked", *(options or ("-sha256",)))
        return self.reply((self.folder / "asked").read_bytes())


@contextmanager
def answering(authority: TimestampAuthority) -> Iterator[str]:
    """The URL of this authority for the time of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            length = min(int(self.headers["Content-Length"]), MAX_REQUEST_BYTES)
            answer = authority.reply(self.rfile.read(length))
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
            """Nobody reads it."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()
