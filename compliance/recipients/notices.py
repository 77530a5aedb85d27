"""Who has to be told that a person was forgotten: the active recipients of the models that forgot, once of each.

Art. 19 GDPR: each recipient to whom the data were disclosed. Art. 17(2): controllers that process what was made public.

Next: compliance/outbound/kinds/recipient_notice.py
"""

from datetime import UTC, datetime
from typing import Any

from django.db.models import Exists, OuterRef, QuerySet

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
    """Recipients that have to be told of a model, and have no notice that names it."""
    return Recipient.objects.filter(pk__in=_untold(request).values("recipient"))


def _untold(request: DeletionRequest) -> QuerySet[Any]:
    """Pairs of a recipient and a model that forgot, of which no notice tells.

    A model that forgot after the others were told of, because it was registered late, makes a second notice.
    """
    told = Notice.models.through.objects.filter(
        notice__request=request,
        notice__recipient=OuterRef("recipient"),
        registeredmodel=OuterRef("registeredmodel"),
    )
    pairs = Recipient.models.through.objects.filter(recipient__is_active=True, registeredmodel__in=_forgetful(request))
    return pairs.exclude(Exists(told))


def deliver(notice: Notice) -> None:
    """Send a notice to its recipient's address, if it has one; after commit, and again until it is taken."""
    if notice.recipient.url:
        steps.create(KIND, notice.pk, notice.recipient.url)


def _owe(request: DeletionRequest, recipient: Recipient) -> Notice:
    models = list(_untold(request).filter(recipient=recipient).values_list("registeredmodel", flat=True))
    article = _article(request, recipient)
    notice = Notice.objects.create(
        request=request, recipient=recipient, article=article, created_at=datetime.now(tz=UTC)
    )
    notice.models.set(models)
    deliver(notice)
    return notice


def _forgetful(request: DeletionRequest) -> QuerySet[Any, Any]:
    return request.targets.filter(state__in=_FORGOT).values("model")


def _article(request: DeletionRequest, recipient: Recipient) -> Article:
    if request.regulation == Regulation.CCPA:
        return Article.CCPA_7022
    return Article.ART_17_2 if recipient.is_public else Article.ART_19
