"""The yardstick: what REST framework makes of the same body with one serializer of a model and one table.

Import it after `django.setup()`. It is served beside the product's own addresses, by the same middleware and settings.
"""

import uuid
from typing import Any

from django.db import connection, models
from django.urls import include, path
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny

from compliance.requests.models import Ground, Regulation

PATH = "/bare"


class BareRequest(models.Model):
    """What a body of the API says, in the clear. Nothing is sealed, counted, recorded or told."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    identifier_kind = models.CharField(max_length=40)
    identifier_value = models.EmailField()
    ground = models.CharField(max_length=20, choices=Ground)
    regulation = models.CharField(max_length=20, choices=Regulation)
    locale = models.CharField(max_length=5)
    received_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        app_label = "bare"


class BareSerializer(serializers.ModelSerializer[BareRequest]):
    class Meta:
        model = BareRequest
        fields = "__all__"


class BareView(generics.CreateAPIView[BareRequest]):
    authentication_classes = ()
    permission_classes = (AllowAny,)
    serializer_class = BareSerializer


urlpatterns: list[Any] = [path(PATH.removeprefix("/"), BareView.as_view()), path("", include("compliance.urls"))]


def create_table() -> None:
    """Make the table of the yardstick."""
    with connection.schema_editor() as editor:
        editor.create_model(BareRequest)
