"""The published log over HTTP: who gets what, how long it may be kept, and that no other file is ever given."""

import pytest
from django.conf import settings
from django.http import FileResponse
from django.test import Client

from compliance.evidence import merkle
from compliance.evidence.tile_files import decode_entries
from compliance.ledger import log_files, notes
from compliance.ledger.log_store import store_at
from compliance.ledger.models import SignedCheckpoint
from tests.compliance import cast
from tests.compliance.ledger.growing import grow_to
from tests.compliance.portal.browsing import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def head() -> SignedCheckpoint:
    """300 entries, published with a time stamp."""
    head = grow_to(300)
    store = store_at(settings.LOG_DIR)
    log_files.export(store, head)
    log_files.announce(store, head, notes.cosigned(head), b"token")
    return head


def url_of(head: SignedCheckpoint, path: str) -> str:
    return f"/log/{log_files.folder_of(head.log.origin)}/{path}"


def content_of(response: object) -> bytes:
    assert isinstance(response, FileResponse)
    return response.getvalue()


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/001.p/44", "tile/entries/000", "tile/9/000"])
def test_tiles_and_entries_are_for_those_who_are_signed_in(head: SignedCheckpoint, path: str) -> None:
    response = Client().get(url_of(head, path))
    assert response.status_code == 302 and response["Location"].startswith("/login/")
    refused = signed_in(cast.staff("erin")).get(url_of(head, path))
    assert refused.status_code == 403 and "immutable" not in refused["Cache-Control"]


@pytest.mark.parametrize(
    "path",
    [
        pytest.param("tile/0/002", id="no such tile"),
        pytest.param("tile/0/000.p/7", id="a size that was never published"),
        pytest.param("tile/0", id="a folder"),
        pytest.param("tile/0/000.p", id="a folder of partial tiles"),
        pytest.param("tile/0/../../checkpoint", id="a way out of the folder"),
        pytest.param("tile/0/%2e%2e/000", id="an encoded way out"),
        pytest.param("checkpoint.tsr.new", id="another file"),
        pytest.param(".checkpoint.new", id="half a file"),
    ],
)
def test_nothing_else_is_given(head: SignedCheckpoint, path: str) -> None:
    client = signed_in(cast.audrey())
    assert client.get(url_of(head, path)).status_code == 404


@pytest.mark.parametrize("name", ["1999", "..", "%2e%2e", "ledger", "."])
def test_no_folder_but_that_of_a_log_is_read(head: SignedCheckpoint, name: str) -> None:
    store_at(settings.LOG_DIR).write("1999/checkpoint", b"of nobody")
    assert Client().get(f"/log/{name}/checkpoint").status_code == 404
    assert signed_in(cast.audrey()).get(f"/log/{name}/tile/0/000").status_code == 404


def test_nothing_can_be_changed(head: SignedCheckpoint) -> None:
    client = signed_in(cast.audrey())
    for path in ("checkpoint", "checkpoint.tsr", "tile/0/000"):
        assert client.post(url_of(head, path)).status_code == 405


def test_before_the_first_publication_there_is_nothing() -> None:
    head = grow_to(3)
    assert Client().get(url_of(head, "checkpoint")).status_code == 404


def test_everybody_gets_the_checkpoint_and_keeps_no_copy(head: SignedCheckpoint) -> None:
    response = Client().get(url_of(head, "checkpoint"))
    assert content_of(response) == bytes(head.note)
    assert response["Content-Type"] == "text/plain; charset=utf-8"
    assert "no-store" in response["Cache-Control"]
    response = Client().get(url_of(head, "checkpoint.tsr"))
    assert content_of(response) == b"token"
    assert response["Content-Type"] == "application/timestamp-reply"


def test_an_auditor_reads_tiles_and_entries_and_keeps_the_full_ones(head: SignedCheckpoint) -> None:
    client = signed_in(cast.audrey())
    leaves = []
    for path, width in (("entries/000", 256), ("entries/001.p/44", 44)):
        response = client.get(url_of(head, f"tile/{path}"))
        leaves += decode_entries(content_of(response), width)
        assert response["Content-Type"] == "application/octet-stream"
        assert ("immutable" in response["Cache-Control"]) == (width == 256)
        assert response.has_header("Expires") == (width != 256)
    hashes = b"".join(map(merkle.leaf_hash, leaves))
    assert content_of(client.get(url_of(head, "tile/0/000"))) == hashes[:8192]
    assert content_of(client.get(url_of(head, "tile/0/001.p/44"))) == hashes[8192:]
    response = client.get(url_of(head, "tile/1/000.p/1"))
    assert "no-store" in response["Cache-Control"] and len(content_of(response)) == 32


def test_an_object_store_is_read_in_the_same_way(head: SignedCheckpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "LOG_DIR", "memory://published-log-test")
    store = store_at(settings.LOG_DIR)
    log_files.export(store, head)
    log_files.announce(store, head, b"note", None)
    assert content_of(Client().get(url_of(head, "checkpoint"))) == b"note"
    client = signed_in(cast.audrey())
    assert len(content_of(client.get(url_of(head, "tile/0/000")))) == 8192
    assert client.get(url_of(head, "tile/0/002")).status_code == 404
