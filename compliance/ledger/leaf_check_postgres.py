"""The allow-list of leaves as a function of PostgreSQL, written out from `leaf.FACTS`.

A canonical leaf has one order of keys, no spaces and no escapes, so cutting it at its quotation marks finds every
value at a known place. The function writes the leaf anew from those values and compares: whatever was found where,
equal bytes around values of their kinds are a leaf of the list. Regular expressions run over values alone, those of
one kind together: over whole leaves PostgreSQL's take ten times as long.

Whoever may append chooses the search path of the session, and could put another `text` or `||` before ours: the
function has a search path of its own, in which temporary objects come last. No literal has a backslash, so that
`standard_conforming_strings` changes nothing either.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping

from compliance.evidence import leaf as leaves

FUNCTION = "ledger_leaf_is_allowed"
SIGNATURE = f"{FUNCTION}(text,text,uuid,bytea,text)"
_UUID4 = "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"
# What the catalog keeps beside the body: language, volatility, strictness, whose rights, and the settings.
PROPERTIES = ("plpgsql", "i", False, False, ["search_path=pg_catalog, pg_temp"])
_LEAP_YEAR = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_DAY = (
    "(?:[0-9]{4}-(?:(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])|(?:0[13-9]|1[0-2])-(?:29|30)"
    f"|(?:0[13578]|1[02])-31)|{_LEAP_YEAR}-02-29)"
)
_DATE = f"(?!0000){_DAY}"
_TIME = f"{_DATE}T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z"
# The DER of every uncompressed P-256 key begins with these 27 bytes; the 64 bytes of its point follow.
_KEY_PREFIX = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE"
# A P-256 signature in DER has at most 72 bytes and begins with 0x30.
MAX_SIGNATURE_CHARACTERS = 96
_BASE64 = "(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?"


def create_statement(facts: Mapping[str, Mapping[str, str]]) -> str:
    """The statement that makes the function for this allow-list, or puts it in the place of an older one."""
    return (
        f"CREATE OR REPLACE FUNCTION {FUNCTION}(kind text, event_type text, request_id uuid, leaf bytea, "
        "leaf_sha256 text) RETURNS boolean LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE "
        f"SET search_path = pg_catalog, pg_temp AS $leaf${source(facts)}$leaf$"
    )


def source(facts: Mapping[str, Mapping[str, str]]) -> str:
    """The function's body, exactly as the catalog keeps it."""
    branches = "".join(
        f"    WHEN {_quoted(name)} THEN{_found(writer := _event(name, facts[name]))}\n"
        f"        RETURN coalesce({writer.condition()}, false);\n"
        for name in sorted(facts)
    )
    evidence = _evidence()
    return f"""
DECLARE
    t text; p text[]; l text[];
BEGIN
    IF octet_length(leaf) > {leaves.MAX_LEAF_BYTES}
        OR leaf_sha256 IS DISTINCT FROM encode(sha256(decode('00', 'hex') || leaf), 'hex')
    THEN RETURN false; END IF;
    -- What is not printable ASCII is escaped here, and equals nothing below.
    t := encode(leaf, 'escape');
    IF kind = 'evidence' THEN{_found(evidence)}
        RETURN coalesce({evidence.condition()}, false);
    END IF;
    IF kind IS DISTINCT FROM 'event' THEN RETURN false; END IF;
    CASE event_type
{branches}    ELSE RETURN false;
    END CASE;
END
"""


class _Writer:
    """Writes down how a leaf reads: its text as an SQL expression over the pieces, and what holds for each value."""

    def __init__(self) -> None:
        self.n_lists = 0
        self._n_quotes = 0
        self._text: list[str] = []
        self._values: dict[str, list[str]] = defaultdict(list)
        self._conditions: list[str] = []

    def literal(self, text: str) -> None:
        """Text that is the same in every such leaf."""
        self._n_quotes += text.count('"')
        self._text.append(_quoted(text))

    def value(self, kind: str) -> str:
        """A value of this kind; returns its expression."""
        if kind == "count":
            expression = f"btrim({self._piece()}, ':,}}')"
        else:
            self.literal('"')
            expression = self._piece()
        self._text.append(expression)
        self._values[kind].append(expression)
        if kind != "count":
            self.literal('"')
        return expression

    def one_of(self, values: frozenset[str]) -> None:
        """One of a few words."""
        self.literal('"')
        self._text.append(self._piece())
        self.holds(f"{self._piece()} IN ({', '.join(map(_quoted, sorted(values)))})")
        self.literal('"')

    def items(self, kind: str) -> None:
        """A list of values of this kind. Its items are left out where pieces are counted."""
        self.n_lists += 1
        inside = f"l[{self.n_lists}]"
        self.literal("[")
        self._text.append(inside)
        self.literal("]")
        self._values[f"list of {kind}"].append(inside)

    def holds(self, condition: str) -> None:
        """Something else that must hold."""
        self._conditions.append(condition)

    def condition(self) -> str:
        """What is true of a leaf that is allowed."""
        kinds = [_OF_KIND[kind](expressions) for kind, expressions in self._values.items()]
        return "\n            AND ".join([f"t = {' || '.join(self._text)}", *kinds, *self._conditions])

    def _piece(self) -> str:
        return f"p[{self._n_quotes + 1}]"


def _event(name: str, kinds: Mapping[str, str]) -> _Writer:
    """How the leaves of one event type read."""
    writer = _Writer()
    writer.literal('{"actor":{"id":')
    writer.value("uuid")
    writer.literal(',"role":')
    writer.one_of(leaves.ROLES)
    writer.literal('},"at":')
    writer.value("time")
    writer.literal(',"facts":{')
    for number, fact in enumerate(sorted(kinds)):
        writer.literal(f'{"," if number else ""}"{fact}":')
        _write_fact(writer, kinds[fact])
    writer.literal('},"previous":')
    if name in leaves.WITHOUT_REQUEST:
        writer.literal('null,"request":null')
        writer.holds("request_id IS NULL")
    else:
        if name == leaves.FIRST:
            writer.literal("null")
        else:
            writer.value("sha256")
        writer.literal(',"request":')
        writer.holds(f"request_id::text = {writer.value('uuid')}")
    writer.literal(f',"type":"{name}","v":1}}')
    return writer


def _write_fact(writer: _Writer, kind: str) -> None:
    item = kind.removeprefix("list of ")
    if item != kind:
        writer.items(item)
    elif kind in leaves.WORDS:
        writer.one_of(leaves.WORDS[kind])
    else:
        writer.value(kind)


def _evidence() -> _Writer:
    """How a hashedrekord 0.0.2 body reads (rekord.py)."""
    writer = _Writer()
    writer.literal(
        '{"apiVersion":"0.0.2","kind":"hashedrekord","spec":{"hashedRekordV002":{"data":'
        '{"algorithm":"SHA2_256","digest":'
    )
    digest = writer.value("base64")
    writer.literal('},"signature":{"content":')
    signature = writer.value("base64")
    writer.literal(',"verifier":{"keyDetails":"PKIX_ECDSA_P256_SHA_256","publicKey":{"rawBytes":')
    key = writer.value("base64")
    writer.literal("}}}}}}")
    writer.holds(f"length({digest}) = 44 AND length(rtrim({digest}, '=')) = 43")
    writer.holds(f"length({signature}) BETWEEN 8 AND {MAX_SIGNATURE_CHARACTERS} AND {signature} LIKE 'M%'")
    writer.holds(f"length({key}) = 124 AND {key} LIKE '{_KEY_PREFIX}%=='")
    writer.holds("event_type = 'evidence.attached' AND request_id IS NOT NULL")
    return writer


def _found(writer: _Writer) -> str:
    """Statements that find the pieces of a leaf."""
    if not writer.n_lists:
        return "\n        p := string_to_array(t, '\"');"
    numbers = range(1, writer.n_lists + 1)
    insides = "".join(f"\n        l[{n}] := split_part(split_part(t, '[', {n + 1}), ']', 1);" for n in numbers)
    rest = "".join(f" || substr(split_part(t, '[', {n + 1}), length(l[{n}]) + 1)" for n in numbers)
    return f"{insides}\n        p := string_to_array(split_part(t, '[', 1){rest}, '\"');"


def _uuids(expressions: list[str]) -> str:
    return f"{_lengths(expressions, 36)} AND ({' || '.join(expressions)}) ~ '^(?:{_UUID4})+$'"


def _digests(expressions: list[str]) -> str:
    return f"{_lengths(expressions, 64)} AND ({' || '.join(expressions)}) ~ '^[0-9a-f]+$'"


def _lengths(expressions: list[str], n_characters: int) -> str:
    return " AND ".join(f"length({expression}) = {n_characters}" for expression in expressions)


def _counts(expressions: list[str]) -> str:
    # Digits without a leading zero compare as text as they do as numbers, where they are equally many.
    return " AND ".join(
        f"{each} ~ '^(?:0|[1-9][0-9]{{0,15}})$' AND (length({each}) < 16 OR {each} COLLATE \"C\" <= '9007199254740991')"
        for each in expressions
    )


def _lists(pattern: str, expressions: list[str]) -> str:
    # Joined at a comma, which no item has: one expression for all lists of a kind.
    filled = ", ".join(f"nullif({each}, '')" for each in expressions)
    joined = f"concat_ws(',', {filled})"
    return f"({joined} = '' OR {joined} ~ '^\"{pattern}\"(?:,\"{pattern}\")*$')"


def _each(pattern: str, expressions: list[str]) -> str:
    return " AND ".join(f"{expression} ~ '^{pattern}$'" for expression in expressions)


_OF_KIND: Mapping[str, Callable[[list[str]], str]] = {
    "uuid": _uuids,
    "sha256": _digests,
    "count": _counts,
    "plug-in": lambda expressions: _each(leaves.PLUGIN_PATTERN, expressions),
    "version": lambda expressions: _each(leaves.VERSION_PATTERN, expressions),
    "time": lambda expressions: _each(_TIME, expressions),
    "date": lambda expressions: _each(_DATE, expressions),
    "list of uuid": lambda expressions: _lists(_UUID4, expressions),
    "list of sha256": lambda expressions: _lists("[0-9a-f]{64}", expressions),
    "base64": lambda expressions: _each(_BASE64, expressions),
}


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
