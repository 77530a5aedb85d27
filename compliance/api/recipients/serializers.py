"""What a recipient sends: an answer with the token of its notice, or a signed DSSE envelope around one."""

from typing import Any

from rest_framework import serializers

from compliance.api.bodies import TextField, one_of
from compliance.evidence import canonical
from compliance.recipients.acknowledgements import MAX_PAYLOAD_BYTES, BySignature, ByToken, Given
from compliance.recipients.models import AcknowledgedResult, Notice
from compliance.requests.models import RefusalReason

_MAX_TOKEN, _MAX_SIGNATURE, _DIGEST = 128, 512, 64
_BY_TOKEN = {"token", "notice_sha256", "result"}
_BY_SIGNATURE = {"payload", "payloadType", "signatures"}


class SignatureBody(serializers.Serializer[Any]):
    """One signature of a DSSE envelope."""

    sig = TextField(max_length=_MAX_SIGNATURE)
    keyid = TextField(max_length=_MAX_TOKEN, required=False, allow_blank=True)


class AcknowledgementBody(serializers.Serializer[Any]):
    """Either `token`, `notice_sha256`, `result` (and `reason`), or `payload`, `payloadType`, `signatures`."""

    token = TextField(max_length=_MAX_TOKEN, required=False)
    notice_sha256 = TextField(max_length=_DIGEST, required=False)
    result = one_of(AcknowledgedResult, required=False)
    reason = one_of(RefusalReason, required=False)
    payload = TextField(max_length=2 * MAX_PAYLOAD_BYTES, required=False)
    payloadType = TextField(max_length=_MAX_TOKEN, required=False)  # noqa: N815 - DSSE's own spelling
    signatures = serializers.ListField(child=serializers.DictField(), min_length=1, max_length=1, required=False)

    def validate_signatures(self, signatures: list[Any]) -> list[dict[str, Any]]:
        """The one signature, with no members but its own."""
        found = SignatureBody(data=signatures[0])
        if not set(signatures[0]) <= set(found.fields):
            raise serializers.ValidationError("Expected no members but sig and keyid.")
        found.is_valid(raise_exception=True)
        return [dict(found.validated_data)]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of the two forms, whole."""
        if set(attrs) - {"reason"} == _BY_TOKEN or set(attrs) == _BY_SIGNATURE:
            return attrs
        raise serializers.ValidationError(
            "Expected token, notice_sha256 and result (and reason), or payload, payloadType and signatures."
        )


class AcknowledgedSerializer(serializers.Serializer[Any]):
    """The receipt: the digest is that in the ledger."""

    notice = serializers.UUIDField(source="id")
    result = serializers.CharField()
    acknowledged_at = serializers.DateTimeField()
    acknowledgement_sha256 = serializers.CharField()


def given(members: dict[str, Any]) -> Given:
    """The answer as the domain takes it; raises ValidationError for base64 that is none."""
    if "token" in members:
        return ByToken(**members)
    signature = members["signatures"][0]["sig"]
    return BySignature(
        payload=_decoded("payload", members["payload"]),
        payload_type=members["payloadType"],
        signature=_decoded("signatures", signature),
    )


def receipt(notice: Notice) -> dict[str, Any]:
    """The answer to an acknowledgement."""
    return dict(AcknowledgedSerializer(notice).data)


def _decoded(name: str, text: str) -> bytes:
    try:
        return canonical.decode_base64(text)
    except ValueError as error:
        raise serializers.ValidationError({name: "Expected standard base64 with padding."}) from error
