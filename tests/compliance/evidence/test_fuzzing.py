"""Whatever bytes are given, the verifier answers with a report or with an EvidenceError, and never with more truth.

Three attackers, from blind to able: random bytes, changed members of a genuine bundle, and arbitrary JSON in every
place where JSON is signed or committed to, genuinely signed.
"""

import contextlib
import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import example, given, settings
from hypothesis import strategies as st

from compliance.evidence import (
    bundle,
    canonical,
    checkpoint,
    commitment,
    dsse,
    export_index,
    leaf,
    proof,
    rekord,
    signing,
    sigstore,
    statement,
    summary,
    trust,
)
from compliance.evidence.errors import EvidenceError, ExitCode
from compliance.evidence.position import Position
from compliance.evidence.verify import verify_bundle

from .archive import pack, unpack
from .edits import code_of
from .story import Part, Story

POSITIONS = st.integers(min_value=0, max_value=10**6)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([2**53, -(2**53), 10**400]),
    st.floats(),
    st.text(),
    st.sampled_from(["", "0" * 64, "00000000-0000-4000-8000-000000000001", "exact", "FAILED", "\ud800", "A" * 5000]),
)
# Python's module cuts a name at a zero byte and cannot write an empty one; test_container.py has both.
NAMES = st.text(st.characters(exclude_characters="\x00"), min_size=1, max_size=5)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=9), inner, max_size=3)),
    max_leaves=6,
)


def spliced(data: bytes, position: int, length: int, insert: bytes) -> bytes:
    """Some bytes replaced by others, at a place inside."""
    at = position % (len(data) + 1)
    return data[:at] + insert + data[at + length :]


# --- Bytes -------------------------------------------------------------------------------------------------------


@settings(max_examples=200)
@given(data=st.binary(max_size=300))
@example(data=b"PK\x05\x06" + bytes(18))
@example(data=b"PK\x05\x06" + b"\xff" * 18)
def test_random_bytes_are_no_bundle(data: bytes) -> None:
    assert code_of(data) is not ExitCode.VERIFIED


@settings(max_examples=400)
@given(position=POSITIONS, length=st.integers(0, 4), insert=st.binary(max_size=4))
def test_no_archive_with_other_bytes_verifies(genuine: bytes, position: int, length: int, insert: bytes) -> None:
    """Of the whole file: headers, names, time stamps and contents alike."""
    changed = spliced(genuine, position, length, insert)
    assert changed == genuine or code_of(changed) is not ExitCode.VERIFIED


@settings(max_examples=400)
@given(member=POSITIONS, position=POSITIONS, length=st.integers(0, 4), insert=st.binary(max_size=4))
def test_no_member_with_other_bytes_verifies(
    genuine: bytes, member: int, position: int, length: int, insert: bytes
) -> None:
    """The archive around it is made to fit, so that the change reaches the parser of the member."""
    files = unpack(genuine)
    name = sorted(files)[member % len(files)]
    changed = spliced(files[name], position, length, insert)
    assert changed == files[name] or code_of(pack(files | {name: changed})) is not ExitCode.VERIFIED


@settings(max_examples=150)
@given(first=POSITIONS, second=POSITIONS)
def test_no_exchange_of_members_verifies(genuine: bytes, first: int, second: int) -> None:
    files = unpack(genuine)
    names = sorted(files)
    a, b = names[first % len(names)], names[second % len(names)]
    changed = files | {a: files[b], b: files[a]}
    assert changed == files or code_of(pack(changed)) is not ExitCode.VERIFIED


@pytest.mark.parametrize(
    "read",
    [
        bundle.read,
        checkpoint.open_note,
        commitment.parse_openings,
        leaf.parse,
        proof.parse,
        rekord.parse_hashedrekord,
        dsse.load_public_key,
        dsse.load_public_key_der,
        dsse.parse_envelope,
        statement.parse_statement,
        summary.parse_summary,
        sigstore.read,
        trust.parse,
        export_index.parse_export,
    ],
    ids=lambda read: read.__name__,
)
@settings(max_examples=100)
@given(data=st.data())
def test_every_reader_of_bytes_refuses_with_an_evidence_error(
    read: Callable[..., object], data: st.DataObject, genuine: bytes
) -> None:
    """Random bytes, random JSON, and genuine members that are read as what they are not or were changed."""
    files = unpack(genuine)
    member = st.sampled_from(sorted(files)).map(lambda name: files[name])
    changed = st.builds(spliced, member, POSITIONS, st.integers(0, 4), st.binary(max_size=4))
    written = JSON.map(lambda value: json.dumps(value).encode())
    content = data.draw(st.one_of(st.binary(max_size=100), written, member, changed))
    arguments = [content, []] if read is checkpoint.open_note else [content]
    with contextlib.suppress(EvidenceError):
        read(*arguments)


# --- bundle.json, which nobody signs -----------------------------------------------------------------------------


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The place of every value inside a JSON document."""
    found = [path]
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        found += paths(member, (*path, key))
    return found


def put(document: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The document with another value in one place."""
    if not path:
        return value
    changed = document.copy()
    changed[path[0]] = put(document[path[0]], path[1:], value)
    return changed


def written(value: Any) -> bytes:
    """Canonical JSON, or where there is none, what Python's module writes."""
    try:
        return canonical.dumps(value)
    except ValueError:
        return json.dumps(value).encode()


@settings(max_examples=300)
@given(place=POSITIONS, value=JSON)
def test_an_index_of_any_shape_never_changes_what_is_proven(genuine: bytes, place: int, value: Any) -> None:
    """The seal is recomputed, as an attacker would."""

    files = unpack(genuine)
    index = json.loads(files["bundle.json"])
    places = paths(index)
    changed = put(index, places[place % len(places)], value)
    if isinstance(changed, dict):
        unsealed = {key: member for key, member in changed.items() if key != "seal_sha256"}
        changed = unsealed | {"seal_sha256": sha256(written(unsealed)).hexdigest()}
    try:
        report = verify_bundle(pack(files | {"bundle.json": written(changed)}))
    except EvidenceError:
        return
    assert report == verify_bundle(genuine)


# --- Arbitrary JSON, genuinely signed ----------------------------------------------------------------------------


class NonsenseStory(Story):
    """One document is changed in one place before it is signed, logged or committed to."""

    # As many entries as a completed request of two models has.
    N_ENTRIES = 16

    def __init__(self, where: str, place: int, value: Any, log_key: Ed25519PrivateKey, signer: Any) -> None:
        self.where, self.place, self.value = where, place, value
        self.n_entries = 0
        super().__init__(log_key=log_key, signer=signer, n_others=0)

    def nonsense(self, content: bytes) -> bytes:
        document = json.loads(content)
        places = paths(document)
        return written(put(document, places[self.place % len(places)], self.value))

    def append(self, entry: bytes) -> Position:
        self.n_entries += 1
        if self.where == "entry" and self.n_entries == 1 + self.place % self.N_ENTRIES:
            entry = self.nonsense(entry)
        return super().append(entry)

    def plan(self) -> None:
        if self.where == "policy":
            self.policy = self.nonsense(self.policy)
        super().plan()

    def payload(self, part: Part) -> bytes:
        payload = super().payload(part)
        return self.nonsense(payload) if self.where == "statement" else payload

    def summary_payload(self, part: Part) -> bytes:
        payload = super().summary_payload(part)
        return self.nonsense(payload) if self.where == "summary" else payload

    def shares(self) -> list[dict[str, Any]]:
        shares: Any = super().shares()
        if self.where == "scope":
            places = paths(shares)
            shares = put(shares, places[self.place % len(places)], self.value)
        return shares  # type: ignore[no-any-return]  # whatever it is: that is the test

    def contents(self) -> bundle.BundleContents:
        contents = super().contents()
        if self.where == "openings" and contents.openings is not None:
            contents = bundle.BundleContents(**vars(contents) | {"openings": self.nonsense(contents.openings)})
        return contents


@pytest.mark.parametrize("where", ["entry", "policy", "statement", "summary", "scope", "openings"])
@settings(max_examples=150)
@given(place=POSITIONS, value=JSON)
def test_signed_nonsense_is_a_report_or_a_refusal(
    where: str, place: int, value: Any, log_key: Ed25519PrivateKey, signer: signing.EvidenceSigner
) -> None:
    try:
        data = bundle.write(NonsenseStory(where, place, value, log_key, signer).contents())
    except ValueError:
        # A scope that has no JSON form cannot be committed to in the first place.
        assert where == "scope"
        return
    assert code_of(data) is not ExitCode.UNEXPECTED_ERROR


@settings(max_examples=50)
@given(names=st.lists(NAMES, max_size=4, unique=True), content=st.binary(max_size=9))
def test_archives_of_any_names_are_refused(names: list[str], content: bytes) -> None:
    buffer = io.BytesIO()
    try:
        with zipfile.ZipFile(buffer, "w") as archive:
            for name in names:
                archive.writestr(name, content)
    except (UnicodeEncodeError, UserWarning):
        return
    assert code_of(buffer.getvalue()) is not ExitCode.VERIFIED
