"""The decision on a request: the matrix of what is refused, and with which status."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from compliance.evidence import checkpoint, merkle
from compliance.evidence.canonical import encode_base64
from compliance.evidence.checkpoint import Checkpoint
from compliance.evidence.witness import service
from compliance.evidence.witness.service import Accepted, KnownLog, Refused, decide

from .history import ORIGIN, History

SPECIFICATION = json.loads((Path(__file__).parent.parent / "vectors" / "witnesses.json").read_text())["specification"]
LOG = History(key=Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
STRANGER = History(key=Ed25519PrivateKey.from_private_bytes(bytes([9] * 32)))
FORK = LOG.forked_at(10)
EMPTY = KnownLog(ORIGIN, (LOG.vkey,))
AT_12 = replace(EMPTY, note=LOG.note(12))
HASH = encode_base64(bytes(32)).encode()


def judged(log: KnownLog, request: bytes) -> Accepted | Refused:
    return decide({log.origin: log}, request)


def refusal(log: KnownLog, request: bytes) -> Refused:
    decision = judged(log, request)
    assert isinstance(decision, Refused)
    return decision


GOOD = LOG.request(12, 20)
OTHER_LOG = replace(LOG, origin="ledger.example/2027")
WRONG_SIGNATURE = GOOD.replace(LOG.note(20), LOG.note(20).replace(b"\n20\n", b"\n21\n"))

MALFORMED = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"\n" + GOOD, id="an empty line first"),
    pytest.param(GOOD.replace(b"old 12", b"old 012"), id="a leading zero"),
    pytest.param(GOOD.replace(b"old 12", b"old -1"), id="a negative size"),
    pytest.param(GOOD.replace(b"old 12", b"old  12"), id="two spaces"),
    pytest.param(GOOD.replace(b"old 12", b"old 12 "), id="a space behind the size"),
    pytest.param(GOOD.replace(b"old 12", b"OLD 12"), id="upper case"),
    pytest.param(GOOD.replace(b"old 12", b"old"), id="no size"),
    pytest.param(GOOD.replace(b"old 12", b"old 12\r"), id="a carriage return"),
    pytest.param(GOOD.replace(b"old 12", b"old " + b"9" * 40), id="a size of forty digits"),
    pytest.param(GOOD.replace(b"old 12", "old ١٢".encode()), id="other digits"),
    pytest.param(GOOD.removeprefix(b"old 12\n"), id="no old size line"),
    pytest.param(GOOD.replace(b"\n\nledger", b"\nledger"), id="no empty line"),
    pytest.param(GOOD.replace(b"old 12\n", b"old 12\n!\n"), id="a proof line that is no base64"),
    pytest.param(GOOD.replace(b"old 12\n", b"old 12\n\xff\n"), id="a proof line that is no ASCII"),
    pytest.param(GOOD.replace(b"old 12\n", b"old 12\nAAAA\n"), id="a proof line of three bytes"),
    pytest.param(GOOD.replace(b"old 12\n", b"old 12\n" + HASH[:-2] + b"B=\n"), id="a proof line with spare bits"),
    pytest.param(GOOD.replace(b"old 12\n", b"old 12\n" + (HASH + b"\n") * 64), id="more than 63 proof lines"),
    pytest.param(GOOD[:-1], id="no final newline"),
    pytest.param(GOOD + b"\n", id="an empty line last"),
    pytest.param(GOOD + b"text\n", id="a line that is no signature"),
    pytest.param(
        GOOD.replace(b"\n20\n", b"\n20\n", 1).replace(b"\n\n\xe2", b"\nextension\n\n\xe2"), id="an extension line"
    ),
    pytest.param(GOOD.replace(b"ledger.example/2026\n20", b"ledger example\n20"), id="a space in the origin"),
    pytest.param(GOOD.split(b"\n\n")[0] + b"\n\n" + LOG.head(20).body(), id="no signature"),
    pytest.param(GOOD.replace(b"\n20\n", b"\n-20\n"), id="a negative checkpoint size"),
    pytest.param(LOG.request(12, 20).replace(b"old 12", b"old 21"), id="an old size above the checkpoint's"),
    pytest.param(GOOD + b"x" * service.MAX_REQUEST_BYTES, id="too large"),
]


@pytest.mark.parametrize("request_bytes", MALFORMED)
def test_a_malformed_request_is_a_bad_request(request_bytes: bytes) -> None:
    assert request_bytes != GOOD
    assert refusal(AT_12, request_bytes).answer.status == 400


REFUSED = [
    pytest.param(AT_12, OTHER_LOG.request(0, 20), 404, id="an unknown log"),
    pytest.param(AT_12, replace(STRANGER, origin="other").request(0, 20), 404, id="an unknown log and key"),
    pytest.param(AT_12, STRANGER.request(12, 20), 403, id="a key that is not the log's"),
    pytest.param(AT_12, WRONG_SIGNATURE, 403, id="a signature over another size"),
    pytest.param(AT_12, GOOD + STRANGER.note(20).split(b"\n\n")[1], None, id="a stranger's line beside the log's"),
    pytest.param(AT_12, GOOD + LOG.note(19).split(b"\n\n")[1], 403, id="a wrong line of the log beside a right one"),
    pytest.param(AT_12, LOG.request(5, 12), 409, id="an old size below the known one"),
    pytest.param(AT_12, LOG.request(0, 20), 409, id="an old size of zero"),
    pytest.param(AT_12, LOG.request(15, 20), 409, id="an old size above the known one"),
    pytest.param(AT_12, LOG.request(5, 5), 409, id="a rollback"),
    pytest.param(AT_12, LOG.request(0, 0), 409, id="a rollback to the empty log"),
    pytest.param(EMPTY, LOG.request(5, 20), 409, id="an old size where nothing is known"),
    pytest.param(AT_12, FORK.request(12, 12), 422, id="another root of the same size"),
    pytest.param(AT_12, FORK.request(12, 20), 422, id="another history"),
    pytest.param(AT_12, GOOD.replace(b"old 12\n", b"old 12\n" + HASH + b"\n"), 422, id="a proof line too many"),
    pytest.param(AT_12, b"old 12\n\n" + LOG.note(20), 422, id="no proof"),
    pytest.param(AT_12, b"old 12\n" + HASH + b"\n\n" + LOG.note(12), 422, id="a proof for the same size"),
    pytest.param(EMPTY, b"old 0\n" + HASH + b"\n\n" + LOG.note(20), 422, id="a proof from size zero"),
    pytest.param(
        EMPTY,
        b"old 0\n\n" + checkpoint.sign(Checkpoint(ORIGIN, 0, bytes(32)), ORIGIN, LOG.key),
        422,
        id="an empty log with another root",
    ),
    pytest.param(EMPTY, LOG.request(0, 0), None, id="the empty log"),
    pytest.param(EMPTY, LOG.request(0, 20), None, id="the first checkpoint"),
    pytest.param(AT_12, LOG.request(12, 12), None, id="the known checkpoint again"),
    pytest.param(AT_12, GOOD, None, id="a grown log"),
]


@pytest.mark.parametrize(("log", "request_bytes", "status"), REFUSED)
def test_each_request_has_the_status_that_the_specification_asks_for(
    log: KnownLog, request_bytes: bytes, status: int | None
) -> None:
    decision = judged(log, request_bytes)
    assert (decision.answer.status if isinstance(decision, Refused) else None) == status


def test_a_conflict_tells_the_known_size_in_its_own_type() -> None:
    answer = refusal(AT_12, LOG.request(0, 20)).answer
    assert (answer.body, answer.content_type) == (b"12\n", "text/x.tlog.size")
    assert refusal(EMPTY, LOG.request(5, 20)).answer.body == b"0\n"


def test_two_signed_roots_of_one_size_are_kept_as_proof_and_nothing_else_is() -> None:
    assert refusal(AT_12, FORK.request(12, 12)).fork == (LOG.note(12), FORK.note(12))
    # A proof that fails may be a mistake of whoever sent it.
    assert refusal(AT_12, FORK.request(12, 20)).fork == ()
    assert refusal(AT_12, STRANGER.request(12, 12)).fork == ()


def test_only_the_logs_own_lines_are_kept() -> None:
    stranger = STRANGER.note(20).split(b"\n\n")[1]
    decision = judged(AT_12, GOOD + stranger + LOG.note(20).split(b"\n\n")[1])
    assert decision == Accepted(AT_12, LOG.note(20))


def test_a_log_that_changes_its_key_signs_with_both_for_a_while() -> None:
    second = replace(LOG, key=Ed25519PrivateKey.generate())
    both = replace(AT_12, vkeys=(LOG.vkey, second.vkey))
    assert isinstance(judged(both, second.request(12, 20)), Accepted)
    line = second.note(20).split(b"\n\n")[1]
    assert judged(both, GOOD + line) == Accepted(both, LOG.note(20) + line)
    assert refusal(AT_12, second.request(12, 20)).answer.status == 403


def test_the_specifications_request_is_read_as_it_is_meant() -> None:
    request = SPECIFICATION["request"].encode()
    submission = service.parse_request(request)
    assert (submission.old_size, len(submission.path)) == (20_852_014, 4)
    head = checkpoint.parse_body(checkpoint.split_note(submission.note)[0])
    assert (head.origin, head.size) == ("example.com/behind-the-sofa", 20_852_163)
    assert refusal(EMPTY, request).answer.status == 404
    # Its keys are not published: a log of that name with another key has not signed it.
    stranger = replace(LOG, origin="example.com/behind-the-sofa")
    assert refusal(KnownLog(stranger.origin, (stranger.vkey,)), request).answer.status == 403


def test_the_head_of_a_log_without_a_note_is_the_empty_tree() -> None:
    assert EMPTY.head == Checkpoint(ORIGIN, 0, merkle.EMPTY_ROOT)


@given(data=st.data())
def test_whatever_is_sent_the_known_head_only_grows_along_one_history(data: st.DataObject) -> None:
    """Random requests of the log and of three forks: every accepted head extends the one accepted before it."""
    histories = [LOG, *(LOG.forked_at(size) for size in (3, 10, 17))]
    known, history = EMPTY, LOG
    for _ in range(8):
        sender = data.draw(st.sampled_from(histories))
        old, size = sorted(data.draw(st.tuples(st.integers(0, 25), st.integers(0, 25))))
        decision = judged(known, sender.request(old, size))
        is_prefix = sender.leaf_hashes[: known.head.size] == history.leaf_hashes[: known.head.size]
        assert isinstance(decision, Accepted) == (old == known.head.size and is_prefix)
        if isinstance(decision, Accepted):
            known, history = replace(known, note=decision.note), sender


@given(request_bytes=st.one_of(st.binary(max_size=300), st.text(max_size=300).map(str.encode)))
def test_no_bytes_make_it_fail(request_bytes: bytes) -> None:
    assert refusal(AT_12, request_bytes).answer.status == 400


@given(position=st.integers(0, len(GOOD) - 1), bit=st.integers(0, 7))
def test_no_bit_of_a_request_can_be_flipped(position: int, bit: int) -> None:
    flipped = bytearray(GOOD)
    flipped[position] ^= 1 << bit
    assert refusal(AT_12, bytes(flipped)).answer.status in (400, 403, 404, 409, 422)


def test_an_answer_never_repeats_a_note_that_was_refused() -> None:
    for case in (GOOD.replace(ORIGIN.encode() + b"\n20", b"erika.mustermann\n20"), GOOD + b"erika.mustermann\n"):
        assert b"erika" not in refusal(AT_12, case).answer.body
