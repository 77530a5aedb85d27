"""What staff see of requests: ids, states, digests and results; never the identity."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from compliance.api.bodies import TextField, one_of
from compliance.requests import queries
from compliance.requests.actions.ask_question import MAX_CHARACTERS
from compliance.requests.models import DeletionRequest, ExtensionReason, Ground, HoldReason, RefusalReason


class ApproveBody(serializers.Serializer[Any]):
    """The ground of Art. 17(1) GDPR that the DPO accepts."""

    ground = one_of(Ground)


class RefuseBody(serializers.Serializer[Any]):
    """The reason of Art. 17(3), 12(5), 12(6) or 11 GDPR."""

    reason = one_of(RefusalReason)
    words = TextField(
        max_length=MAX_CHARACTERS, required=False, help_text="the facts behind the reason, for the letter"
    )


class QuestionBody(serializers.Serializer[Any]):
    """A question that only the person can answer."""

    question = TextField(max_length=MAX_CHARACTERS)


class SettleBody(serializers.Serializer[Any]):
    """How a question was settled."""

    answer = TextField(max_length=MAX_CHARACTERS)


class ExtendBody(serializers.Serializer[Any]):
    """The reason of Art. 12(3) GDPR."""

    reason = one_of(ExtensionReason)


class ExceptBody(serializers.Serializer[Any]):
    """The reason of law for which one model keeps what it holds, and the facts behind it, for the letter."""

    reason = one_of(RefusalReason)
    words = TextField(max_length=MAX_CHARACTERS)


class HoldBody(serializers.Serializer[Any]):
    """Why a model must stay as it is for now."""

    reason = one_of(HoldReason)


class NoteSerializer(serializers.Serializer[Any]):
    """Words about one request."""

    kind = serializers.CharField()
    text = serializers.CharField()
    created_at = serializers.DateTimeField()


class NotesSerializer(serializers.Serializer[Any]):
    """All of them."""

    notes = NoteSerializer(many=True)


class RequestSerializer(serializers.Serializer[Any]):
    """One request of the list."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    state_label = serializers.CharField(source="get_state_display")
    channel = serializers.CharField()
    regulation = serializers.CharField()
    ground = serializers.CharField()
    locale = serializers.CharField()
    received_at = serializers.DateTimeField()
    due_date = serializers.DateField(help_text="the last day to answer, in the controller's zone; pauses not counted")
    extension_reason = serializers.CharField()
    identity_level = serializers.IntegerField()
    changed_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    decided_by = serializers.UUIDField(allow_null=True, help_text="the pseudonym under which the ledger knows them")
    accepted_ground = serializers.CharField()
    refusal_reason = serializers.CharField()
    signed_off_by = serializers.UUIDField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class ListedRequestSerializer(RequestSerializer):
    """A request of the list, with the number of models that hold data of the person."""

    n_concerned = serializers.IntegerField()


class PageSerializer(serializers.Serializer[Any]):
    """One page, newest first."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ListedRequestSerializer(many=True)


class ModelNameSerializer(serializers.Serializer[Any]):
    """A registered model."""

    id = serializers.UUIDField()
    name = serializers.CharField()


class JobSerializer(serializers.Serializer[Any]):
    """The newest run of a method for a target. `progress` goes from 0 to 1."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    method = serializers.CharField()
    queue = serializers.CharField()
    attempt = serializers.IntegerField()
    progress = serializers.FloatField()
    progress_message = serializers.CharField()
    failure = serializers.CharField()
    before_sha256 = serializers.CharField(source="before.sha256", allow_null=True, default=None)
    after_sha256 = serializers.CharField(source="after.sha256", allow_null=True, default=None)
    queued_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    heartbeat_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class FindingSerializer(serializers.Serializer[Any]):
    """One result of one audit, as the audit reported it."""

    job = serializers.UUIDField(source="job_id")
    audit = serializers.CharField()
    verdict = serializers.CharField()
    result = serializers.DictField()
    recorded_at = serializers.DateTimeField()


class EvidenceSerializer(serializers.Serializer[Any]):
    """The digests under which signed evidence stands in the ledger; the bytes are in the auditor's bundle."""

    job = serializers.UUIDField(source="job_id")
    result = serializers.CharField()
    leaf_sha256 = serializers.CharField()
    key_sha256 = serializers.CharField()
    attached_at = serializers.DateTimeField()


class TargetSerializer(serializers.Serializer[Any]):
    """One model of the request."""

    id = serializers.UUIDField()
    model = ModelNameSerializer()
    state = serializers.CharField()
    state_label = serializers.CharField(source="get_state_display")
    n_records = serializers.IntegerField()
    exception = serializers.CharField()
    hold = serializers.CharField()
    forget_commitment = serializers.CharField()
    job = JobSerializer(allow_null=True)
    findings = FindingSerializer(many=True)
    evidence = EvidenceSerializer(many=True)


class TimelineEntrySerializer(serializers.Serializer[Any]):
    """One ledger entry about the request."""

    index = serializers.IntegerField(allow_null=True, help_text="null while it waits for its position")
    event_type = serializers.CharField()
    kind = serializers.CharField()
    leaf_sha256 = serializers.CharField()
    recorded_at = serializers.DateTimeField()
    actor_role = serializers.CharField()
    actor_id = serializers.CharField()
    facts = serializers.DictField()


class DetailSerializer(RequestSerializer):
    """Everything about one request."""

    deadlines = serializers.DictField(help_text="how the dates were counted, and why")
    scope_commitment = serializers.CharField()
    policy_sha256 = serializers.CharField(source="policy_id", allow_null=True)
    targets = TargetSerializer(many=True)
    timeline = serializers.SerializerMethodField()

    @extend_schema_field(TimelineEntrySerializer(many=True))
    def get_timeline(self, request: DeletionRequest) -> Any:
        """The ledger's entries, those without a position last."""
        return TimelineEntrySerializer(queries.timeline(request.pk), many=True).data


class ModelScopeSerializer(serializers.Serializer[Any]):
    """One model's share: how many records, and a commitment to which ones."""

    model = serializers.UUIDField()
    n_records = serializers.IntegerField()
    forget_commitment = serializers.CharField()
    exception = serializers.CharField(help_text="the reason of law for which its records stay, or empty")


class ScopeSerializer(serializers.Serializer[Any]):
    """What an approval would freeze now."""

    models = ModelScopeSerializer(many=True)
