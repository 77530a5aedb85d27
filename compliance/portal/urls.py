"""The staff portal. Reading is GET; every change is a POST to an address of its own."""

from django.contrib.auth import views as auth_views
from django.urls import path
from django.views.generic import RedirectView

from compliance.portal.views import (
    bundles,
    clock,
    decisions,
    deliveries,
    exceptions,
    holds,
    identity,
    ledger,
    models,
    published_log,
    questions,
    requests,
    searches,
)

app_name = "portal"
urlpatterns = [
    path("", RedirectView.as_view(pattern_name="portal:requests"), name="home"),
    path(
        "login/",
        auth_views.LoginView.as_view(template_name="portal/login.html", redirect_authenticated_user=True),
        name="login",
    ),
    path("logout/", auth_views.LogoutView.as_view(), name="logout"),
    path("requests/", requests.requests, name="requests"),
    path("requests/<uuid:request_id>/", requests.request, name="request"),
    path("requests/<uuid:request_id>/confirm-identity/", identity.confirm_identity, name="confirm_identity"),
    path("requests/<uuid:request_id>/unveil/", identity.unveil, name="unveil"),
    path("requests/<uuid:request_id>/search-again/", searches.search_again, name="search_again"),
    path("requests/<uuid:request_id>/approve/", decisions.approve, name="approve"),
    path("requests/<uuid:request_id>/refuse/", decisions.refuse, name="refuse"),
    path("requests/<uuid:request_id>/withdraw/", decisions.withdraw, name="withdraw"),
    path("requests/<uuid:request_id>/retry/", decisions.retry, name="retry"),
    path("requests/<uuid:request_id>/sign-off/", decisions.sign_off, name="sign_off"),
    path("requests/<uuid:request_id>/ask-question/", questions.ask_question, name="ask_question"),
    path("requests/<uuid:request_id>/settle-question/", questions.settle_question, name="settle_question"),
    path("requests/<uuid:request_id>/extend/", clock.extend, name="extend"),
    path("requests/<uuid:request_id>/models/<uuid:model_id>/except/", exceptions.except_model, name="except_model"),
    path("requests/<uuid:request_id>/models/<uuid:model_id>/include/", exceptions.include_model, name="include_model"),
    path("requests/<uuid:request_id>/models/<uuid:model_id>/hold/", holds.hold_model, name="hold_model"),
    path("requests/<uuid:request_id>/models/<uuid:model_id>/release/", holds.release_model, name="release_model"),
    path("requests/<uuid:request_id>/bundle/", bundles.bundle, name="bundle"),
    path("models/", models.models, name="models"),
    path("models/<slug:name>/", models.model, name="model"),
    path("deliveries/", deliveries.deliveries, name="deliveries"),
    path("deliveries/<uuid:delivery_id>/redeliver/", deliveries.redeliver, name="redeliver"),
    path("trust/", bundles.trust, name="trust"),
    path("ledger/", ledger.ledger, name="ledger"),
    path("log/<str:name>/checkpoint", published_log.checkpoint, name="log_checkpoint"),
    path("log/<str:name>/checkpoint.tsr", published_log.timestamp, name="log_timestamp"),
    path("log/<str:name>/<path:path>", published_log.tile, name="log_tile"),
]
