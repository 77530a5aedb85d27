"""What answers look like: the examples of the schema. A test holds each against the schema it is shown for."""

from typing import Any

ID = "5f0c6c1e-3f0a-4a52-9d53-6f6b8f0f7c11"
_MODEL_ID = "8a51f6f2-0f7e-4d0b-8d7c-2d9f9a3d1c20"
_WEBHOOK_ID = "c7b0a2de-51f5-4c8e-9f0e-0a7f9c3b8e44"
_RECIPIENT_ID = "9d0f6f0a-93a5-4b57-a6a5-2a3f0f2f8d10"
_NOTICE_ID = "4f0c1f3e-7d3f-4c3b-9b39-6c2f2f0a5f11"
_DELIVERY_ID = "2b1de9d4-87f4-4f0b-a6c0-5c9b7d1f2a33"
_JOB_ID = "f1f7ab30-6d0a-4b39-8f3f-1b6d2f7b9a55"
_WHEN = "2026-05-01T12:30:45Z"
_SHA256 = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
_PATH = f"/api/v1/requests/{ID}"
LINKS = {
    "self": _PATH,
    "identity": f"{_PATH}/identity",
    "identity_code": f"{_PATH}/identity/code",
    "withdraw": f"{_PATH}/withdraw",
    "answer": f"{_PATH}/answer",
    "complaint": f"{_PATH}/complaint",
}
RECEIPT = {
    "id": ID,
    "state": "received",
    "state_label": "Received",
    "received_at": _WHEN,
    "status_token": "b5c1f0…",
    "links": LINKS,
}
STATUS: dict[str, Any] = {
    "id": ID,
    "state": "identity_pending",
    "state_label": "Waiting for proof of identity",
    "regulation": "gdpr",
    "ground": "art17_1_b",
    "received_at": _WHEN,
    "changed_at": _WHEN,
    "decided_at": None,
    "closed_at": None,
    "refusal": None,
    "identity_level": 0,
    "still_needed": "Level 1 is needed. You can enter the code that is mailed to your address.",
    "dates": {
        "due_date": "2026-06-01",
        "paused_due_date": None,
        "is_extended": False,
        "because": ["Received on 1 May 2026; one month after that day (Art. 12(3) GDPR)."],
    },
    "question": None,
    "letters": [{"kind": "receipt", "sent_at": _WHEN}],
    "evidence": [],
    "models": None,
    "links": LINKS,
}
REQUEST: dict[str, Any] = {
    "id": ID,
    "state": "under_review",
    "state_label": "Under review",
    "channel": "api",
    "regulation": "gdpr",
    "ground": "art17_1_b",
    "locale": "en",
    "received_at": _WHEN,
    "due_date": "2026-06-01",
    "extension_reason": "",
    "identity_level": 1,
    "changed_at": _WHEN,
    "decided_at": None,
    "decided_by": None,
    "accepted_ground": "",
    "refusal_reason": "",
    "signed_off_by": None,
    "closed_at": None,
}
_PLACE = f"after.{_WHEN}_{ID}"
PAGE = {
    "next": f"https://expunge.example/api/v1/staff/requests?cursor={_PLACE}",
    "previous": None,
    "results": [{**REQUEST, "n_concerned": 2}],
}
DETAIL = {
    **REQUEST,
    "deadlines": {},
    "scope_commitment": "",
    "policy_sha256": None,
    "targets": [],
    "timeline": [
        {
            "index": 7,
            "event_type": "request.received",
            "kind": "event",
            "leaf_sha256": _SHA256,
            "recorded_at": _WHEN,
            "actor_role": "subject",
            "actor_id": ID,
            "facts": {"channel": "api"},
        }
    ],
}
SCOPE = {
    "models": [{"model": _MODEL_ID, "n_records": 2, "forget_commitment": _SHA256, "exception": ""}],
}
NOTES = {"notes": [{"kind": "question", "text": "Under which name did you write to us?", "created_at": _WHEN}]}
REGISTER: dict[str, Any] = {
    "models": [
        {
            "id": _MODEL_ID,
            "name": "spam-filter",
            "family": "analytic_classifier",
            "purpose": "spam filter",
            "data_source": "mail",
            "head": None,
            "live": None,
            "registered_at": _WHEN,
            "versions": [],
        }
    ],
    "methods": [],
}
UNVEILED = {"identifier": "name@example.org"}
TOKEN = {"token": "3c0f…", "expiry": "2026-05-01T22:30:45Z"}
ACCESS_TOKEN = {
    "access_token": "x4Fq…",
    "expires_in": 3600,
    "token_type": "Bearer",
    "scope": "requests:read requests:write",
}
AUDITED = {
    "next": None,
    "previous": None,
    "results": [
        {
            "id": ID,
            "state": "completed",
            "received_at": _WHEN,
            "changed_at": _WHEN,
            "decided_at": _WHEN,
            "closed_at": _WHEN,
        }
    ],
}
KEYS = {
    "keys": [
        {
            "purpose": "ledger",
            "key_sha256": _SHA256,
            "text": "expunge.local/ledger+1f0c2b3d+AbCd…",
            "published_at": _WHEN,
        }
    ]
}
CHECKPOINT = "expunge.local/ledger\n42\nq83vEjRWeJA=\n\n— expunge.local/ledger AbCd…\n"
TRUST = {
    "format": "expunge-trust/1",
    "issued_at": _WHEN,
    "logs": ["expunge.local/ledger+1f0c2b3d+AbCd…"],
    "evidence_keys": [],
    "timestamp_authorities": [],
    "witness_policy": "",
}
WEBHOOK = {
    "id": _WEBHOOK_ID,
    "name": "crm",
    "url": "https://crm.example/hooks/expunge",
    "event_types": ["request.completed"],
    "is_active": True,
    "created_at": _WHEN,
    "n_pending": 0,
    "n_alarms": 0,
}
WEBHOOKS = {"webhooks": [WEBHOOK]}
NEW_WEBHOOK = {**WEBHOOK, "secret": "whsec_…"}
SECRET = {"secret": "whsec_…"}
DELIVERY: dict[str, Any] = {
    "id": _DELIVERY_ID,
    "kind": "webhook",
    "webhook": _WEBHOOK_ID,
    "event_type": "request.completed",
    "request": ID,
    "status": "delivered",
    "n_tries": 1,
    "created_at": _WHEN,
    "next_try_at": None,
    "delivered_at": _WHEN,
    "alarmed_at": None,
    "attempts": [{"at": _WHEN, "status_code": 204, "failure": "", "duration_ms": 31}],
}
DELIVERIES = {"next": None, "results": [DELIVERY]}
ALARMS = {"results": [{**DELIVERY, "status": "gave_up", "delivered_at": None, "alarmed_at": _WHEN}]}
RECIPIENT: dict[str, Any] = {
    "id": _RECIPIENT_ID,
    "name": "Fabrikam SAS",
    "models": ["spam-filter"],
    "url": "https://fabrikam.example/erasure",
    "contact": "privacy@fabrikam.example",
    "has_key": True,
    "identifier_form": "plain",
    "is_public": False,
    "is_active": True,
    "created_at": _WHEN,
    "n_owed": 0,
    "n_unanswered": 0,
}
RECIPIENTS = {"next": None, "results": [RECIPIENT]}
OWED_NOTICE: dict[str, Any] = {
    "id": _NOTICE_ID,
    "request": ID,
    "recipient": _RECIPIENT_ID,
    "recipient_name": "Fabrikam SAS",
    "article": "art19",
    "models": ["spam-filter"],
    "status": "owed",
    "created_at": _WHEN,
    "gave_up_at": None,
    "sent_at": None,
    "commitment": "",
    "acknowledged_at": None,
    "result": "",
    "refusal_reason": "",
    "acknowledgement_sha256": "",
    "impossible_at": None,
    "impossibility": "",
}
TOLD = {"status": "sent", "sent_at": _WHEN, "commitment": _SHA256}
ACKNOWLEDGED = {
    "notice": _NOTICE_ID,
    "result": "done",
    "acknowledged_at": _WHEN,
    "acknowledgement_sha256": _SHA256,
}
NOTICE: dict[str, Any] = {
    **OWED_NOTICE,
    **TOLD,
    "status": "acknowledged",
    "acknowledged_at": _WHEN,
    "result": "done",
    "acknowledgement_sha256": _SHA256,
}
IMPOSSIBLE_NOTICE = {
    **OWED_NOTICE,
    "status": "impossible",
    "impossible_at": _WHEN,
    "impossibility": "impossible",
}
NOTICES = {"next": None, "results": [NOTICE]}
NOTICES_OF_REQUEST = {"notices": [NOTICE]}
