"""Keys behind URIs: what is refused before anything is signed, and that HSM and key service really sign.

The key services of the clouds are not asked here, since nothing here can answer for them. SoftHSM is a real PKCS#11
token; for Vault a small server speaks its transit protocol, which shows that requests and replies fit, and no more.
"""

import base64
import importlib
import importlib.util
import json
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from securesystemslib.signer import CryptoSigner, Signature, Signer  # type: ignore[attr-defined]  # as in signer_uri.py

from compliance.evidence import checkpoint, dsse, signer_uri
from compliance.evidence.key_files import KeyFileError
from compliance.evidence.signer_uri import PublicKey, SignerError, SignerUnreachableError, UriSigner
from compliance.evidence.signing import EvidenceSigner, UriLogKey

P256, OTHER = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
ED25519 = Ed25519PrivateKey.generate()
P256_PEM, ED25519_PEM = dsse.public_key_pem(P256.public_key()), dsse.public_key_pem(ED25519.public_key())


def written(path: Path, key: Any, mode: int = 0o600) -> str:
    """The URI of a key file."""
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(pem)
    path.chmod(mode)
    return f"file2:{path}"


# --- Refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("uri", ["", "vault", "hv:", "vault:key", "gnupg:key", "https://example.org/key", "/key.pem"])
def test_a_uri_of_another_form_is_refused_with_the_forms_there_are(uri: str) -> None:
    with pytest.raises(SignerError, match=r"hsm:NUMBER.*awskms:"):
        signer_uri.open_signer(uri, P256.public_key())


PACKAGES = {
    "hsm": "pkcs11",
    "hv": "hvac",
    "awskms": "boto3",
    "gcpkms": "google.cloud.kms",
    "azurekms": "azure.identity",
}


def is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:
        return False


@pytest.mark.parametrize(
    ("uri", "extra"),
    [
        pytest.param("hsm:2?label=expunge", "pkcs11", id="hsm"),
        pytest.param("hv:expunge/1", "vault", id="hv"),
        pytest.param("awskms:alias/expunge", "aws-kms", id="awskms"),
        pytest.param("gcpkms:projects/p/cryptoKeyVersions/1", "gcp-kms", id="gcpkms"),
        pytest.param("azurekms://name.vault.azure.net/keys/k/1", "azure-kms", id="azurekms"),
    ],
)
def test_a_missing_package_is_named_by_the_extra_that_brings_it(uri: str, extra: str) -> None:
    if is_installed(PACKAGES[uri.partition(":")[0]]):
        pytest.skip("the packages of this extra are installed")
    with pytest.raises(SignerError, match=rf"pip install 'expunge\[{extra}\]'"):
        signer_uri.open_signer(uri, P256.public_key(), lambda name: "1234")


@pytest.mark.parametrize("scheme", [name for name, each in signer_uri.SCHEMES.items() if not each.holds_ed25519])
def test_a_service_without_ed25519_holds_no_checkpoint_key(scheme: str) -> None:
    with pytest.raises(SignerError, match=r"Ed25519.*file2: or hv:"):
        UriLogKey.from_uri(f"{scheme}:key", ED25519_PEM)


@pytest.mark.parametrize(
    "pem", [b"", b"no key", ED25519_PEM, P256_PEM[:50]], ids=["nothing", "text", "Ed25519", "half"]
)
def test_a_public_key_that_is_none_for_evidence_is_refused(pem: bytes, tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="public key"):
        EvidenceSigner.from_uri(written(tmp_path / "key.pem", P256), pem)


@pytest.mark.parametrize("pem", [b"", b"no key", P256_PEM, ED25519_PEM[:50]], ids=["nothing", "text", "P-256", "half"])
def test_a_public_key_that_is_none_for_a_log_is_refused(pem: bytes, tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="public key"):
        UriLogKey.from_uri(written(tmp_path / "key.pem", ED25519), pem)


@pytest.mark.parametrize(
    "private_key",
    [
        pytest.param(OTHER, id="another key"),
        pytest.param(ED25519, id="a log key"),
        pytest.param(ec.generate_private_key(ec.SECP384R1()), id="another curve"),
        pytest.param(rsa.generate_private_key(65537, 2048), id="an RSA key"),
    ],
)
def test_a_private_key_that_does_not_fit_the_public_one_is_refused(private_key: Any, tmp_path: Path) -> None:
    with pytest.raises(SignerError, match=r"key\.pem"):
        EvidenceSigner.from_uri(written(tmp_path / "key.pem", private_key), P256_PEM)


def test_a_key_file_behind_a_uri_is_held_to_the_rules_of_key_files(tmp_path: Path) -> None:
    """The library that opens URIs would read it, whoever else can."""
    with pytest.raises(KeyFileError, match="chmod 600"):
        EvidenceSigner.from_uri(written(tmp_path / "key.pem", P256, 0o644), P256_PEM)
    with pytest.raises(KeyFileError, match="no key file"):
        EvidenceSigner.from_uri(f"file2:{tmp_path / 'none.pem'}", P256_PEM)


def test_the_first_signature_is_a_probe_that_is_no_evidence_and_no_checkpoint() -> None:
    assert not signer_uri._PROBE.startswith(b"DSSEv1")
    assert signer_uri._PROBE.count(b"\n") == 1, "a checkpoint has three lines"


class Service(Signer):
    """A key service as the library shows it: an object that signs, or fails in its own way."""

    def __init__(self, answer: Callable[[bytes], bytes]) -> None:
        self._answer = answer

    @classmethod
    def from_priv_key_uri(cls, priv_key_uri: str, public_key: Any, secrets_handler: Any = None) -> "Service":
        raise NotImplementedError

    @property
    def public_key(self) -> Any:
        raise NotImplementedError

    def sign(self, payload: bytes) -> Signature:
        return Signature("", self._answer(payload).hex())


def signer_of(answer: Callable[[bytes], bytes], public_key: PublicKey) -> UriSigner:
    return UriSigner(Service(answer), public_key, "hv:expunge/1")


def failing(error: BaseException) -> Callable[[bytes], bytes]:
    def fail(_: bytes) -> bytes:
        raise error

    return fail


@pytest.mark.parametrize(
    ("answer", "public_key"),
    [
        pytest.param(lambda data: OTHER.sign(data, ec.ECDSA(SHA256())), P256.public_key(), id="another P-256 key"),
        pytest.param(lambda data: P256.sign(data + b" ", ec.ECDSA(SHA256())), P256.public_key(), id="other bytes"),
        pytest.param(lambda data: b"", P256.public_key(), id="nothing"),
        pytest.param(lambda data: ED25519.sign(data)[:63], ED25519.public_key(), id="63 bytes"),
        pytest.param(Ed25519PrivateKey.generate().sign, ED25519.public_key(), id="another Ed25519 key"),
    ],
)
def test_a_signature_that_does_not_verify_is_never_given_out(
    answer: Callable[[bytes], bytes], public_key: PublicKey
) -> None:
    with pytest.raises(SignerError, match="does not belong") as refused:
        signer_of(answer, public_key).sign(b"data")
    assert not isinstance(refused.value, SignerUnreachableError)


VaultDown = type("VaultDown", (Exception,), {})
EndpointConnectionError = type("EndpointConnectionError", (type("ConnectionError", (Exception,), {}),), {})
Forbidden = type("Forbidden", (Exception,), {})


@pytest.mark.parametrize(
    "error",
    [
        pytest.param(TimeoutError("no answer"), id="a time-out"),
        pytest.param(ConnectionRefusedError(), id="nobody listens"),
        pytest.param(VaultDown("sealed"), id="hvac says 503"),
        pytest.param(EndpointConnectionError("no route"), id="botocore finds nobody"),
    ],
)
def test_a_service_that_does_not_answer_is_worth_another_try(error: Exception) -> None:
    with pytest.raises(SignerUnreachableError, match=rf"hv:expunge/1 cannot be reached.*{type(error).__name__}"):
        signer_of(failing(error), P256.public_key()).sign(b"data")


def test_what_an_error_was_caused_by_counts_too() -> None:
    def fail(_: bytes) -> bytes:
        try:
            raise TimeoutError
        except TimeoutError as error:
            raise ValueError("wrapped") from error

    with pytest.raises(SignerUnreachableError):
        signer_of(fail, P256.public_key()).sign(b"data")


@pytest.mark.parametrize(
    "error", [pytest.param(Forbidden("no permission"), id="forbidden"), pytest.param(ValueError("no"), id="any other")]
)
def test_a_service_that_says_no_is_not_asked_again(error: Exception) -> None:
    with pytest.raises(SignerError, match=r"credentials") as refused:
        signer_of(failing(error), P256.public_key()).sign(b"data")
    assert not isinstance(refused.value, SignerUnreachableError)


@pytest.mark.parametrize("package", ["hvac", "botocore", "google.api_core", "azure.core", "pkcs11", "requests"])
def test_the_names_of_errors_are_those_of_the_libraries(package: str) -> None:
    if not is_installed(package):
        pytest.skip(f"{package} is not installed")
    module = importlib.import_module(f"{package}.exceptions")
    assert signer_uri._NOT_NOW & set(dir(module))


# --- Files -------------------------------------------------------------------------------------------------------


def test_a_log_key_behind_a_uri_signs_a_checkpoint_that_verifies(tmp_path: Path) -> None:
    key = UriLogKey.from_uri(written(tmp_path / "key.pem", ED25519), ED25519_PEM)
    note = checkpoint.sign(
        checkpoint.Checkpoint(origin="example.org/log", size=1, root=bytes(32)), "example.org/log", key
    )
    opened = checkpoint.open_note(note, [checkpoint.vkey("example.org/log", ED25519.public_key())])
    assert opened.size == 1


def test_the_key_id_is_ours_and_not_that_of_the_library() -> None:
    assert CryptoSigner(P256, signer_uri.library_key(P256.public_key())).public_key.keyid == dsse.public_key_sha256(
        P256.public_key()
    )


# --- An HSM ------------------------------------------------------------------------------------------------------

SOFTHSM = [
    Path(folder) / "libsofthsm2.so"
    for folder in (
        "/usr/lib/softhsm",
        "/usr/lib/x86_64-linux-gnu/softhsm",
        "/usr/local/lib/softhsm",
        "/usr/lib64/pkcs11",
    )
]
PIN = "648219"


@pytest.fixture(scope="module")
def hsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URI of the key P256 on a SoftHSM token."""
    library = next((path for path in SOFTHSM if path.exists()), None)
    if library is None or shutil.which("softhsm2-util") is None or not is_installed("pkcs11"):
        pytest.skip("needs SoftHSM (softhsm2-util, libsofthsm2.so) and the extra pkcs11")
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    (folder / "softhsm2.conf").write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    written(folder / "key.pem", P256)
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", str(folder / "softhsm2.conf"))
        environment.setenv("PYKCS11LIB", str(library))
        for arguments in (
            ["--init-token", "--free", "--label", "expunge", "--so-pin", "12345678"],
            ["--import", str(folder / "key.pem"), "--token", "expunge", "--label", "evidence", "--id", "02"],
        ):
            subprocess.run(["softhsm2-util", *arguments, "--pin", PIN], check=True, capture_output=True)
        yield "hsm:2?label=expunge"


@pytest.mark.parametrize(
    ("change", "pin"),
    [
        pytest.param(("label=expunge", "label=other"), PIN, id="another token"),
        pytest.param(("hsm:2", "hsm:3"), PIN, id="another key"),
        pytest.param(("hsm:2", "hsm:two"), PIN, id="a name as a number"),
        pytest.param(("", ""), "000000", id="another PIN"),
    ],
)
def test_an_hsm_that_gives_no_signature_is_an_error(change: tuple[str, str], pin: str, hsm: str) -> None:
    with pytest.raises(SignerError, match="gives no signature"):
        EvidenceSigner.from_uri(hsm.replace(*change), P256_PEM, lambda name: pin)


def test_the_public_key_of_another_key_is_found_before_anything_is_signed(hsm: str) -> None:
    with pytest.raises(SignerError, match="does not belong"):
        EvidenceSigner.from_uri(hsm, dsse.public_key_pem(OTHER.public_key()), lambda name: PIN)


def test_an_hsm_signs_evidence(hsm: str) -> None:
    asked = []

    def read_secret(name: str) -> str:
        asked.append(name)
        return PIN

    signer = EvidenceSigner.from_uri(hsm, P256_PEM, read_secret)
    assert dsse.verify_envelope(signer.sign(b"{}"), [P256.public_key()]) == b"{}"
    assert set(asked) == {"pin"}


# --- Vault's transit protocol ------------------------------------------------------------------------------------


class TransitStandIn(BaseHTTPRequestHandler):
    """Answers as the documentation of Vault's transit engine says; no Vault."""

    def do_POST(self) -> None:
        """POST /v1/transit/sign/NAME with {"input", "key_version"}."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        name = self.path.removeprefix("/v1/transit/sign/")
        data = base64.b64decode(asked["input"])
        if self.headers["X-Vault-Token"] != "token":
            return self._answer(403, {"errors": ["permission denied"]})
        if name == "sealed":
            return self._answer(503, {"errors": ["Vault is sealed"]})
        signature = ED25519.sign(data) if name == "log" else P256.sign(data, ec.ECDSA(SHA256()))
        encoded = f"vault:v{asked['key_version']}:{base64.b64encode(signature).decode()}"
        return self._answer(200, {"data": {"signature": encoded}})

    def _answer(self, status: int, value: object) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that the library calls it by
        """Nothing."""


@pytest.fixture
def transit(monkeypatch: pytest.MonkeyPatch) -> Iterator[HTTPServer]:
    """The stand-in, where the client looks for Vault."""
    if not is_installed("hvac"):
        pytest.skip("needs the extra vault")
    with HTTPServer(("127.0.0.1", 0), TransitStandIn) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        monkeypatch.setenv("VAULT_ADDR", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("VAULT_TOKEN", "token")
        yield server
        server.shutdown()
        thread.join()


def test_the_transit_protocol_signs_evidence_and_checkpoints(transit: HTTPServer) -> None:
    signer = EvidenceSigner.from_uri("hv:evidence/1", P256_PEM)
    assert dsse.verify_envelope(signer.sign(b"{}"), [P256.public_key()]) == b"{}"
    ED25519.public_key().verify(UriLogKey.from_uri("hv:log/3", ED25519_PEM).sign(b"data"), b"data")


def test_vault_without_permission_is_an_error_and_a_sealed_one_worth_another_try(
    transit: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(SignerUnreachableError):
        EvidenceSigner.from_uri("hv:sealed/1", P256_PEM)
    monkeypatch.setenv("VAULT_TOKEN", "stolen")
    with pytest.raises(SignerError, match="permission denied") as refused:
        EvidenceSigner.from_uri("hv:evidence/1", P256_PEM)
    assert not isinstance(refused.value, SignerUnreachableError)


def test_vault_that_is_not_there_is_worth_another_try(transit: HTTPServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://127.0.0.1:1")
    with pytest.raises(SignerUnreachableError):
        EvidenceSigner.from_uri("hv:evidence/1", P256_PEM)
