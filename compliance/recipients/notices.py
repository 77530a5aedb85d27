"""Who has to be told that a person was forgotten: the active recipients of the models that forgot, once each.

Art. 19 GDPR: each recipient to whom the data were disclosed. Art. 17(2): controllers that process what was made public.

Next: compliance/outbound/kinds/recipient_notice.py
"""

from datetime import UTC, datetime
from typing import Any

from django.db.models import QuerySet

from compliance.outbound import steps
from compliance.recipients.models import Article, Notice, Recipient
from compliance.requests.models import DeletionRequest, Regulation
from compliance.requests.states import TargetState

#: The kind of message, named by its file.
KIND = "recipient_notice"
_FORGOT = (TargetState.PASSED, TargetState.DEPLOYED)


def owe(request: DeletionRequest) -> list[Notice]:
    """Owe each recipient its notice, in the caller's transaction; those with an address are sent after commit.

    Call it when every target is verified. A second call owes only what came to be owed since.
    """
    return [_owe(request, recipient) for recipient in not_owed(request)]


def not_owed(request: DeletionRequest) -> QuerySet[Recipient]:
    """Recipients that have to be told and have no notice yet."""
    told = Notice.objects.filter(request=request).values("recipient")
    found = Recipient.objects.filter(is_active=True, models__in=_forgetful(request)).exclude(pk__in=told)
    return found.distinct()


def deliver(notice: Notice) -> None:
    """Send a notice to its recipient's address, if it has one; after commit, and again until it is taken."""
    if notice.recipient.url:
        steps.create(KIND, notice.pk, notice.recipient.url)


def _owe(request: DeletionRequest, recipient: Recipient) -> Notice:
    article = _article(request, recipient)
    notice = Notice.objects.create(
        request=request, recipient=recipient, article=article, created_at=datetime.now(tz=UTC)
    )
    notice.models.set(recipient.models.filter(pk__in=_forgetful(request)))
    deliver(notice)
    return notice


def _forgetful(request: DeletionRequest) -> QuerySet[Any, Any]:
    return request.targets.filter(state__in=_FORGOT).values("model")


def _article(request: DeletionRequest, recipient: Recipient) -> Article:
    if request.regulation == Regulation.CCPA:
        return Article.CCPA_7022
    return Article.ART_17_2 if recipient.is_public else Article.ART_19
