"""Rows that are stored without asking for their keys: the same rows, the same refusals, fewer round trips."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from compliance.evidence.merkle import leaf_hash
from compliance.ledger.inserting import insert, together
from compliance.ledger.models import PendingEntry
from compliance.requests.models import DeletionRequest, SubjectVault
from compliance.requests.states import RequestState
from tests.compliance import cast

LEAF = b'{"not":"a leaf of the list"}'


def _request(**changes: Any) -> DeletionRequest:
    fields = {"id": uuid.uuid4(), "token_sha256": uuid.uuid4().hex * 2, "changed_at": datetime.now(tz=UTC)}
    stored = cast.brought_to(RequestState.RECEIVED).request
    copied = {field.attname: getattr(stored, field.attname) for field in DeletionRequest._meta.concrete_fields}
    return DeletionRequest(**(copied | fields | changes))


def _vault_of(request: DeletionRequest) -> SubjectVault:
    vault = SubjectVault.objects.first()
    assert vault is not None
    vault.pk, vault.request = None, request
    return vault


# --- Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_what_the_database_refuses_is_raised_by_the_end_of_the_block_and_nothing_is_stored() -> None:
    request = _request()
    again = _request(id=request.pk)
    n_before = DeletionRequest.objects.count()
    has_ended = False
    with pytest.raises(IntegrityError), transaction.atomic():
        with together():
            insert(request)
            insert(again)
        has_ended = True
    assert not has_ended
    assert DeletionRequest.objects.count() == n_before


@pytest.mark.django_db(transaction=True)
def test_a_leaf_that_is_not_on_the_allow_list_takes_everything_else_back() -> None:
    request = _request()
    n_before, kind = DeletionRequest.objects.count(), PendingEntry.objects.values_list("kind", flat=True)[0]
    entry = PendingEntry(
        kind=kind,
        event_type="request.received",
        request_id=request.pk,
        leaf=LEAF,
        leaf_sha256=leaf_hash(LEAF).hex(),
        recorded_at=datetime.now(tz=UTC),
    )
    with pytest.raises(IntegrityError), transaction.atomic(), together():
        insert(request)
        insert(entry)
    assert DeletionRequest.objects.count() == n_before


@pytest.mark.django_db(transaction=True)
def test_an_error_of_ours_in_the_block_is_the_one_that_is_raised() -> None:
    request = _request()
    with pytest.raises(LookupError, match="ours"), transaction.atomic(), together():
        insert(request)
        raise LookupError("ours")
    assert not DeletionRequest.objects.filter(pk=request.pk).exists()


@pytest.mark.django_db
def test_a_row_that_is_not_there_yet_is_refused_when_the_transaction_ends() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        insert(_vault_of(_request()))
        connection.check_constraints()


# --- What is stored -------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_row_is_the_one_that_the_orm_stores() -> None:
    ours = _request()
    insert(ours)
    row = DeletionRequest.objects.filter(pk=ours.pk).values().get()
    DeletionRequest.objects.filter(pk=ours.pk).delete()
    ours.save(force_insert=True)
    assert row == DeletionRequest.objects.filter(pk=ours.pk).values().get()


@pytest.mark.django_db
def test_bytes_come_back_as_they_were() -> None:
    request = _request()
    vault = _vault_of(request)
    with together():
        insert(vault)
        insert(request)
    stored = SubjectVault.objects.get(request=request)
    assert bytes(stored.wrapped_key) == bytes(vault.wrapped_key)
    assert stored.pk is not None


@pytest.mark.django_db
def test_what_is_asked_in_the_block_knows_what_was_stored_in_it() -> None:
    request = _request()
    with together():
        insert(request)
        assert DeletionRequest.objects.filter(pk=request.pk).exists()


@pytest.mark.django_db
def test_each_statement_is_seen_by_whoever_watches_the_connection() -> None:
    request = _request()
    with CaptureQueriesContext(connection) as seen:
        insert(request)
    assert [query["sql"].startswith("INSERT") for query in seen.captured_queries] == [True]
