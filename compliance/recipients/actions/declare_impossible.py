"""The DPO decides that a recipient cannot be told, or only with disproportionate effort (Art. 19 GDPR).

Where answers are required, it is also how the DPO goes on without one. The words may name the person and are sealed.
"""

import uuid
from datetime import UTC, datetime

from django.db import transaction

from compliance.ledger.actors import Actor
from compliance.outbound import steps
from compliance.recipients import locking, permissions, progress
from compliance.recipients.models import Impossibility, Notice, NoticeStatus
from compliance.recipients.notices import KIND
from compliance.requests import identities, transitions
from compliance.requests.actions.ask_question import written
from compliance.requests.choices import chosen


@transaction.atomic
def declare_impossible(notice_id: uuid.UUID, *, actor: Actor, reason: str, words: str) -> Notice:
    """End a notice that is owed or unanswered; nothing more is sent.

    Raises NotFoundError, InvalidInputError, StateError, ForbiddenActorError for everybody but a DPO, and VaultError.
    """
    permissions.refuse_but(permissions.DPO, actor)
    given = chosen(Impossibility, "reason", reason)
    text = written(words, "words")
    steps.end_alarms(KIND, Notice.objects.filter(pk=notice_id).values_list("pk", flat=True))
    notice = locking.locked(notice_id)
    locking.refuse_shredded(notice)
    progress.refuse_move(notice, NoticeStatus.IMPOSSIBLE)
    progress.move(
        notice,
        NoticeStatus.IMPOSSIBLE,
        impossible_at=datetime.now(tz=UTC),
        impossibility=given.value,
        sealed_words=identities.seal_note(notice.request.vault, text),
    )
    facts = {"recipient": str(notice.recipient_id), "reason": given.value}
    transitions.note(notice.request, "request.recipient_impossible", actor=actor, facts=facts)
    return notice
