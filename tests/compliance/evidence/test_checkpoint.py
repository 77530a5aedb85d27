"""Notes and checkpoints: what is refused, and the published example of the format."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from compliance.evidence import checkpoint
from compliance.evidence.canonical import encode_base64
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import CheckpointKeyError, CheckpointMalformedError, CheckpointSignatureError

ORIGIN = "ledger.example/test"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
VKEY = checkpoint.vkey(ORIGIN, KEY.public_key())
HEAD = Checkpoint(ORIGIN, 314, bytes(range(32)))
NOTE = checkpoint.sign(HEAD, ORIGIN, KEY)
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
OTHER_LINE = checkpoint.sign(HEAD, "witness.example", OTHER).split(b"\n\n")[1]

MALFORMED: dict[str, bytes] = {
    "empty": b"",
    "no blank line": NOTE.replace(b"\n\n", b"\n"),
    "no signature": NOTE.split(b"\n\n")[0] + b"\n\n",
    "no final newline": NOTE[:-1],
    "not UTF-8": b"\xff" + NOTE,
    "a control character": NOTE.replace(b"314", b"31\t4"),
    "a carriage return": NOTE.replace(b"314\n", b"314\r\n"),
    "an extension line": NOTE.replace(b"\n\n", b"\nextension\n\n"),
    "a leading zero": NOTE.replace(b"314", b"0314"),
    "a negative size": NOTE.replace(b"314", b"-314"),
    "a size in other digits": NOTE.replace(b"314", "٣١٤".encode()),
    "a short root": NOTE.replace(encode_base64(bytes(range(32))).encode(), b"AAAA"),
    "a root that is no base64": NOTE.replace(encode_base64(bytes(range(32))).encode(), b"!"),
    "a root with spare bits": NOTE.replace(b"Hh8=", b"Hh9="),
    "a hyphen for the dash": NOTE.replace("— ".encode(), b"- "),
    "a signature of no bytes": NOTE.split(b"\n\n")[0] + f"\n\n— {ORIGIN} AAAA\n".encode(),
    "a space in the name": NOTE.replace(b"ledger.example/test", b"ledger example"),
    "a thousand signatures": NOTE + OTHER_LINE * 1000,
    "two megabytes": NOTE + OTHER_LINE * 20_000,
}


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_note_is_refused(name: str) -> None:
    assert MALFORMED[name] != NOTE
    with pytest.raises(CheckpointMalformedError):
        checkpoint.open_note(MALFORMED[name], [VKEY])


def test_a_changed_size_breaks_the_signature() -> None:
    with pytest.raises(CheckpointSignatureError):
        checkpoint.open_note(NOTE.replace(b"314", b"315"), [VKEY])


def test_one_wrong_signature_of_a_trusted_key_refuses_the_note_even_beside_a_right_one() -> None:
    wrong = checkpoint.sign(Checkpoint(ORIGIN, 1, bytes(32)), ORIGIN, KEY).split(b"\n\n")[1]
    with pytest.raises(CheckpointSignatureError):
        checkpoint.open_note(NOTE + wrong, [VKEY])


def test_a_note_by_unknown_keys_alone_is_refused() -> None:
    with pytest.raises(CheckpointKeyError, match=r"found signatures by ledger\.example/test"):
        checkpoint.open_note(NOTE, [checkpoint.vkey(ORIGIN, OTHER.public_key())])


def test_no_trusted_key_means_no_trust() -> None:
    with pytest.raises(CheckpointKeyError, match="no key at all"):
        checkpoint.open_note(NOTE, [])


def test_a_witness_cannot_sign_in_the_place_of_the_log() -> None:
    note = checkpoint.sign(HEAD, "witness.example", OTHER)
    with pytest.raises(CheckpointKeyError):
        checkpoint.open_note(note, [checkpoint.vkey("witness.example", OTHER.public_key())])


BAD_VKEYS = {
    "empty": "",
    "no plus": "ledger.example",
    "another key id": VKEY.replace(VKEY.split("+")[1], "00000000"),
    "upper-case key id": VKEY.replace(VKEY.split("+")[1], VKEY.split("+")[1].upper() + "F"),
    "another type": f"{ORIGIN}+{VKEY.split('+')[1]}+{encode_base64(bytes([4]) + bytes(32))}",
    "short key": f"{ORIGIN}+{VKEY.split('+')[1]}+{encode_base64(bytes([1]) + bytes(31))}",
    "no base64": f"{ORIGIN}+{VKEY.split('+')[1]}+!!",
    "a space in the name": VKEY.replace("ledger", "led ger"),
    "two lines": VKEY + "\n\n",
}


@pytest.mark.parametrize("name", BAD_VKEYS)
def test_a_bad_vkey_is_refused(name: str) -> None:
    with pytest.raises(CheckpointKeyError):
        checkpoint.parse_vkey(BAD_VKEYS[name])


@pytest.mark.parametrize("origin", ["", "two words", "a+b", "line\nbreak"])
def test_a_bad_origin_is_never_signed(origin: str) -> None:
    with pytest.raises(CheckpointMalformedError):
        checkpoint.sign(Checkpoint(origin, 1, bytes(32)), origin, KEY)


def test_a_root_of_another_length_is_never_signed() -> None:
    with pytest.raises(CheckpointMalformedError):
        checkpoint.sign(Checkpoint(ORIGIN, 1, b"short"), ORIGIN, KEY)


def test_a_note_opens_to_what_was_signed() -> None:
    assert checkpoint.open_note(NOTE, [VKEY]) == HEAD


def test_lines_of_unknown_keys_are_ignored() -> None:
    assert checkpoint.open_note(NOTE + OTHER_LINE, [VKEY]) == HEAD


def test_a_vkey_is_read_back_with_or_without_its_newline() -> None:
    assert str(checkpoint.parse_vkey(VKEY + "\n")) == VKEY == str(checkpoint.parse_vkey(VKEY))


def test_a_vkey_of_the_go_checksum_database_parses() -> None:
    """sum.golang.org is a C2SP log; its key id was computed by other code than ours."""
    known = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"
    assert checkpoint.parse_vkey(known).key_id.hex() == "033de0ae"
