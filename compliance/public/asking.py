"""A person asks on the public page: the request, and what a model is reported to have said, are received as one.

Next: compliance/requests/actions/submit.py
"""

from datetime import UTC, datetime

from django.db import transaction

from compliance.requests.actions.ask_question import seal, written
from compliance.requests.actions.submit import Submitted, submit
from compliance.requests.models import Channel, SealedNote


@transaction.atomic
def ask(
    *, identifier_kind: str, identifier_value: str, ground: str, regulation: str, locale: str, said: str
) -> Submitted:
    """A new request; `said`, unless it is empty, is sealed with it for those who look into it.

    Raises InvalidInputError. Opinion 28/2024 of the EDPB, paragraph 107, names such reports among what a controller
    should offer.
    """
    submitted = submit(
        identifier_kind=identifier_kind,
        identifier_value=identifier_value,
        ground=ground,
        regulation=regulation,
        channel=Channel.WEB,
        locale=locale,
    )
    if said.strip():
        seal(submitted.request, SealedNote.Kind.COMPLAINT, written(said, "said"), datetime.now(tz=UTC))
    return submitted
