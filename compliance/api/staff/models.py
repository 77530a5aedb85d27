"""The register as staff see it: models, versions by digest, and what the workers can do."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from compliance.api import examples
from compliance.api.schema import described
from compliance.api.staff.reading import READERS
from compliance.registry.models import MethodCard, RegisteredModel


class VersionSerializer(serializers.Serializer[Any]):
    """Weights, named by the SHA-256 of their manifest."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    sha256 = serializers.CharField()
    status = serializers.CharField()
    n_records = serializers.IntegerField()
    registered_at = serializers.DateTimeField()
    destroy_after = serializers.DateTimeField(allow_null=True)
    destroyed_at = serializers.DateTimeField(allow_null=True)


class ModelSerializer(serializers.Serializer[Any]):
    """A registered model. `live` is the version in service, `head` the newest that passed its audits."""

    id = serializers.UUIDField()
    name = serializers.CharField()
    family = serializers.CharField()
    purpose = serializers.CharField()
    data_source = serializers.CharField(source="data_source.name")
    head = serializers.UUIDField(source="head_id", allow_null=True)
    live = serializers.UUIDField(source="live_id", allow_null=True)
    registered_at = serializers.DateTimeField()
    versions = VersionSerializer(many=True)


class CardSerializer(serializers.Serializer[Any]):
    """A method or an audit, as the worker that has it described it."""

    kind = serializers.CharField()
    name = serializers.CharField()
    version = serializers.CharField()
    source_sha256 = serializers.CharField()
    card = serializers.DictField()
    published_at = serializers.DateTimeField()


class RegisterSerializer(serializers.Serializer[Any]):
    """The register."""

    models = ModelSerializer(many=True)
    methods = CardSerializer(many=True)


class ModelsView(APIView):
    """The register."""

    permission_classes = READERS

    @described("List models and methods", answers=RegisterSerializer, refusals=(401, 403), answered=examples.REGISTER)
    def get(self, request: Request) -> Response:
        """Models with their versions, and the cards of methods and audits."""
        models = RegisteredModel.objects.select_related("data_source").prefetch_related("versions")
        return Response(RegisterSerializer({"models": models, "methods": MethodCard.objects.all()}).data)
