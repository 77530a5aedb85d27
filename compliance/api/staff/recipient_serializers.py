"""Recipients and their notices as staff see them. Nothing here names a person: what a notice says is made when it is sent."""

from typing import Any
from urllib.parse import urlsplit

from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from compliance.api.bodies import TextField, one_of
from compliance.recipients.models import AcknowledgedResult, IdentifierForm, Impossibility, NoticeStatus
from compliance.requests.actions.ask_question import MAX_CHARACTERS
from compliance.requests.models import RefusalReason

MAX_MODELS, _MAX_KEY, _DIGEST = 1000, 4000, 64


class YesOrNo(serializers.BooleanField):
    """A JSON boolean. The framework's own field also takes texts and numbers."""

    def to_internal_value(self, data: Any) -> bool:
        """The value as it was sent; raises ValidationError for every other type."""
        if not isinstance(data, bool):
            raise ValidationError("Expected true or false.")
        return data


class ChangeBody(serializers.Serializer[Any]):
    """What is known of a recipient from now on; what is left out stays."""

    models = serializers.ListField(
        child=TextField(max_length=80),
        required=False,
        allow_empty=False,
        max_length=MAX_MODELS,
        help_text="their names",
    )
    url = TextField(max_length=2048, required=False, allow_blank=True, help_text='"": it is told by other means')
    contact = TextField(max_length=300, required=False, allow_blank=True)
    public_key = TextField(
        max_length=_MAX_KEY, required=False, allow_blank=True, help_text="PEM, P-256 or Ed25519: answers must be signed"
    )
    identifier_form = one_of(IdentifierForm, required=False)
    is_public = YesOrNo(required=False, help_text="it processes a model that was made public (Art. 17(2) GDPR)")


class RecipientBody(ChangeBody):
    """Who was given what."""

    name = TextField(max_length=80)
    models = serializers.ListField(
        child=TextField(max_length=80), allow_empty=False, max_length=MAX_MODELS, help_text="their names"
    )


class RecipientSerializer(serializers.Serializer[Any]):
    """A recipient, with how many notices it is owed, and how many it did not answer."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    models = serializers.SerializerMethodField()
    url = serializers.SerializerMethodField(help_text="without its path but for a DPO: it may be a secret")
    contact = serializers.CharField()
    has_key = serializers.SerializerMethodField()
    identifier_form = serializers.CharField()
    is_public = serializers.BooleanField()
    is_active = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    n_owed = serializers.IntegerField()
    n_unanswered = serializers.IntegerField()

    def get_models(self, recipient: Any) -> list[str]:
        """By name."""
        return sorted(model.name for model in recipient.models.all())

    def get_url(self, recipient: Any) -> str:
        """Whole for whoever may change it."""
        if not recipient.url or self.context.get("shows_paths"):
            return str(recipient.url)
        parts = urlsplit(recipient.url)
        return f"{parts.scheme}://{parts.netloc}/"

    def get_has_key(self, recipient: Any) -> bool:
        """Whether its answers must be signed."""
        return bool(recipient.public_key)


class RecipientsSerializer(serializers.Serializer[Any]):
    """One page, by name."""

    next = serializers.URLField(allow_null=True)
    results = RecipientSerializer(many=True)


class PageQuery(serializers.Serializer[Any]):
    """Which page to list."""

    cursor = serializers.UUIDField(required=False, help_text="from the link to the next page")


class NoticesQuery(PageQuery):
    """Which notices to list."""

    status = one_of(NoticeStatus, required=False)


class NoticeSerializer(serializers.Serializer[Any]):
    """What one recipient is owed about one request, and what came of it. The digests stand in the ledger."""

    id = serializers.UUIDField()
    request = serializers.UUIDField(source="request_id")
    recipient = serializers.UUIDField(source="recipient_id")
    recipient_name = serializers.CharField(source="recipient.name")
    article = serializers.CharField()
    models = serializers.SerializerMethodField()
    status = serializers.CharField()
    created_at = serializers.DateTimeField()
    gave_up_at = serializers.DateTimeField(allow_null=True)
    sent_at = serializers.DateTimeField(allow_null=True)
    commitment = serializers.CharField()
    acknowledged_at = serializers.DateTimeField(allow_null=True)
    result = serializers.CharField()
    refusal_reason = serializers.CharField()
    acknowledgement_sha256 = serializers.CharField()
    impossible_at = serializers.DateTimeField(allow_null=True)
    impossibility = serializers.CharField()

    def get_models(self, notice: Any) -> list[str]:
        """By name."""
        return sorted(model.name for model in notice.models.all())


class NoticesSerializer(serializers.Serializer[Any]):
    """One page, newest first."""

    next = serializers.URLField(allow_null=True)
    results = NoticeSerializer(many=True)


class NoticesOfRequestSerializer(serializers.Serializer[Any]):
    """All of one request, by the names of the recipients."""

    notices = NoticeSerializer(many=True)


class ToldBody(serializers.Serializer[Any]):
    """When it was told by other means."""

    told_date = serializers.DateField()
    document_sha256 = TextField(max_length=_DIGEST, required=False, help_text="of the letter, if there is one")


class AcknowledgedBody(serializers.Serializer[Any]):
    """What came on paper or by mail. You keep the document."""

    result = one_of(AcknowledgedResult)
    document_sha256 = TextField(max_length=_DIGEST)
    reason = one_of(RefusalReason, required=False, help_text="of a refusal")


class ImpossibleBody(serializers.Serializer[Any]):
    """Why it need not be told (Art. 19 GDPR). The words are sealed with the request."""

    reason = one_of(Impossibility)
    words = TextField(max_length=MAX_CHARACTERS)
