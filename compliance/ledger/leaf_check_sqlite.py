"""The allow-list of leaves as a trigger of SQLite, which holds `leaf.FACTS` as JSON and writes each leaf anew from it.

What the leaf says is read with the JSON functions, each value must be of its kind, and the canonical text of exactly
these values must be the leaf, byte for byte: another key, another order or another spelling is another text.
SQLite has no SHA-256, so of `leaf_sha256` only the spelling is looked at.
"""

# ruff: noqa: S608 - a trigger has no parameters, and all that is put into its text are constants of this code.

import json
from collections.abc import Callable, Mapping

from compliance.evidence import canonical
from compliance.evidence import leaf as leaves
from compliance.ledger.leaf_check_postgres import MAX_SIGNATURE_CHARACTERS

_HEX = "[0-9a-f]"
_UUID4 = "-".join([_HEX * 8, _HEX * 4, f"4{_HEX * 3}", f"[89ab]{_HEX * 3}", _HEX * 12])
_DIGIT = "[0-9]"
_DATE = f"{_DIGIT * 4}-{_DIGIT * 2}-{_DIGIT * 2}"
_TIME = f"{_DATE}T{_DIGIT * 2}:{_DIGIT * 2}:{_DIGIT * 2}Z"
# The DER of every uncompressed P-256 key begins with these 27 bytes; the 64 bytes of its point follow.
_KEY_PREFIX = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
_SPEC = "$.spec.hashedRekordV002"


def create_trigger(name: str, table: str, facts: Mapping[str, Mapping[str, str]], message: str) -> str:
    """The statement that makes the trigger for this allow-list, as the schema table keeps it."""
    return (
        f"CREATE TRIGGER {name} BEFORE INSERT ON {table} WHEN NOT coalesce({_is_allowed(facts)}, 0) "
        f"BEGIN SELECT RAISE(ABORT, '{message}'); END"
    )


def _is_allowed(facts: Mapping[str, Mapping[str, str]]) -> str:
    return f"""
typeof(NEW.leaf) = 'blob' AND length(NEW.leaf) <= {leaves.MAX_LEAF_BYTES} AND {_is_sha256("NEW.leaf_sha256")}
AND CASE WHEN NOT json_valid(CAST(NEW.leaf AS TEXT)) THEN 0
WHEN NEW.kind = 'event' THEN {_is_event(facts)}
WHEN NEW.kind = 'evidence' THEN {_is_evidence()}
END"""


def _is_event(facts: Mapping[str, Mapping[str, str]]) -> str:
    """Reads `leaf` (the text), `kinds` (fact → kind, in order), and the members outside the facts."""
    listed = ", ".join(f"'{name}'" for name in sorted(facts))
    alone = ", ".join(f"'{name}'" for name in sorted(leaves.WITHOUT_REQUEST & set(facts)))
    roles = ", ".join(f"'{role}'" for role in sorted(leaves.ROLES))
    return f"""(SELECT NEW.event_type IN ({listed})
    AND {_is_uuid4("actor")} AND role IN ({roles}) AND {_is_time("at")}
    AND CASE WHEN NEW.event_type IN ({alone}) THEN request IS NULL AND previous IS NULL AND NEW.request_id IS NULL
        ELSE {_is_uuid4("request")} AND replace(request, '-', '') = NEW.request_id
        AND CASE NEW.event_type WHEN '{leaves.FIRST}' THEN previous IS NULL ELSE {_is_sha256("previous")} END END
    AND (SELECT count(*) = total({_fact_is_of_kind()}) FROM json_each(kinds) AS fact)
    AND CAST('{{"actor":{{"id":"' || actor || '","role":"' || role || '"}},"at":"' || at || '","facts":{{'
    || coalesce((SELECT group_concat('"' || fact.key || '":' || {_fact_text()}, ',') FROM json_each(kinds) AS fact), '')
    || '}},"previous":' || coalesce('"' || previous || '"', 'null') || ',"request":'
    || coalesce('"' || request || '"', 'null') || ',"type":"' || NEW.event_type || '","v":1}}' AS BLOB) = NEW.leaf
FROM (SELECT leaf, json_extract('{_as_json(facts)}', '$."' || NEW.event_type || '"') AS kinds,
    json_extract(leaf, '$.actor.id') AS actor, json_extract(leaf, '$.actor.role') AS role,
    json_extract(leaf, '$.at') AS at, json_extract(leaf, '$.previous') AS previous,
    json_extract(leaf, '$.request') AS request
    FROM (SELECT CAST(NEW.leaf AS TEXT) AS leaf)))"""


def _is_evidence() -> str:
    """Reads the three values of a hashedrekord 0.0.2 body (rekord.py)."""
    return f"""(SELECT NEW.event_type = 'evidence.attached' AND NEW.request_id IS NOT NULL
    AND {_is_base64("digest")} AND length(rtrim(digest, '=')) = 43
    AND {_is_base64("signature")} AND length(signature) BETWEEN 8 AND {MAX_SIGNATURE_CHARACTERS} AND signature GLOB 'M*'
    AND {_is_base64("public_key")} AND length(public_key) = 124 AND public_key GLOB '{_KEY_PREFIX}*=='
    AND CAST('{{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{{"hashedRekordV002":{{"data":{{"algorithm":'
    || '"SHA2_256","digest":"' || digest || '"}},"signature":{{"content":"' || signature || '","verifier":'
    || '{{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{{"rawBytes":"' || public_key || '"}}}}}}}}}}}}' AS BLOB)
    = NEW.leaf
FROM (SELECT json_extract(leaf, '{_SPEC}.data.digest') AS digest,
    json_extract(leaf, '{_SPEC}.signature.content') AS signature,
    json_extract(leaf, '{_SPEC}.signature.verifier.publicKey.rawBytes') AS public_key
    FROM (SELECT CAST(NEW.leaf AS TEXT) AS leaf)))"""


def _as_json(facts: Mapping[str, Mapping[str, str]]) -> str:
    """The allow-list, its facts in the order of a canonical leaf."""
    return json.dumps({name: dict(sorted(kinds.items())) for name, kinds in sorted(facts.items())})


_FACT = "json_extract(leaf, '$.facts.' || fact.key)"
_ITEMS = "json_each(leaf, '$.facts.' || fact.key)"


def _fact_is_of_kind() -> str:
    """1 for a fact whose value is of the kind that `fact.value` names."""
    tests = {**_IS_OF_KIND, **{kind: _is_one_of(words) for kind, words in leaves.WORDS.items()}}
    alone = " ".join(f"WHEN '{kind}' THEN {test(_FACT)}" for kind, test in tests.items())
    # An item that is not text has another type; a list that is none has another text.
    listed = " ".join(
        f"WHEN 'list of {kind}' THEN (SELECT count(*) = total({test('item.value')}) FROM {_ITEMS} AS item)"
        for kind, test in _IS_OF_KIND.items()
        if kind in _LISTED
    )
    return f"CASE fact.value {alone} {listed} END"


def _fact_text() -> str:
    """A value as the canonical text of its kind has it."""
    items = f"(SELECT coalesce(group_concat('\"' || item.value || '\"', ','), '') FROM {_ITEMS} AS item)"
    return (
        f"CASE WHEN fact.value = 'count' THEN {_FACT} WHEN fact.value GLOB 'list of *' THEN '[' || {items} || ']' "
        f"ELSE '\"' || {_FACT} || '\"' END"
    )


def _is_sha256(value: str) -> str:
    return f"(typeof({value}) = 'text' AND length({value}) = 64 AND {value} NOT GLOB '*[^0-9a-f]*')"


def _is_uuid4(value: str) -> str:
    return f"(typeof({value}) = 'text' AND {value} GLOB '{_UUID4}')"


def _is_plugin(value: str) -> str:
    return (
        f"(typeof({value}) = 'text' AND length({value}) <= 32 AND {value} GLOB '[a-z]*' "
        f"AND {value} NOT GLOB '*[^a-z0-9_]*')"
    )


def _is_version(value: str) -> str:
    return (
        f"(typeof({value}) = 'text' AND {value} GLOB '[0-9]*' AND {value} GLOB '*[0-9]' AND {value} NOT GLOB '*[^0-9.]*' "
        f"AND {value} NOT GLOB '*..*' AND {value} NOT GLOB '*{_DIGIT * 5}*' "
        f"AND length({value}) - length(replace({value}, '.', '')) <= 2)"
    )


def _is_one_of(words: frozenset[str]) -> Callable[[str], str]:
    listed = ", ".join(f"'{word}'" for word in sorted(words))
    return lambda value: f"(typeof({value}) = 'text' AND {value} IN ({listed}))"


def _is_count(value: str) -> str:
    return f"(typeof({value}) = 'integer' AND {value} BETWEEN 0 AND {canonical.MAX_INT})"


def _is_time(value: str) -> str:
    # A day that the month does not have is moved into the next one, and is another text then.
    return (
        f"(typeof({value}) = 'text' AND {value} GLOB '{_TIME}' AND {value} NOT GLOB '0000*' "
        f"AND strftime('%Y-%m-%dT%H:%M:%SZ', {value}, '+0 days') IS {value})"
    )


def _is_date(value: str) -> str:
    return (
        f"(typeof({value}) = 'text' AND {value} GLOB '{_DATE}' AND {value} NOT GLOB '0000*' "
        f"AND strftime('%Y-%m-%d', {value}, '+0 days') IS {value})"
    )


def _is_base64(value: str) -> str:
    return (
        f"(typeof({value}) = 'text' AND length({value}) % 4 = 0 AND rtrim({value}, '=') NOT GLOB '*[^A-Za-z0-9+/]*' "
        f"AND CASE length({value}) - length(rtrim({value}, '=')) WHEN 0 THEN 1 "
        f"WHEN 1 THEN {value} GLOB '*[AEIMQUYcgkosw048]=' WHEN 2 THEN {value} GLOB '*[AQgw]==' ELSE 0 END)"
    )


_IS_OF_KIND: Mapping[str, Callable[[str], str]] = {
    "sha256": _is_sha256,
    "uuid": _is_uuid4,
    "plug-in": _is_plugin,
    "version": _is_version,
    "count": _is_count,
    "time": _is_time,
    "date": _is_date,
}
_LISTED = ("sha256", "uuid")
