"""Nothing that can be made from a person's address is anywhere an auditor, a witness or a reader of logs could look."""

import base64
import hashlib
import logging
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.evidence.trust import write
from compliance.evidence.verify_export import verify_export
from compliance.ledger.actors import SYSTEM
from compliance.ledger.models import HashTile, LedgerEntry, PendingEntry, SignedCheckpoint
from compliance.ledger.trust_file import current_trust
from compliance.registry.pseudonyms import pseudonym_of
from compliance.reports import ledger_export, request_bundle
from compliance.requests.actions.shred import shred
from compliance.requests.models import Letter
from tests.compliance import cast

pytestmark = pytest.mark.django_db
# Long enough that no random id, digest or number holds it by chance, and marked so that it is no word of the formats:
# Hypothesis likes to try the words that it finds in the code.
NAMES = st.text(alphabet="abcdefghijklmnopqrstuvwxyz", min_size=9, max_size=20).map(lambda text: f"zqj{text}jqz")
DIGESTS = ("md5", "sha1", "sha256", "sha512", "sha3_256", "blake2b", "blake2s")


def traces(address: str, pseudonym: str) -> Iterator[bytes]:
    """The address, its parts and spellings, their plain and common digests in three encodings, and the pseudonym."""
    local, _, domain = address.partition("@")
    texts = {address, local, domain, address.upper(), address[::-1], address.replace("@", "%40"), f"mailto:{address}"}
    for text in texts:
        data = text.encode()
        yield from (data, data.hex().encode(), base64.b64encode(data).rstrip(b"="))
        for name in DIGESTS:
            digest = hashlib.new(name, data).digest()
            yield from (digest, digest.hex().encode(), base64.b64encode(digest).rstrip(b"="))
    yield from (pseudonym.encode(), bytes.fromhex(pseudonym))


def forgotten(address: str) -> uuid.UUID:
    """A request of this person, completed and signed."""
    cast.model_of(f"spam-{uuid.uuid4().hex[:8]}", address)
    request = cast.ask(address).request
    cast.prove(request.pk)
    cast.decide(request.pk)
    cast.make_plan(request.pk)
    cast.work(request.pk)
    cast.second_signature(request.pk)
    cast.run_ledger()
    return request.pk


def shown(request_id: uuid.UUID) -> bytes:
    """Everything that leaves the vault: rows of the ledger, bundle, export, trust file."""
    with tempfile.TemporaryDirectory() as name:
        folder = ledger_export.export(Path(name) / "export", [request_id])
        verify_export(folder, trust=current_trust(), n_processes=1)
        files = b"".join(path.read_bytes() + path.name.encode() for path in folder.rglob("*") if path.is_file())
    rows = [
        *(
            bytes(leaf)
            for model in (LedgerEntry, PendingEntry)
            for leaf in model.objects.values_list("leaf", flat=True)
        ),
        *map(bytes, HashTile.objects.values_list("hashes", flat=True)),
        *map(bytes, SignedCheckpoint.objects.values_list("note", flat=True)),
    ]
    return b"".join((files, *rows, request_bundle.export(request_id), write(current_trust())))


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(local=NAMES, label=NAMES)
def test_nothing_derived_from_a_person_is_shown_before_or_after_shredding(
    local: str, label: str, caplog: pytest.LogCaptureFixture
) -> None:
    address = f"{local}@{label}.example"
    pseudonym = pseudonym_of("email", address)
    # Nothing is rolled back between two people: the ledger would refuse to sign what it signed before.
    with caplog.at_level(logging.DEBUG):
        request_id = forgotten(address)
        before = shown(request_id)
        Letter.objects.filter(request_id=request_id).update(sent_at=LedgerEntry.objects.latest("position").sequenced_at)
        shred(request_id, actor=SYSTEM)
        cast.run_ledger()
        after = shown(request_id)
    logged = caplog.text.encode()
    for trace in traces(address, pseudonym):
        assert trace not in before
        assert trace not in after
        assert trace not in logged
    assert f"requests/{request_id}".encode() not in logged


def test_the_traces_would_be_found_where_they_are() -> None:
    """The test above can fail: what it looks for is found in a text that holds it."""
    found = list(traces("someone@somewhere.example", "ab" * 32))
    text = b"x" + hashlib.sha256(b"someone@somewhere.example").hexdigest().encode() + b"y"
    assert sum(trace in text for trace in found) == 1
