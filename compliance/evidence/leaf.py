"""Event leaves: the allow-list of what the ledger may hold, and their canonical bytes.

A leaf holds random ids, digests, counts, times, keyed commitments and words of closed lists; whatever is not listed
here is refused. So personal data cannot reach the ledger by accident. What code with bad intent could still put there:
up to 32 lower-case letters, digits and underscores where a plug-in is named (the method of a job, the family of a
model), three numbers of up to four digits as the version of a method, and whatever it encodes as a digest, an id, a
count or a time, which cannot be told from genuine ones.
Leaves of signed evidence are another kind: see rekord.py.
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from compliance.evidence import canonical, leaf_pattern
from compliance.evidence.errors import LeafError
from compliance.evidence.rekord import HashedRekord, hashedrekord, parse_hashedrekord

__all__ = [
    "FACTS",
    "ROLES",
    "Event",
    "FactValue",
    "HashedRekord",
    "build",
    "hashedrekord",
    "parse",
    "parse_hashedrekord",
]

# The longest entry that C2SP tlog-tiles can hold. A completion lists two digests for each model concerned.
MAX_LEAF_BYTES = 65_535
FactValue = str | int | list[str]
ROLES = frozenset({"subject", "operator", "dpo", "auditor", "system", "worker", "controller"})

# Kind of value → the words it may be. One more is one line here: `manage.py migrate` rebuilds the checks of the database.
# None may ever go: older leaves hold it.
WORDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "channel": frozenset({"api", "portal", "web", "opendsr", "batch", "demo"}),
        "regulation": frozenset({"gdpr", "ccpa"}),
        "ground": frozenset({"art17_1_a", "art17_1_b", "art17_1_c", "art17_1_d", "art17_1_e", "art17_1_f"}),
        "identity method": frozenset({"email_code", "oidc", "manual", "controller"}),
        "refusal reason": frozenset(
            {
                *("art17_3_a", "art17_3_b", "art17_3_c", "art17_3_d", "art17_3_e"),
                *("art12_5", "art12_5_unfounded", "art12_5_excessive", "art12_6", "art11"),
            }
        ),
        "attention reason": frozenset(
            {
                "job_failed",
                "audit_passed",
                "audit_failed",
                "audit_inconclusive",
                "audit_not_installed",
                "method_not_installed",
                "no_method_in_policy",
                "scope_changed",
            }
        ),
        "failure reason": frozenset(
            {
                # What a request refuses.
                *("request_error", "invalid_input", "not_found", "wrong_state", "changed_meanwhile", "forbidden"),
                *("identity_not_confirmed", "policy_invalid", "lease_lost", "not_ready"),
                # What a method or an audit gives up with.
                *("unlearning", "config", "data", "never_trained", "already_deleted", "not_applicable", "numerical"),
                *("artifact", "plugin", "deadline_exceeded", "cancelled", "conformance"),
                # What happens to a job.
                *("superseded", "worker_lost_repeatedly", "method_not_installed", "scope_changed", "out_of_memory"),
                "unexpected_error",
            }
        ),
        "extension reason": frozenset({"complexity", "number_of_requests"}),
        "hold reason": frozenset({"legal_claims", "legal_obligation", "restriction_art18", "technical"}),
        "link reason": frozenset({"duplicate", "complaint", "restore", "relearning"}),
        "notice": frozenset(
            {
                *("receipt", "identity", "identity_reminder", "question", "extension", "completed", "partly_completed"),
                *("refused", "withdrawn", "closed_unverified"),
            }
        ),
        "impossibility": frozenset({"impossible", "disproportionate"}),
        "unveiling reason": frozenset({"correspondence", "complaint", "audit", "incident"}),
        "lifting reason": frozenset({"person_returned", "wrong_person"}),
        "assurance": frozenset({"exact", "certified", "approximate", "suppression"}),
        "verdict": frozenset({"passed", "warned", "failed"}),
        "key purpose": frozenset({"evidence", "checkpoint"}),
    }
)
# Plug-ins are named by their files: a list of them cannot be closed here.
PLUGIN_PATTERN = "[a-z][a-z0-9_]{0,31}"
VERSION_PATTERN = "[0-9]{1,4}(?:[.][0-9]{1,4}){0,2}"


def _matches(pattern: str) -> Callable[[object], bool]:
    expression = re.compile(pattern)
    return lambda value: isinstance(value, str) and expression.fullmatch(value) is not None


def _is_word(kind: str) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and value in WORDS[kind]


_CHECKS: Mapping[str, Callable[[object], bool]] = {
    "sha256": canonical.is_sha256,
    "uuid": canonical.is_uuid4,
    "plug-in": _matches(PLUGIN_PATTERN),
    "version": _matches(VERSION_PATTERN),
    "count": canonical.is_count,
    "time": canonical.is_time,
    "date": canonical.is_date,
    **{kind: _is_word(kind) for kind in WORDS},
}

# Event type → fact → kind of value; "list of X" is a JSON array of X.
FACTS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "request.received": {
            "channel": "channel",
            "regulation": "regulation",
            "ground": "ground",
            "commitment": "sha256",
        },
        "request.identity_requested": {"method": "identity method"},
        "request.identity_confirmed": {"method": "identity method", "level": "count"},
        "request.approved": {"ground": "ground", "scope_commitment": "sha256", "n_targets": "count"},
        "request.refused": {"reason": "refusal reason"},
        "request.withdrawn": {},
        "request.planned": {"policy_sha256": "sha256", "jobs": "list of uuid"},
        "request.attention": {"reason": "attention reason"},
        "request.retried": {"job": "uuid"},
        "request.question_asked": {"commitment": "sha256"},
        "request.question_answered": {},
        "request.extended": {"reason": "extension reason", "due_date": "date"},
        "request.linked": {"linked": "uuid", "reason": "link reason"},
        "request.model_excepted": {"model": "uuid", "reason": "refusal reason"},
        "request.model_included": {"model": "uuid"},
        "request.model_held": {"model": "uuid", "reason": "hold reason"},
        "request.model_released": {"model": "uuid"},
        "request.notified": {"notice": "notice", "commitment": "sha256"},
        "request.recipient_notified": {"recipient": "uuid", "notice_sha256": "sha256"},
        "request.recipient_acknowledged": {"recipient": "uuid", "acknowledgement_sha256": "sha256"},
        "request.recipient_impossible": {"recipient": "uuid", "reason": "impossibility"},
        "request.unveiled": {"reason": "unveiling reason"},
        "request.closed_unverified": {},
        "request.shredded": {},
        "request.completed": {"evidence": "list of sha256", "versions": "list of sha256"},
        "request.partly_completed": {"evidence": "list of sha256", "versions": "list of sha256"},
        "job.started": {
            "job": "uuid",
            "target": "uuid",
            "model": "uuid",
            "method": "plug-in",
            "method_version": "version",
            "config_sha256": "sha256",
            "before_sha256": "sha256",
            "challenge_sha256": "sha256",
            "attempt": "count",
        },
        "job.recorded": {
            "job": "uuid",
            "target": "uuid",
            "before_sha256": "sha256",
            "after_sha256": "sha256",
            "assurance": "assurance",
        },
        "job.failed": {"job": "uuid", "target": "uuid", "reason": "failure reason"},
        "findings.recorded": {"job": "uuid", "target": "uuid", "findings_sha256": "sha256", "verdict": "verdict"},
        "model.registered": {"model": "uuid", "family": "plug-in"},
        "version.registered": {
            "model": "uuid",
            "version_sha256": "sha256",
            "records_commitment": "sha256",
            "n_records": "count",
        },
        "version.destroyed": {"model": "uuid", "version_sha256": "sha256"},
        # The digests are of the public parts: no path of an address, which may be a secret, and nobody's name.
        "webhook.created": {"webhook": "uuid", "details_sha256": "sha256"},
        "webhook.secret_rotated": {"webhook": "uuid"},
        "webhook.disabled": {"webhook": "uuid"},
        "controller.registered": {"controller": "uuid", "details_sha256": "sha256"},
        "controller.token_rotated": {"controller": "uuid"},
        "controller.deactivated": {"controller": "uuid"},
        "recipient.registered": {"recipient": "uuid", "details_sha256": "sha256"},
        "recipient.changed": {"recipient": "uuid", "details_sha256": "sha256"},
        "recipient.retired": {"recipient": "uuid"},
        "suppression.lifted": {"reason": "lifting reason"},
        "key.published": {"purpose": "key purpose", "key_sha256": "sha256"},
        "key.retired": {"purpose": "key purpose", "key_sha256": "sha256", "valid_until": "time"},
        "key.distrusted": {"purpose": "key purpose", "key_sha256": "sha256", "distrusted_from": "time"},
        "log.opened": {"log": "count", "previous_size": "count", "previous_root_sha256": "sha256"},
    }
)
WITHOUT_REQUEST = frozenset(name for name in FACTS if not name.startswith(("request.", "job.", "findings.")))
FIRST = "request.received"
_REQUEST_KEY = b'"request":"'
_N_UUID = 36
# A day that no month has looks like any other to an expression: the few types that hold a time or a date are read the slow way.
_PATTERNS = leaf_pattern.compiled(
    {name: kinds for name, kinds in FACTS.items() if not {"time", "date"} & set(kinds.values())},
    {**WORDS, "role": ROLES},
    {"plug-in": PLUGIN_PATTERN, "version": VERSION_PATTERN},
    without_request=WITHOUT_REQUEST,
    first=FIRST,
)


class Event(NamedTuple):
    """One event. `previous` is the leaf hash (hex) of the request's previous event; `at` is UTC to the second."""

    type: str
    request: str | None
    previous: str | None
    at: datetime
    actor_role: str
    actor_id: str
    facts: Mapping[str, FactValue]

    def text(self, fact: str) -> str:
        """A fact that is a string by the schema."""
        return str(self.facts[fact])

    def texts(self, fact: str) -> list[str]:
        """A fact that is a list of strings by the schema."""
        value = self.facts[fact]
        return list(value) if isinstance(value, list) else []


def build(event: Event) -> bytes:
    """The canonical bytes of an event; raises LeafError for anything that is not on the allow-list."""
    _refuse_head(event)
    _refuse_facts(event)
    try:
        at = canonical.format_time(event.at)
    except ValueError as error:
        raise LeafError(f"{event.type}: {error}. Pass a time in UTC without a fraction of a second.") from error
    leaf = canonical.dumps(
        {
            "v": 1,
            "type": event.type,
            "request": event.request,
            "previous": event.previous,
            "at": at,
            "actor": {"role": event.actor_role, "id": event.actor_id},
            "facts": dict(event.facts),
        }
    )
    if len(leaf) > MAX_LEAF_BYTES:
        raise LeafError(f"{event.type}: expected a leaf of at most {MAX_LEAF_BYTES} bytes, found {len(leaf)}.")
    return leaf


def parse(leaf: bytes) -> Event:
    """Parse a leaf strictly: it must be exactly what `build` makes of its values. Raises LeafError."""
    if len(leaf) > MAX_LEAF_BYTES:
        raise LeafError(f"Expected a leaf of at most {MAX_LEAF_BYTES} bytes, found {len(leaf)}.")
    try:
        values = leaf_pattern.read(leaf, _PATTERNS)
        if values is not None:
            name, request, previous, at, role, actor_id, facts = values
            return Event(name, request, previous, datetime.fromisoformat(at), role, actor_id, facts)
        event = _read(canonical.loads(leaf))
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise LeafError("Expected the canonical JSON of an event leaf, found something else.") from error
    if build(event) != leaf:
        raise LeafError(f"{event.type}: the leaf holds keys or spellings that are not on the allow-list.")
    return event


def request_of(leaf: bytes) -> str | None:
    """The request that an event leaf names, or None. Nothing is checked: it only sorts entries for those who parse."""
    start = leaf.rfind(_REQUEST_KEY) + len(_REQUEST_KEY)
    return leaf[start : start + _N_UUID].decode("latin-1") if start >= len(_REQUEST_KEY) else None


def _read(value: Any) -> Event:
    return Event(
        type=value["type"],
        request=value["request"],
        previous=value["previous"],
        at=canonical.parse_time(value["at"]),
        actor_role=value["actor"]["role"],
        actor_id=value["actor"]["id"],
        facts=value["facts"],
    )


def _refuse_head(event: Event) -> None:
    if not isinstance(event.type, str) or event.type not in FACTS:
        # No message repeats a value: it may be the personal data that is refused here.
        raise LeafError(f"Expected one of the event types {', '.join(FACTS)}; found another.")
    if event.type in WITHOUT_REQUEST:
        if event.request is not None or event.previous is not None:
            raise LeafError(f"{event.type}: belongs to no request; request and previous must be null.")
    elif not canonical.is_uuid4(event.request):
        raise LeafError(f"{event.type}: request must be a UUID version 4 as a string.")
    elif (event.previous is None) != (event.type == FIRST):
        raise LeafError(f"{event.type}: previous must be null for request.received and for nothing else.")
    if event.previous is not None and not canonical.is_sha256(event.previous):
        raise LeafError(f"{event.type}: previous must be a leaf hash in lower-case hex.")
    if not isinstance(event.actor_role, str) or event.actor_role not in ROLES:
        raise LeafError(f"{event.type}: actor.role must be one of {', '.join(sorted(ROLES))}.")
    if not canonical.is_uuid4(event.actor_id):
        raise LeafError(f"{event.type}: actor.id must be a UUID version 4 as a string.")


def _refuse_facts(event: Event) -> None:
    expected = FACTS[event.type]
    if not isinstance(event.facts, Mapping) or set(event.facts) != set(expected):
        raise LeafError(f"{event.type}: expected exactly the facts {sorted(expected)}, found others.")
    for fact, kind in expected.items():
        if not _is_of_kind(event.facts[fact], kind):
            known = f": {', '.join(sorted(WORDS[kind]))}" if kind in WORDS else ""
            raise LeafError(f"{event.type}: the fact {fact} must be of the kind {kind}{known}; the value given is not.")


def _is_of_kind(value: object, kind: str) -> bool:
    item = kind.removeprefix("list of ")
    if item == kind:
        return _CHECKS[kind](value)
    return isinstance(value, list) and all(_CHECKS[item](element) for element in value)
