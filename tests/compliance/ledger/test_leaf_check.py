"""The database knows the allow-list as well as Python does, on SQLite and on PostgreSQL, and both tables keep it."""

import dataclasses
import json
import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from types import MappingProxyType
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.evidence import canonical, leaf, rekord
from compliance.evidence.errors import LeafError
from compliance.ledger import leaf_check, leaf_check_postgres
from compliance.ledger.models import EntryKind, LedgerEntry, PendingEntry
from tests.compliance.evidence.story import new_signer
from tests.compliance.evidence.test_leaf import EVENT, KEY, NOT_ALLOWED, OPEN_FACTS, SQUEEZED, any_event, events
from tests.compliance.evidence.test_leaf_pattern import PLUGINS, SAME_LENGTH, mutated, started
from tests.compliance.evidence.test_rekord import BAD

pytestmark = pytest.mark.django_db

IS_POSTGRES = connection.vendor == "postgresql"
FEW = settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
SIGNER = new_signer()
BODY = rekord.hashedrekord(SIGNER.sign(b"{}"), SIGNER.public_key_pem)
NOW = datetime(2026, 5, 1, 12, tzinfo=UTC)
ADDRESS = "jane.doe@example.org"


@dataclasses.dataclass(frozen=True)
class Row:
    """What the check looks at. The hash follows the leaf unless it is given."""

    kind: str
    event_type: str
    request_id: uuid.UUID | None
    leaf: bytes
    leaf_sha256: str = ""

    @property
    def values(self) -> dict[str, Any]:
        digest = self.leaf_sha256 or sha256(b"\0" + self.leaf).hexdigest()
        return {**dataclasses.asdict(self), "leaf_sha256": digest, "recorded_at": NOW}


def row_of(event: leaf.Event) -> Row:
    request = None if event.request is None else uuid.UUID(event.request)
    return Row(EntryKind.EVENT, event.type, request, leaf.build(event))


def evidence(data: bytes = BODY) -> Row:
    return Row(EntryKind.EVIDENCE, "evidence.attached", uuid.uuid4(), data)


def database_allows(row: Row) -> bool:
    """Whether the row gets into the outbox. The other table must give the same answer; nothing stays."""
    answers = {_gets_in(PendingEntry, row.values), _gets_in(LedgerEntry, _positioned(row.values))}
    assert len(answers) == 1
    return answers.pop()


def _positioned(values: dict[str, Any]) -> dict[str, Any]:
    return values | {"position": 4711, "entry_id": uuid.uuid4(), "sequenced_at": NOW}


def _gets_in(model: type[PendingEntry] | type[LedgerEntry], values: dict[str, Any]) -> bool:
    try:
        with transaction.atomic():
            model.objects.create(**values)
            transaction.set_rollback(True)
    except DatabaseError as error:
        refusal = str(error)
    else:
        return True
    # Another reason would say nothing about the check.
    assert leaf_check.MESSAGE in refusal
    return False


def python_allows(row: Row) -> bool:
    """What Python says of the same row."""
    try:
        if row.kind == EntryKind.EVIDENCE:
            rekord.parse_hashedrekord(row.leaf)
            return row.event_type == "evidence.attached" and row.request_id is not None
        event = leaf.parse(row.leaf)
    except LeafError:
        return False
    request = None if row.request_id is None else str(row.request_id)
    return row.kind == EntryKind.EVENT and (event.type, event.request) == (row.event_type, request)


# --- Events ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("event_type", leaf.FACTS)
@FEW
@given(data=st.data())
def test_every_event_that_python_builds_gets_in(event_type: str, data: st.DataObject) -> None:
    assert database_allows(row_of(data.draw(events(event_type))))


@pytest.mark.parametrize("event_type", leaf.FACTS)
@FEW
@given(data=st.data())
def test_changed_bytes_are_judged_as_python_judges_them(event_type: str, data: st.DataObject) -> None:
    row = row_of(data.draw(events(event_type)))
    changed = dataclasses.replace(row, leaf=mutated(data, row.leaf))
    assert database_allows(changed) == python_allows(changed)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_facts_of_one_type_are_no_facts_of_another(data: st.DataObject) -> None:
    first, second = (data.draw(st.sampled_from(sorted(leaf.FACTS))) for _ in range(2))
    row = row_of(data.draw(events(first)))
    text = row.leaf.replace(f'"type":"{first}"'.encode(), f'"type":"{second}"'.encode())
    changed = dataclasses.replace(row, leaf=text, event_type=second)
    assert database_allows(changed) == python_allows(changed)


def spellings(value: str) -> list[object]:
    """Other things in the place of a value: personal data first."""
    return [
        ADDRESS, SQUEEZED, "Jane Doe", "she called us", "anna_schmidt", "1984.03.12", "art17_1_a", "failed", value.upper(), f" {value}", f"{value}\n", value[:-1], f"{value}0", "",
        'x","name":"Jane', 5, 0, -1, 1.5, 1e300, 2**53, True, None, [], [value], [[value]], [ADDRESS], {"name": ADDRESS},
        "2026-02-30T12:00:00Z", "2026-02-28T24:00:00Z", "2026-06-30T23:59:60Z", "0000-01-01T00:00:00Z",
        "2024-02-29T23:59:59Z", "2026-05-01T12:00:00+00:00", "\u00e9", "\u0000", "_x", "a" * 64, "a" * 65,
    ]  # fmt: skip


@pytest.mark.parametrize("event_type", leaf.FACTS)
@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_changed_values_are_judged_as_python_judges_them(event_type: str, data: st.DataObject) -> None:
    """One value anywhere in the leaf becomes something else, in canonical bytes."""
    row = row_of(data.draw(events(event_type)))
    value = json.loads(row.leaf)
    parent = data.draw(st.sampled_from([value, value["actor"], value["facts"] or value]))
    key = data.draw(st.sampled_from(sorted(parent)))
    parent[key] = data.draw(st.sampled_from(spellings(str(parent[key]))))
    changed = dataclasses.replace(row, leaf=json_bytes(value))
    assert database_allows(changed) == python_allows(changed)


@pytest.mark.parametrize("event_type", leaf.FACTS)
@FEW
@given(data=st.data())
def test_another_member_is_refused_wherever_it_stands(event_type: str, data: st.DataObject) -> None:
    row = row_of(data.draw(events(event_type)))
    value = json.loads(row.leaf)
    parent = data.draw(st.sampled_from([value, value["actor"], value["facts"]]))
    parent[data.draw(st.sampled_from(["name", "email", "remark", "zz", "a", "Actor"]))] = ADDRESS
    assert not database_allows(dataclasses.replace(row, leaf=json_bytes(value)))


def json_bytes(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


@pytest.mark.parametrize("name", SAME_LENGTH)
def test_the_edges_are_decided_as_python_decides_them(name: str) -> None:
    old, new = SAME_LENGTH[name]
    row = row_of(EVENT)
    changed = dataclasses.replace(row, leaf=row.leaf.replace(old, new))
    assert changed.leaf != row.leaf
    assert database_allows(changed) == python_allows(changed)


@pytest.mark.parametrize("name", PLUGINS)
def test_names_and_versions_of_plug_ins_are_those_that_python_knows(name: str) -> None:
    method, version, is_allowed = PLUGINS[name]
    row = dataclasses.replace(row_of(any_event("job.started")), leaf=started(method, version))
    assert database_allows(row) is python_allows(row) is is_allowed


@pytest.mark.parametrize("event_type", leaf.FACTS)
def test_no_fact_takes_a_name_a_birth_date_and_an_address_as_one_word(event_type: str) -> None:
    row = row_of(any_event(event_type))
    assert database_allows(row)
    for fact, kind in leaf.FACTS[event_type].items():
        if kind in leaf.WORDS or (event_type, fact) in OPEN_FACTS:
            value = json.loads(row.leaf)
            value["facts"][fact] = SQUEEZED
            assert not database_allows(dataclasses.replace(row, leaf=json_bytes(value)))


TEXTS: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "a space": lambda text: text.replace(b",", b", ", 1),
        "a line break behind it": lambda text: text + b"\n",
        "another leaf behind it": lambda text: text + text,
        "a byte order mark": lambda text: b"\xef\xbb\xbf" + text,
        "a zero byte behind it": lambda text: text + b"\0" + ADDRESS.encode(),
        "the same key twice": lambda text: text.replace(
            b'"facts":{', b'"facts":{"method":"' + ADDRESS.encode() + b'",'
        ),
        "the same head twice": lambda text: b'{"at":"' + ADDRESS.encode() + b'",' + text[1:],
        "another order": lambda text: b'{"v":1,' + text[1:].replace(b',"v":1', b""),
        "an escape": lambda text: text.replace(b"email_code", b"\\u0065mail_code"),
        "bytes that are no UTF-8": lambda text: text.replace(b"email_code", b"\xff\xfe"),
        "letters beyond ASCII": lambda text: text.replace(b"email_code", "größe".encode()),
        "no JSON at all": lambda text: ADDRESS.encode(),
        "nothing": lambda text: b"",
        "an array": lambda text: b"[" + text + b"]",
    }
)


@pytest.mark.parametrize("name", TEXTS)
def test_another_text_of_the_same_values_is_refused(name: str) -> None:
    row = row_of(EVENT)
    assert database_allows(row)
    assert not database_allows(dataclasses.replace(row, leaf=TEXTS[name](row.leaf)))


@pytest.mark.parametrize("name", [name for name in NOT_ALLOWED if name.startswith(("a fact", "a method", "a level"))])
def test_facts_that_python_never_writes_are_refused(name: str) -> None:
    row = row_of(EVENT)
    value = json.loads(row.leaf) | NOT_ALLOWED[name]
    assert not database_allows(dataclasses.replace(row, leaf=json_bytes(value)))


def test_a_list_of_any_length_gets_in_up_to_the_size_of_an_entry() -> None:
    digests = [f"{number:064x}" for number in range(970)]
    longest = EVENT._replace(type="request.completed", facts={"evidence": digests, "versions": []})
    row = row_of(longest)
    assert len(row.leaf) > 64_000
    assert database_allows(row)
    longer = row.leaf.replace(b'"versions":[]', b'"versions":[' + b",".join([b'"' + b"0" * 64 + b'"'] * 20) + b"]")
    assert len(longer) > leaf.MAX_LEAF_BYTES
    assert not database_allows(dataclasses.replace(row, leaf=longer))


# --- The other columns ----------------------------------------------------------------------------------------------

COLUMNS: Mapping[str, dict[str, Any]] = MappingProxyType(
    {
        "another type than in the leaf": {"event_type": "request.refused"},
        "a type that there is not": {"event_type": "request.forgotten"},
        "an address as type": {"event_type": ADDRESS},
        "another request than in the leaf": {"request_id": uuid.uuid4()},
        "no request": {"request_id": None},
        "another kind": {"kind": EntryKind.EVIDENCE},
        "a kind that there is not": {"kind": "other"},
        "a hash that is an address": {"leaf_sha256": ADDRESS},
        "a hash in capitals": {"leaf_sha256": "AB" * 32},
    }
)


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_that_do_not_fit_the_leaf_are_refused(name: str) -> None:
    assert not database_allows(dataclasses.replace(row_of(EVENT), **COLUMNS[name]))


def test_an_event_of_no_request_takes_none() -> None:
    assert database_allows(row_of(KEY))
    assert not database_allows(dataclasses.replace(row_of(KEY), request_id=uuid.uuid4()))


@pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has no SHA-256")
@pytest.mark.parametrize("digest", [sha256(leaf.build(EVENT)).hexdigest(), "ab" * 32])
def test_the_hash_is_that_of_the_leaf(digest: str) -> None:
    assert not database_allows(dataclasses.replace(row_of(EVENT), leaf_sha256=digest))


# --- Evidence -------------------------------------------------------------------------------------------------------


def test_signed_evidence_gets_in() -> None:
    assert database_allows(evidence())


@pytest.mark.parametrize("name", BAD)
def test_another_form_of_evidence_is_refused(name: str) -> None:
    body = json.loads(BODY)
    BAD[name](body)
    assert not database_allows(evidence(canonical.dumps(body)))


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_changed_evidence_is_judged_as_python_judges_it(data: st.DataObject) -> None:
    """But for what only Python knows, the curve, and what only the database is strict about, the signature's size."""
    row = evidence(mutated(data, BODY))
    if database_allows(row):
        assert python_allows(row) or _key_of(row) != _key_of(evidence())
    elif python_allows(row):
        signature = json.loads(row.leaf)["spec"]["hashedRekordV002"]["signature"]["content"]
        assert not signature.startswith("M") or not 8 <= len(signature) <= 96


def _key_of(row: Row) -> object:
    return json.loads(row.leaf)["spec"]["hashedRekordV002"]["signature"]["verifier"]["publicKey"]["rawBytes"]


@pytest.mark.parametrize(
    ("signature", "is_allowed"),
    [
        pytest.param(b"\x30" + bytes(71), True, id="as long as one can be"),
        pytest.param(b"\x30" + bytes(72), False, id="longer than any"),
        pytest.param(ADDRESS.encode(), False, id="an address"),
        pytest.param(b"", False, id="none"),
    ],
)
def test_a_signature_has_room_for_nothing_else(signature: bytes, is_allowed: bool) -> None:
    body = rekord.HashedRekord(bytes(32), signature, SIGNER.public_key, SIGNER.keyid).to_bytes()
    assert database_allows(evidence(body)) is is_allowed


@pytest.mark.parametrize("n_bytes", [0, 31, 33])
def test_a_digest_of_another_length_is_refused(n_bytes: int) -> None:
    """33 bytes fill as many characters of base64 as 32 do with their padding."""
    body = rekord.HashedRekord(bytes(n_bytes), b"\x30" + bytes(69), SIGNER.public_key, SIGNER.keyid).to_bytes()
    assert not database_allows(evidence(body))


@pytest.mark.parametrize("n_bytes", range(29, 36))
def test_a_digest_of_evidence_has_32_bytes(n_bytes: int) -> None:
    body = rekord.HashedRekord(bytes(n_bytes), b"\x30" + bytes(70), SIGNER.public_key, SIGNER.keyid).to_bytes()
    assert database_allows(evidence(body)) is (n_bytes == 32)


@pytest.mark.parametrize("changes", [{"event_type": "request.received"}, {"request_id": None}, {"kind": "event"}])
def test_columns_that_do_not_fit_evidence_are_refused(changes: dict[str, Any]) -> None:
    assert not database_allows(dataclasses.replace(evidence(), **changes))


# --- Following the code ---------------------------------------------------------------------------------------------


def test_the_database_holds_the_list_of_this_code() -> None:
    assert leaf_check.lacking(connection) == []


def test_a_longer_list_reaches_the_database_with_the_next_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    """No migration is written for it. Without this step the check would refuse what the new code writes."""
    longer = MappingProxyType({**leaf.FACTS, "request.paused": MappingProxyType({"reason": "attention reason"})})
    paused = EVENT._replace(type="request.paused", facts={"reason": "job_failed"})
    for module in (leaf, leaf_check):
        monkeypatch.setattr(module, "FACTS", longer)
    assert leaf_check.lacking(connection) != []
    assert not database_allows(row_of(paused))
    call_command("migrate", verbosity=0)
    assert leaf_check.lacking(connection) == []
    assert database_allows(row_of(paused))


def test_one_more_word_of_a_list_reaches_the_database_with_the_next_migrate(monkeypatch: pytest.MonkeyPatch) -> None:
    more = MappingProxyType({**leaf.WORDS, "ground": leaf.WORDS["ground"] | {"art17_1_z"}})
    monkeypatch.setattr(leaf, "WORDS", more)
    row = row_of(any_event("request.approved", ground="art17_1_z"))
    assert not database_allows(row)
    call_command("migrate", verbosity=0)
    assert leaf_check.lacking(connection) == []
    assert database_allows(row)


# --- A session that is set up to deceive ----------------------------------------------------------------------------

SHADOWS = {
    "another type text": ["CREATE DOMAIN pg_temp.text AS pg_catalog.bpchar"],
    "another comparison": [
        "CREATE FUNCTION shadow.yes(text, text) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true'",
        "CREATE OPERATOR shadow.= (LEFTARG = text, RIGHTARG = text, FUNCTION = shadow.yes)",
    ],
    "another way to read bytes": [
        "CREATE FUNCTION shadow.encode(bytea, text) RETURNS text LANGUAGE sql IMMUTABLE "
        "AS $$SELECT pg_catalog.rtrim(pg_catalog.encode($1, $2))$$",
    ],
}


@pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has no search path")
@pytest.mark.parametrize("name", SHADOWS)
def test_what_a_session_puts_before_the_catalogue_changes_nothing(name: str) -> None:
    """Trailing spaces are nothing to `bpchar`: the canonical text would compare equal to one with more bytes."""
    good, longer = (dataclasses.replace(row_of(EVENT), leaf=leaf.build(EVENT) + b" " * n) for n in (0, 40))
    with connection.cursor() as cursor:
        # Functions are compiled once a session: what was compiled before must not help.
        cursor.execute(leaf_check_postgres.create_statement(leaf.FACTS))
        for statement in ("CREATE SCHEMA shadow", *SHADOWS[name]):
            cursor.execute(statement)
        cursor.execute("SET search_path = pg_temp, shadow, pg_catalog, public")
    assert not database_allows(longer)
    assert database_allows(good)


@pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has no search path")
def test_no_function_of_the_ledger_follows_the_search_path_of_a_session() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname, proconfig FROM pg_proc WHERE proname LIKE 'ledger\\_%'")
        found = dict(cursor.fetchall())
    assert leaf_check.FUNCTION in found
    assert {name: paths for name, paths in found.items() if paths != ["search_path=pg_catalog, pg_temp"]} == {}


def test_no_literal_of_the_check_has_a_backslash() -> None:
    assert "\\" not in leaf_check_postgres.source(leaf.FACTS)


ALTERED = {
    "no search path": "RESET search_path",
    "nothing instead of no": "STRICT",
    "the rights of its owner": "SECURITY DEFINER",
    "other answers each time": "VOLATILE",
}


@pytest.mark.skipif(not IS_POSTGRES, reason="SQLite has a trigger, which is compared as a whole")
@pytest.mark.parametrize("name", ALTERED)
def test_a_function_with_other_properties_is_put_back(name: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER FUNCTION {leaf_check_postgres.SIGNATURE} {ALTERED[name]}")
    assert leaf_check.lacking(connection) != []
    leaf_check.install(connection)
    assert leaf_check.lacking(connection) == []


def test_a_function_that_somebody_replaced_is_put_back_by_migrate() -> None:
    with connection.cursor() as cursor:
        if IS_POSTGRES:
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {leaf_check.FUNCTION}(kind text, event_type text, request_id uuid, leaf bytea, "
                "leaf_sha256 text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'"
            )
        else:
            cursor.execute("DROP TRIGGER ledger_pendingentry_leaf_is_allowed")
            cursor.execute("DROP TRIGGER ledger_ledgerentry_leaf_is_allowed")
    assert database_allows(dataclasses.replace(row_of(EVENT), leaf=ADDRESS.encode()))
    call_command("migrate", verbosity=0)
    assert not database_allows(dataclasses.replace(row_of(EVENT), leaf=ADDRESS.encode()))


def test_without_the_check_the_same_rows_would_get_in() -> None:
    """Shows that it is the check that refuses, not a mistake in the rows."""
    leaf_check.remove(connection)
    assert database_allows(dataclasses.replace(row_of(EVENT), leaf=ADDRESS.encode(), event_type=ADDRESS))
    leaf_check.install(connection)
    assert not database_allows(dataclasses.replace(row_of(EVENT), leaf=ADDRESS.encode(), event_type=ADDRESS))


def test_a_database_that_we_have_no_check_for_is_refused() -> None:
    class Elsewhere:
        vendor = "oracle"

    with pytest.raises(ValueError, match="PostgreSQL or SQLite"):
        leaf_check.lacking(Elsewhere())  # type: ignore[arg-type]
