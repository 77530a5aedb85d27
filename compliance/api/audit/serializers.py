"""What an auditor lists before taking a bundle: ids, states, dates and public keys."""

from typing import Any

from rest_framework import serializers

from compliance.api.bodies import TextField


class PageQuery(serializers.Serializer[Any]):
    """Which page."""

    cursor = TextField(required=False, max_length=500, help_text="from the link to the next or previous page")


class AuditedRequestSerializer(serializers.Serializer[Any]):
    """One request."""

    id = serializers.UUIDField()
    state = serializers.CharField()
    received_at = serializers.DateTimeField()
    changed_at = serializers.DateTimeField()
    decided_at = serializers.DateTimeField(allow_null=True)
    closed_at = serializers.DateTimeField(allow_null=True)


class AuditPageSerializer(serializers.Serializer[Any]):
    """One page, newest first."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = AuditedRequestSerializer(many=True)


class KeySerializer(serializers.Serializer[Any]):
    """A public key: a vkey line for checkpoints, PEM for evidence. Compare it with what you got on another way."""

    purpose = serializers.CharField()
    key_sha256 = serializers.CharField()
    text = serializers.CharField()
    published_at = serializers.DateTimeField()


class KeysSerializer(serializers.Serializer[Any]):
    """Every key that was ever published."""

    keys = KeySerializer(many=True)
