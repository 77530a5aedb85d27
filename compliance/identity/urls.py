"""Addresses of proofs that need a browser."""

from django.urls import path

from compliance.identity import views

app_name = "identity"
urlpatterns = [
    path("oidc/<uuid:request_id>/start", views.start, name="oidc-start"),
    path("oidc/callback", views.callback, name="oidc-callback"),
]
