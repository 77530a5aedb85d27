"""Pages of notices against a slow twin: each notice once, newest first, also where many were made at one moment."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from compliance.recipients import queries
from compliance.recipients.models import Notice
from compliance.requests.errors import InvalidInputError, NotFoundError
from tests.compliance import cast
from tests.compliance.recipients import scene

pytestmark = pytest.mark.django_db
FIRST = datetime(2026, 5, 1, 12, 0, tzinfo=UTC)
#: Seconds after the first: some at the same moment.
TIMES = (0, 0, 3, 1, 3, 3, 2)


def notices() -> list[Notice]:
    """One for each of the times, of one recipient, about requests of their own."""
    first = scene.owed(scene.waiting())
    made = [first]
    for number in range(1, len(TIMES)):
        request = cast.ask(f"person{number}@example.org").request
        made.append(
            Notice.objects.create(
                request=request, recipient=first.recipient, article=first.article, created_at=first.created_at
            )
        )
    for notice, seconds in zip(made, TIMES, strict=True):
        Notice.objects.filter(pk=notice.pk).update(created_at=FIRST + timedelta(seconds=seconds))
    return list(Notice.objects.all())


@pytest.mark.parametrize("n_rows", [1, 2, 3, len(TIMES), len(TIMES) + 1])
def test_pages_hold_each_notice_once_newest_first(n_rows: int) -> None:
    expected = sorted(notices(), key=lambda notice: (notice.created_at, notice.pk), reverse=True)
    recipient_id = expected[0].recipient_id
    found: list[Notice] = []
    after: uuid.UUID | None = None
    while True:
        page = queries.notices_of_recipient(recipient_id, after=after, n_rows=n_rows)
        found, after = found + page.rows, page.after
        if after is None:
            break
        assert len(page.rows) == n_rows
    assert found == expected


def test_a_place_in_the_list_of_another_recipient_is_refused() -> None:
    request = scene.waiting()
    first, second = scene.owed(request, "First"), scene.owed(request, "Second")
    with pytest.raises(InvalidInputError, match="place"):
        queries.notices_of_recipient(first.recipient_id, after=second.pk)


def test_what_is_not_there_is_named() -> None:
    nobody = uuid.uuid4()
    reads = (queries.recipient, queries.notice, queries.notices_of_recipient, queries.notices_of_request)
    for read in reads:
        with pytest.raises(NotFoundError, match=str(nobody)):
            read(nobody)


def test_what_is_owed_and_unanswered_is_counted_whatever_the_number_of_models() -> None:
    made = notices()
    recipient = made[0].recipient
    recipient.models.add(cast.model_of("ranking", cast.CHARLIE))
    for notice, status in zip(made, ("sent", "sent", "acknowledged", "impossible"), strict=False):
        Notice.objects.filter(pk=notice.pk).update(status=status)
    for found in (queries.recipient(recipient.pk), *queries.recipients().rows):
        assert (vars(found)["n_owed"], vars(found)["n_unanswered"]) == (len(TIMES) - 4, 2)
