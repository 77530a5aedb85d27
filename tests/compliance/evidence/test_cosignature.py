"""Cosignatures: what is refused, and what others published, as data: vectors/witnesses.json names each source."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import canonical, checkpoint, cosignature
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.errors import CheckpointKeyError, CheckpointMalformedError, CheckpointSignatureError

VECTORS: dict[str, Any] = json.loads((Path(__file__).parent / "vectors" / "witnesses.json").read_text())
SPECIFICATION, PUBLIC = VECTORS["specification"], VECTORS["public_log"]
ORIGIN = "ledger.example/2026"
LOG = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
NAME = "dpo.example/w1"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
VKEY = cosignature.vkey(NAME, KEY.public_key())
OTHER = Ed25519PrivateKey.from_private_bytes(bytes([7] * 32))
AT = datetime(2026, 5, 1, 12, tzinfo=UTC)
NOTE = checkpoint.sign(Checkpoint(ORIGIN, 314, bytes(range(32))), ORIGIN, LOG)
LINE = cosignature.cosign(NOTE, NAME, KEY, AT)
COSIGNED = NOTE + LINE


def with_blob(change: Any) -> bytes:
    """The cosigned note with the bytes behind the name changed."""
    blob = canonical.decode_base64(LINE.decode().split(" ")[2].rstrip("\n"))
    return NOTE + cosignature.signature_line(NAME, change(blob))


DAMAGE = [
    pytest.param(COSIGNED.replace(b"314", b"315"), CheckpointSignatureError, id="another size"),
    pytest.param(
        COSIGNED.replace(ORIGIN.encode() + b"\n", b"ledger.example/2027\n"), CheckpointSignatureError, id="log"
    ),
    pytest.param(
        with_blob(lambda b: b[:11] + bytes([b[11] ^ 1]) + b[12:]), CheckpointSignatureError, id="another time"
    ),
    pytest.param(
        with_blob(lambda b: b[:-1] + bytes([b[-1] ^ 1])), CheckpointSignatureError, id="a bit of the signature"
    ),
    pytest.param(with_blob(lambda b: b[:-1]), CheckpointMalformedError, id="a byte short"),
    pytest.param(with_blob(lambda b: b + b"\0"), CheckpointMalformedError, id="a byte long"),
    pytest.param(with_blob(lambda b: b[:4] + b[12:]), CheckpointMalformedError, id="no time"),
    pytest.param(with_blob(lambda b: b[:4] + bytes(8) + b[12:]), CheckpointMalformedError, id="time zero"),
    pytest.param(
        with_blob(lambda b: b[:4] + b"\xff" * 8 + b[12:]), CheckpointMalformedError, id="a time beyond all dates"
    ),
    pytest.param(COSIGNED.replace(b"\n\n", b"\nextension\n\n"), CheckpointMalformedError, id="an extension line"),
    pytest.param(COSIGNED[:-1], CheckpointMalformedError, id="no final newline"),
    pytest.param(LINE, CheckpointMalformedError, id="a line without a note"),
    pytest.param(b"", CheckpointMalformedError, id="nothing"),
]


@pytest.mark.parametrize(("note", "refusal"), DAMAGE)
def test_a_damaged_cosignature_refuses_the_note(note: bytes, refusal: type[Exception]) -> None:
    with pytest.raises(refusal):
        cosignature.verify(note, {"w1": VKEY})


def test_one_wrong_line_of_a_witness_refuses_the_note_even_beside_a_right_one() -> None:
    wrong = with_blob(lambda b: b[:-1] + bytes([b[-1] ^ 1])).removeprefix(NOTE)
    with pytest.raises(CheckpointSignatureError):
        cosignature.verify(COSIGNED + wrong, {"w1": VKEY})


def test_a_log_key_is_no_cosigner_key_and_the_other_way_round() -> None:
    with pytest.raises(CheckpointKeyError, match="0x04"):
        cosignature.parse_vkey(checkpoint.vkey(NAME, KEY.public_key()))
    with pytest.raises(CheckpointKeyError, match="0x01"):
        checkpoint.parse_vkey(VKEY)
    with pytest.raises(CheckpointKeyError):
        cosignature.verify(COSIGNED, {"w1": checkpoint.vkey(ORIGIN, LOG.public_key())})
    with pytest.raises(CheckpointKeyError):
        checkpoint.open_note(COSIGNED, [VKEY])


def test_a_plain_signature_of_a_witnesss_key_is_no_cosignature() -> None:
    """Under the key id of type 0x01, which names another key although the 32 bytes are the same."""
    plain = checkpoint.sign(Checkpoint(ORIGIN, 314, bytes(range(32))), NAME, KEY).split(b"\n\n")[1]
    assert cosignature.verify(NOTE + plain, {"w1": VKEY}) == {}


@pytest.mark.parametrize(
    "vkey",
    [
        pytest.param("", id="empty"),
        pytest.param(VKEY.replace(VKEY.split("+")[1], "00000000"), id="another key id"),
        pytest.param(VKEY.replace("dpo", "d po"), id="a space in the name"),
        pytest.param(VKEY + "\n\n", id="two lines"),
        pytest.param(
            f"{NAME}+{VKEY.split('+')[1]}+{canonical.encode_base64(bytes([4]) + bytes(31))}", id="a short key"
        ),
        pytest.param(f"{NAME}+{VKEY.split('+')[1]}+{canonical.encode_base64(bytes([6]) + bytes(32))}", id="type 6"),
    ],
)
def test_a_bad_cosigner_vkey_is_refused(vkey: str) -> None:
    with pytest.raises(CheckpointKeyError):
        cosignature.parse_vkey(vkey)


@pytest.mark.parametrize(
    "note",
    [
        pytest.param(NOTE.replace(b"\n\n", b"\nextension\n\n"), id="an extension line"),
        pytest.param(b"any text\n\n" + LINE, id="a note that is no checkpoint"),
        pytest.param(b"no note", id="no note"),
    ],
)
def test_nothing_but_a_checkpoint_of_three_lines_is_cosigned(note: bytes) -> None:
    with pytest.raises(CheckpointMalformedError):
        cosignature.cosign(note, NAME, KEY, AT)


@pytest.mark.parametrize(
    "at",
    [
        pytest.param(AT.replace(tzinfo=None), id="without a zone"),
        pytest.param(AT.replace(microsecond=1), id="with a fraction of a second"),
        pytest.param(datetime(1970, 1, 1, tzinfo=UTC), id="zero"),
        pytest.param(datetime(1969, 1, 1, tzinfo=UTC), id="before 1970"),
    ],
)
def test_a_time_that_the_format_cannot_carry_is_not_signed(at: datetime) -> None:
    with pytest.raises(ValueError, match="xpected a time"):
        cosignature.cosign(NOTE, NAME, KEY, at)


def test_a_name_that_no_note_can_carry_is_not_signed_under() -> None:
    with pytest.raises(CheckpointMalformedError):
        cosignature.cosign(NOTE, "two words", KEY, AT)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(LINE[:-1], id="no newline"),
        pytest.param(LINE + LINE, id="two lines"),
        pytest.param(b"\n" + LINE, id="a second blank line"),
        pytest.param(b"text\n\n" + LINE, id="text before it"),
        pytest.param(b"no line\n", id="no signature line"),
    ],
)
def test_only_one_whole_signature_line_is_added(line: bytes) -> None:
    with pytest.raises(CheckpointMalformedError):
        cosignature.add_line(NOTE, line)


def test_a_line_is_added_once() -> None:
    assert cosignature.add_line(NOTE, LINE) == COSIGNED
    assert cosignature.add_line(COSIGNED, LINE) == COSIGNED


def test_only_lines_of_known_keys_are_kept_each_once() -> None:
    other = cosignature.cosign(NOTE, "other.example", OTHER, AT)
    crowded = COSIGNED + other + LINE
    assert cosignature.with_lines_of(crowded, [cosignature.parse_vkey(VKEY)]) == NOTE.split(b"\n\n")[0] + b"\n\n" + LINE
    with pytest.raises(CheckpointMalformedError):
        cosignature.with_lines_of(crowded, [])


def test_a_witness_without_a_line_is_left_out() -> None:
    other = cosignature.vkey("other.example", OTHER.public_key())
    assert cosignature.verify(COSIGNED, {"w1": VKEY, "w2": other}) == {"w1": AT}
    assert cosignature.verify(NOTE, {"w1": VKEY}) == {}
    # The same name with another key is another cosigner.
    assert cosignature.verify(COSIGNED, {"w1": cosignature.vkey(NAME, OTHER.public_key())}) == {}


def test_of_several_lines_of_one_witness_the_first_time_counts() -> None:
    later = cosignature.cosign(NOTE, NAME, KEY, AT + timedelta(hours=1))
    assert cosignature.verify(NOTE + later + LINE, {"w1": VKEY}) == {"w1": AT}
    assert [each.line for each in cosignature.cosignatures(NOTE + later + LINE, VKEY)] == [later, LINE]


def test_a_cosigned_note_is_still_the_note_of_its_log() -> None:
    head = checkpoint.open_note(COSIGNED, [checkpoint.vkey(ORIGIN, LOG.public_key())])
    assert (head.origin, head.size) == (ORIGIN, 314)


@given(
    size=st.integers(0, 2**53 - 1),
    root=st.binary(min_size=32, max_size=32),
    seconds=st.integers(1, 253_402_300_799),
)
def test_what_is_cosigned_verifies_with_its_time(size: int, root: bytes, seconds: int) -> None:
    note = checkpoint.sign(Checkpoint(ORIGIN, size, root), ORIGIN, LOG)
    at = datetime.fromtimestamp(seconds, UTC)
    assert cosignature.verify(note + cosignature.cosign(note, NAME, KEY, at), {"w1": VKEY}) == {"w1": at}


# --- What others published ---------------------------------------------------------------------------------------


def test_four_public_witnesses_of_a_public_log_verify_with_their_published_keys() -> None:
    note = PUBLIC["note"].encode()
    at = canonical.parse_time(PUBLIC["cosigned_at"])
    assert checkpoint.open_note(note, [PUBLIC["log_vkey"]]).size == 1_432_088_532
    vkeys = {vkey: vkey for vkey in PUBLIC["witness_vkeys"]}
    assert cosignature.verify(note, vkeys) == dict.fromkeys(vkeys, at)
    assert len(vkeys) == 4


@pytest.mark.parametrize("vkey", PUBLIC["witness_vkeys"])
def test_each_public_cosignature_is_refused_over_a_changed_checkpoint(vkey: str) -> None:
    assert str(cosignature.parse_vkey(vkey)) == vkey
    with pytest.raises(CheckpointSignatureError):
        cosignature.verify(PUBLIC["note"].replace("1432088532", "1432088533").encode(), {"w": vkey})


def test_the_specifications_example_has_the_parts_that_it_prints() -> None:
    """Its keys are not published, so the signed message is compared with that of a key of ours at the same time."""
    note, message = SPECIFICATION["cosigned_note"].encode(), SPECIFICATION["signed_message"].encode()
    _, (_, (name, _, blob)) = checkpoint.split_note(note)
    at = datetime.fromtimestamp(int.from_bytes(blob[:8], "big"), UTC)
    assert (name, len(blob), at) == ("witness.example.com/w1", 72, datetime.fromtimestamp(1_679_315_147, UTC))
    line = cosignature.cosign(note, NAME, KEY, at)
    ours = canonical.decode_base64(line.decode().split(" ")[2].rstrip("\n"))
    assert ours[4:12] == blob[:8]
    KEY.public_key().verify(ours[12:], message)


def test_the_specifications_answer_is_three_lines_for_one_note() -> None:
    text = SPECIFICATION["cosigned_note"].split("\n\n")[0].encode()
    _, lines = checkpoint.split_note(text + b"\n\n" + SPECIFICATION["answer"].encode())
    assert [(name, len(blob)) for name, _, blob in lines] == [
        ("witness.example/w1", 72),
        ("witness.example/w1", 72),
        ("witness.example/w2", 72),
    ]
