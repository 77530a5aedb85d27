"""Every address under /api/v1/. Answers are for one reader and one moment: no cache keeps them."""

from typing import Any

from django.urls import URLPattern, path
from django.views.decorators.cache import cache_control

from compliance.api.audit import views as audit
from compliance.api.clients import views as clients
from compliance.api.recipients import views as acknowledging
from compliance.api.schema import SchemaView
from compliance.api.staff import (
    asking,
    deciding,
    deliveries,
    identities,
    intake,
    models,
    models_of_request,
    notices,
    reading,
    recipients,
    tokens,
    webhooks,
)
from compliance.api.subjects import views as subjects

app_name = "api"
# OPTIONS would tell what the schema tells, in another shape.
_METHODS = ["get", "head", "post", "delete"]
_ONE_MODEL = "staff/requests/<uuid:request_id>/models/<uuid:model_id>"
_ONE_RECIPIENT = "staff/recipients/<uuid:recipient_id>"
_ONE_NOTICE = "staff/notices/<uuid:notice_id>"


def _endpoint(route: str, view: Any, name: str) -> URLPattern:
    uncached: Any = cache_control(no_store=True, private=True)(view.as_view(http_method_names=_METHODS))
    pattern: URLPattern = path(route, uncached, name=name)
    return pattern


urlpatterns = [
    _endpoint("requests", subjects.SubmitView, "submit"),
    _endpoint("requests/<uuid:request_id>", subjects.StatusView, "request"),
    _endpoint("requests/<uuid:request_id>/identity", subjects.IdentityView, "identity"),
    _endpoint("requests/<uuid:request_id>/identity/code", subjects.IdentityCodeView, "identity-code"),
    _endpoint("requests/<uuid:request_id>/withdraw", subjects.WithdrawView, "withdraw"),
    _endpoint("requests/<uuid:request_id>/answer", subjects.AnswerView, "answer"),
    _endpoint("requests/<uuid:request_id>/complaint", subjects.ComplaintView, "complaint"),
    _endpoint(
        "recipients/acknowledgements/<uuid:notice_id>", acknowledging.AcknowledgementView, "recipient-acknowledgement"
    ),
    _endpoint("staff/tokens", tokens.TokensView, "staff-tokens"),
    _endpoint("staff/models", models.ModelsView, "staff-models"),
    _endpoint("staff/requests", intake.RequestsView, "staff-requests"),
    _endpoint("staff/requests/<uuid:request_id>", reading.RequestView, "staff-request"),
    _endpoint("staff/requests/<uuid:request_id>/scope", reading.ScopeView, "staff-scope"),
    _endpoint("staff/requests/<uuid:request_id>/approve", deciding.ApproveView, "staff-approve"),
    _endpoint("staff/requests/<uuid:request_id>/refuse", deciding.RefuseView, "staff-refuse"),
    _endpoint("staff/requests/<uuid:request_id>/question", asking.QuestionView, "staff-question"),
    _endpoint("staff/requests/<uuid:request_id>/answer", asking.AnswerView, "staff-answer"),
    _endpoint("staff/requests/<uuid:request_id>/extend", asking.ExtendView, "staff-extend"),
    _endpoint("staff/requests/<uuid:request_id>/notes", asking.NotesView, "staff-notes"),
    _endpoint(f"{_ONE_MODEL}/except", models_of_request.ExceptView, "staff-except"),
    _endpoint(f"{_ONE_MODEL}/include", models_of_request.IncludeView, "staff-include"),
    _endpoint(f"{_ONE_MODEL}/hold", models_of_request.HoldView, "staff-hold"),
    _endpoint(f"{_ONE_MODEL}/release", models_of_request.ReleaseView, "staff-release"),
    _endpoint("staff/requests/<uuid:request_id>/retry", deciding.RetryView, "staff-retry"),
    _endpoint("staff/requests/<uuid:request_id>/sign-off", deciding.SignOffView, "staff-sign-off"),
    _endpoint("staff/requests/<uuid:request_id>/withdraw", deciding.WithdrawView, "staff-withdraw"),
    _endpoint("staff/requests/<uuid:request_id>/identity", identities.ConfirmView, "staff-identity"),
    _endpoint("staff/requests/<uuid:request_id>/unveil", identities.UnveilView, "staff-unveil"),
    _endpoint("staff/webhooks", webhooks.WebhooksView, "staff-webhooks"),
    _endpoint("staff/webhooks/<uuid:webhook_id>", webhooks.WebhookView, "staff-webhook"),
    _endpoint("staff/webhooks/<uuid:webhook_id>/rotate", webhooks.RotateView, "staff-webhook-rotate"),
    _endpoint("staff/webhooks/<uuid:webhook_id>/test", webhooks.TrialView, "staff-webhook-test"),
    _endpoint("staff/webhooks/<uuid:webhook_id>/disable", webhooks.DisableView, "staff-webhook-disable"),
    _endpoint("staff/deliveries", deliveries.DeliveriesView, "staff-deliveries"),
    _endpoint("staff/deliveries/alarms", deliveries.AlarmsView, "staff-delivery-alarms"),
    _endpoint("staff/deliveries/<uuid:delivery_id>/redeliver", deliveries.RedeliverView, "staff-redeliver"),
    _endpoint("staff/recipients", recipients.RecipientsView, "staff-recipients"),
    _endpoint(_ONE_RECIPIENT, recipients.RecipientView, "staff-recipient"),
    _endpoint(f"{_ONE_RECIPIENT}/change", recipients.ChangeView, "staff-recipient-change"),
    _endpoint(f"{_ONE_RECIPIENT}/retire", recipients.RetireView, "staff-recipient-retire"),
    _endpoint(f"{_ONE_RECIPIENT}/notices", recipients.NoticesView, "staff-recipient-notices"),
    _endpoint("staff/requests/<uuid:request_id>/notices", notices.NoticesOfRequestView, "staff-request-notices"),
    _endpoint(f"{_ONE_NOTICE}/send-again", notices.SendAgainView, "staff-notice-send-again"),
    _endpoint(f"{_ONE_NOTICE}/told", notices.ToldView, "staff-notice-told"),
    _endpoint(f"{_ONE_NOTICE}/acknowledged", notices.AcknowledgedView, "staff-notice-acknowledged"),
    _endpoint(f"{_ONE_NOTICE}/impossible", notices.ImpossibleView, "staff-notice-impossible"),
    _endpoint("audit/requests", audit.AuditedRequestsView, "audit-requests"),
    _endpoint("audit/requests/<uuid:request_id>/bundle", audit.BundleView, "audit-bundle"),
    _endpoint("audit/keys", audit.KeysView, "audit-keys"),
    _endpoint("audit/trust", audit.TrustView, "audit-trust"),
    _endpoint("audit/checkpoint", audit.CheckpointView, "audit-checkpoint"),
    _endpoint("oauth/token", clients.ClientTokenView, "client-tokens"),
    _endpoint("schema", SchemaView, "schema"),
]
