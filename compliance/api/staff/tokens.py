"""Staff tokens: made with a password, shown once, stored as a digest, gone after some hours."""

from typing import Any

from knox.views import LoginView
from rest_framework import serializers, status
from rest_framework.authentication import BaseAuthentication
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from compliance.api import examples
from compliance.api.authentication import LoginAuthentication, StaffTokenAuthentication
from compliance.api.schema import described


class TokenSerializer(serializers.Serializer[Any]):
    """A new token."""

    token = serializers.CharField()
    expiry = serializers.DateTimeField()


class TokensView(LoginView):  # type: ignore[misc]  # knox is untyped
    """Log in and out."""

    permission_classes = (IsAuthenticated,)
    throttle_classes = (ScopedRateThrottle,)
    throttle_scope = "login"

    def get_authenticators(self) -> list[BaseAuthentication]:
        """A password makes a token; the token itself ends it. A session does neither."""
        method = getattr(self.request, "method", None)
        return [LoginAuthentication()] if method == "POST" else [StaffTokenAuthentication()]

    @described("Log in", answers=TokenSerializer, status=201, refusals=(400, 401, 429), answered=examples.TOKEN)
    def post(self, request: Request) -> Response:
        """A token for `Authorization: Token …`. Ten wrong passwords lock the account for an hour."""
        made: Response = super().post(request)
        return Response(made.data, status=status.HTTP_201_CREATED)

    @described("Log out", status=204, refusals=(401, 429))
    def delete(self, request: Request) -> Response:
        """The token of this request stops working."""
        request.auth.delete()
        return Response(status=status.HTTP_204_NO_CONTENT)
