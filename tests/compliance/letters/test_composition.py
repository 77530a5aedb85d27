"""Letters: refused without their mandatory parts, true in every language, plain in their form."""

import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass, replace
from datetime import date
from typing import Any

import pytest
from django.conf import settings

from compliance.evidence.leaf import WORDS
from compliance.evidence.verdict import Result
from compliance.law.provisions import Provision
from compliance.law.words import available as languages_of_the_law
from compliance.letters import composition
from compliance.letters.composition import Composed, body_of, compose
from compliance.letters.errors import InvalidPartError, MissingPartError
from compliance.letters.language import available, language_of
from compliance.letters.parts import KINDS, Assurance, NextStep, Parts, Text, mandatory
from compliance.requests.models import Letter
from tests.compliance.letters.samples import (
    COMPLETED,
    FRAME,
    OUTCOME,
    PARTLY_COMPLETED,
    RECEIPT,
    REFUSED,
    REMAINING,
    SAMPLES,
)

LANGUAGES = sorted(available())
OTHERS = [code for code in LANGUAGES if code != "en"]
TEMPLATES = settings.ROOT / "templates" / "letters"
EACH_PART = [(kind, part) for kind, of in KINDS.items() for part in mandatory(of)]


def plain(text: str) -> str:
    """The text on one line, so that phrases are found wherever lines break."""
    return " ".join(text.split())


def without(parts: Any, path: str) -> Any:
    """The parts with the one of this dotted name emptied, as its type allows."""
    name, _, rest = path.partition(".")
    value = getattr(parts, name)
    if rest:
        return replace(parts, **{name: without(value, rest)})
    return replace(parts, **{name: "  " if isinstance(value, str) else () if isinstance(value, tuple) else None})


# --- Refusals -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "part"), EACH_PART, ids=[f"{kind}: {part}" for kind, part in EACH_PART])
@pytest.mark.parametrize("code", LANGUAGES)
def test_a_letter_without_a_mandatory_part_is_refused(code: str, kind: str, part: str) -> None:
    with pytest.raises(MissingPartError) as refused:
        compose(kind, code, without(SAMPLES[kind], part))
    assert refused.value.part == part


WITH_GAPS_INSIDE: dict[str, tuple[str, Parts, str]] = {
    "an outcome without assurance": (
        "completed",
        replace(COMPLETED, outcomes=(OUTCOME, without(OUTCOME, "assurance"))),
        "outcomes.1.assurance",
    ),
    "a kept model without a reason": (
        "partly_completed",
        replace(PARTLY_COMPLETED, remaining=(without(REMAINING, "reason"),)),
        "remaining.0.reason",
    ),
}


@pytest.mark.parametrize(("kind", "parts", "part"), WITH_GAPS_INSIDE.values(), ids=WITH_GAPS_INSIDE.keys())
def test_a_gap_inside_a_list_is_refused(kind: str, parts: Parts, part: str) -> None:
    with pytest.raises(MissingPartError) as refused:
        compose(kind, "en", parts)
    assert refused.value.part == part


WHAT_THE_LAW_ASKS_FOR = {
    "receipt": {"frame.request_id", "frame.received_date", "due_date", "next_step", "frame.contact"},
    "extension": {"new_due_date", "reasons"},
    "refused": {"reasons", "remedies.authority", "remedies.court"},
    "closed_unverified": {"reasons", "remedies.authority", "remedies.court"},
    "partly_completed": {"remaining", "remedies.authority", "remedies.court"},
}


@pytest.mark.parametrize("kind", WHAT_THE_LAW_ASKS_FOR)
def test_what_the_law_asks_for_is_mandatory(kind: str) -> None:
    """Art. 12(3) and (4) GDPR, written down a second time."""
    assert set(mandatory(KINDS[kind])) >= WHAT_THE_LAW_ASKS_FOR[kind]


NOT_ONE_LINE = {
    "a header": "Contoso\r\nBcc: everyone@example.org",
    "a line feed": "Contoso\nGmbH",
    "a tab": "Contoso\tGmbH",
    "a line separator": "Contoso\u2028GmbH",
    "a reversal of direction": "Contoso\u202egnp.exe",
    "a null character": "Contoso\x00",
}


@pytest.mark.parametrize("name", NOT_ONE_LINE.values(), ids=NOT_ONE_LINE.keys())
@pytest.mark.parametrize("field", ["controller", "contact"])
def test_nothing_is_smuggled_into_a_letter_through_a_setting(field: str, name: str) -> None:
    frame = replace(FRAME, controller=name) if field == "controller" else replace(FRAME, contact=name)
    parts = replace(SAMPLES["refused"], frame=frame)
    with pytest.raises(InvalidPartError, match="one line"):
        compose("refused", "en", parts)


@pytest.mark.parametrize("kind", ["refused", "no such kind"])
def test_the_parts_of_another_kind_are_refused(kind: str) -> None:
    with pytest.raises(InvalidPartError, match="Withdrawn"):
        compose(kind, "en", SAMPLES["withdrawn"])


# --- What they say --------------------------------------------------------------------------------------------------


EACH_LETTER = [pytest.param(kind, code, id=f"{kind}-{code}") for kind in SAMPLES for code in LANGUAGES]


def dates_and_words(parts: object) -> Iterator[date | str]:
    """Every date, and every text that is shown as it is, at any depth."""
    if isinstance(parts, date) or (isinstance(parts, str) and not isinstance(parts, Assurance | Result | NextStep)):
        yield parts
    elif isinstance(parts, tuple):
        for member in parts:
            yield from dates_and_words(member)
    elif is_dataclass(parts) and not isinstance(parts, Provision):
        for field in fields(parts):
            yield from dates_and_words(getattr(parts, field.name))


@pytest.mark.parametrize(("kind", "code"), EACH_LETTER)
def test_every_part_is_in_the_text(kind: str, code: str) -> None:
    letter = compose(kind, code, SAMPLES[kind])
    text = plain(letter.body)
    for part in dates_and_words(SAMPLES[kind]):
        shown = language_of(code).date(part) if isinstance(part, date) else part
        assert plain(shown) in text, part


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("kind", ["completed", "partly_completed", "refused", "closed_unverified"])
def test_both_remedies_are_named_with_their_articles(kind: str, code: str) -> None:
    text = plain(compose(kind, code, SAMPLES[kind]).body)
    assert re.search(r"(Art\.|article|artículo) 77 ", text) and re.search(r"(Art\.|article|artículo) 79 ", text)


@pytest.mark.parametrize("code", LANGUAGES)
def test_under_another_law_no_article_of_the_gdpr_is_named(code: str) -> None:
    for kind, parts in SAMPLES.items():
        text = plain(compose(kind, code, replace(parts, frame=replace(FRAME, is_gdpr=False))).body)
        assert not re.search(r"GDPR|DSGVO|RGPD|\bArt\.|article |artículo ", text)
        assert "()" not in text and " ." not in text


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("kind", SAMPLES)
def test_nothing_was_left_in_english(kind: str, code: str) -> None:
    """Only what is data reads the same: the address of the controller, names of models and recipients, free text."""
    english, letter = compose(kind, "en", SAMPLES[kind]), compose(kind, code, SAMPLES[kind])
    data = {"Contoso GmbH", "- Fabrikam SAS", "4711?", "4711."}
    assert letter.subject != english.subject
    assert set(letter.body.split("\n\n")) & set(english.body.split("\n\n")) <= data | {"Contoso GmbH\n"}
    assert not set(plain(letter.body).split()) & {"the", "were", "your", "records", "request", "by", "of"}


def test_every_language_has_every_template_and_no_other() -> None:
    assert {folder.name for folder in TEMPLATES.iterdir()} == set(LANGUAGES) == languages_of_the_law()
    expected = {f"{name}.txt" for name in (*KINDS, "_reference", "_closing", "_remedies", "_outcomes")}
    for code in LANGUAGES:
        assert {path.name for path in (TEMPLATES / code).iterdir()} == expected


def test_the_kinds_are_those_of_the_rows() -> None:
    assert set(KINDS) == set(Letter.Kind.values) == WORDS["notice"] == set(SAMPLES)


OPTIONAL: dict[str, tuple[str, Parts, str]] = {
    "no model held the person": ("completed", replace(COMPLETED, outcomes=(), recipients=()), "None of these models"),
    "no other model": ("completed", replace(COMPLETED, n_not_concerned=0), "What was done"),
    "one other model": ("completed", replace(COMPLETED, n_not_concerned=1), "1 other model holds none"),
    "no facts": ("refused", replace(REFUSED, facts=Text()), "The reasons"),
    "proven already": ("receipt", replace(RECEIPT, next_step=NextStep.REVIEW), "a person reviews"),
    "old weights gone": ("completed", replace(COMPLETED, outcomes=(replace(OUTCOME, older_until_date=None),)), "spam"),
}


@pytest.mark.parametrize(("kind", "parts", "expected"), OPTIONAL.values(), ids=OPTIONAL.keys())
def test_what_is_optional_may_be_left_out_and_leaves_no_gap(kind: str, parts: Parts, expected: str) -> None:
    body = compose(kind, "en", parts).body
    assert expected in plain(body)
    assert "None." not in body and "None " not in body.replace("None of these models", "")
    for code in OTHERS:
        assert "None" not in compose(kind, code, parts).body


# --- What they must not say -----------------------------------------------------------------------------------------

# Word stems that claim a removal.
CLAIMS = {
    "en": r"\berase|\bdelet(?!ion request)|\bremov|\bforg[eo]t|\bdestroyed(?! from)|exactly|provabl",
    "de": r"\bgelösch|\blösch(?!antrag)|\bentfern|\bvergess|\bgenau|beweisbar",
    "fr": r"\beffac(?!ement)|\bsupprim|\bretir(?!é et)|\boubli|exactement|prouvable",
    "es": r"\bborr|\bsuprim|\belimin|\bolvid|exactamente|demostrable",
}


def outcome_text(code: str, assurance: Assurance, result: Result) -> str:
    outcome = replace(OUTCOME, assurance=assurance, result=result, older_until_date=None)
    body = compose("completed", code, replace(COMPLETED, outcomes=(outcome,))).body
    (item,) = [block for block in body.split("\n\n") if "spam" in block]
    return plain(item)


@pytest.mark.parametrize("code", LANGUAGES)
def test_suppression_is_never_called_a_removal(code: str) -> None:
    assert not re.search(CLAIMS[code], outcome_text(code, Assurance.SUPPRESSION, Result.PASSED), re.IGNORECASE)
    outcome = replace(OUTCOME, assurance=Assurance.SUPPRESSION)
    letter = compose("completed", code, replace(COMPLETED, outcomes=(outcome,)))
    text = plain(f"{letter.subject} {letter.body}")
    assert not re.search(r"\berased|\bdeleted|gelöscht|\beffacée?s?\b|supprimé|borrado|suprimid", text, re.IGNORECASE)


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_assurance_claims_what_it_is_and_no_more(code: str) -> None:
    exact = {"en": "exactly", "de": "genau", "fr": "exactement", "es": "exactamente"}[code]
    proven = {"en": "provably", "de": "beweisbar", "fr": "prouvable", "es": "demostrable"}[code]
    texts = {assurance: outcome_text(code, assurance, Result.PASSED) for assurance in Assurance}
    assert {name for name, text in texts.items() if exact in text} == {Assurance.EXACT}
    assert {name for name, text in texts.items() if proven in text} == {Assurance.CERTIFIED}


@pytest.mark.parametrize("code", LANGUAGES)
@pytest.mark.parametrize("assurance", Assurance)
def test_where_the_audits_failed_no_assurance_is_claimed(code: str, assurance: Assurance) -> None:
    text = outcome_text(code, assurance, Result.FAILED)
    assert plain(language_of(code).unconfirmed) in text
    assert plain(language_of(code).typography(language_of(code).assurances[assurance])) not in text


@pytest.mark.parametrize("code", LANGUAGES)
def test_an_inconclusive_check_is_told(code: str) -> None:
    warned, passed = (outcome_text(code, Assurance.EXACT, result) for result in (Result.WARNED, Result.PASSED))
    assert len(warned) > len(passed) + 40


def test_every_assurance_of_the_ledger_has_words() -> None:
    assert set(Assurance) == WORDS["assurance"]
    for code in LANGUAGES:
        assert set(language_of(code).assurances) == set(Assurance)


# --- Form -----------------------------------------------------------------------------------------------------------

MONTHS = {
    "en": "January February March April May June July August September October November December",
    "de": "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
    "fr": "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
    "es": "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
}
DAYS = {
    "en": ("1 {} 2026", "31 {} 2026"),
    "de": ("1. {} 2026", "31. {} 2026"),
    "fr": ("1er {} 2026", "31 {} 2026"),
    "es": ("1 de {} de 2026", "31 de {} de 2026"),
}


@pytest.mark.parametrize("code", LANGUAGES)
def test_days_are_written_out(code: str) -> None:
    for number, month in enumerate(MONTHS[code].split(), 1):
        assert plain(language_of(code).date(date(2026, number, 1))) == DAYS[code][0].format(month)
    assert plain(language_of(code).date(date(2026, 12, 31))) == DAYS[code][1].format(MONTHS[code].split()[-1])


@pytest.mark.parametrize(("kind", "code"), EACH_LETTER)
def test_lines_are_short_and_clean(kind: str, code: str) -> None:
    letter = compose(kind, code, SAMPLES[kind])
    assert letter.subject and len(letter.subject) <= 78
    assert max(map(len, letter.body.split("\n"))) <= 78
    assert letter.body.endswith("\n") and "\n\n\n" not in letter.body
    assert not re.search(r"[{}\x00\r\t]| \n|  \S.*  ", letter.body)
    assert "'" not in letter.body and '"' not in letter.body


def test_a_url_keeps_its_line_whole() -> None:
    url = "https://authority.example/" + "a" * 90
    body = compose("withdrawn", "en", replace(SAMPLES["withdrawn"], frame=replace(FRAME, contact=url))).body
    assert f"\n{url}\n" in body


def test_french_keeps_double_signs_with_their_word() -> None:
    for kind, parts in SAMPLES.items():
        letter = compose(kind, "fr", parts)
        assert not re.search(r"[ \n][:;?!»]|«[ \n]", f"{letter.subject}\n{letter.body}"), kind


def test_free_text_stays_text() -> None:
    facts = Text("One {{ frame.request_id }} & <b>two</b>\r\nthree\x07\u202e\n\n\n- four\u2028five")
    body = compose("refused", "en", replace(REFUSED, facts=facts)).body
    assert "One {{ frame.request_id }} & <b>two</b>\n\nthree\n\n- four\n\nfive\n" in body


@pytest.mark.parametrize(("locale", "code"), [("de-AT", "de"), ("fr_CA", "fr"), ("nl", "en"), ("", "en")])
def test_a_locale_gets_its_language_or_english(locale: str, code: str) -> None:
    assert compose("withdrawn", locale, SAMPLES["withdrawn"]) == compose("withdrawn", code, SAMPLES["withdrawn"])
    assert compose("withdrawn", locale, SAMPLES["withdrawn"]).locale == code


def test_a_template_that_names_what_is_not_there_is_refused(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "templates" / "letters" / "en"
    folder.mkdir(parents=True)
    (folder / "withdrawn.txt").write_text("Subject\n\n{{ frame.requestid }}\n")
    monkeypatch.setattr(settings, "ROOT", tmp_path)
    composition._engine.cache_clear()
    try:
        with pytest.raises(LookupError, match=r"en/withdrawn\.txt"):
            compose("withdrawn", "en", SAMPLES["withdrawn"])
    finally:
        composition._engine.cache_clear()


# --- What is committed to -------------------------------------------------------------------------------------------

AS_KEPT = {
    "with CRLF": lambda body: body.replace("\n", "\r\n"),
    "without the last line feed": lambda body: body.rstrip("\n"),
    "with empty lines around": lambda body: f"\n{body}\n\n",
    "with space at line ends": lambda body: body.replace("\n", "  \n"),
}


@pytest.mark.parametrize("kept", AS_KEPT.values(), ids=AS_KEPT.keys())
def test_whoever_kept_the_letter_hashes_the_same_bytes(kept: Any) -> None:
    body = compose("refused", "de", SAMPLES["refused"]).body
    assert body_of(kept(body)) == body_of(body) == body.encode()


def test_every_other_text_is_another_payload() -> None:
    letters: list[Composed] = [compose(kind, code, SAMPLES[kind]) for kind in SAMPLES for code in LANGUAGES]
    assert len({tuple(sorted(letter.payload.items())) for letter in letters}) == len(letters)
    assert set(letters[0].payload) == {"kind", "locale", "body_sha256"}


GOLDEN_REFUSAL = """\
Reference: 3f1c9a52-6f0b-4a5e-9d6c-1f2e3d4c5b6a

We decided on 20 March 2026 not to act on your deletion request of
1 March 2026. Nothing is deleted.

The reasons (Art. 12(4) GDPR):

- The data are needed to meet a legal obligation, or for a task in the
  public interest or in the exercise of official authority (Art.
  17(3)(b) GDPR).
- The request is manifestly excessive, for example because it keeps
  being repeated (Art. 12(5) GDPR).

In the words of those who decided:

4711.

If you do not agree, you can do either of the following, or both.

- You may complain to a data protection supervisory authority (Art. 77
  GDPR): Authority X, https://authority.example/complain

- You may seek a judicial remedy (Art. 79 GDPR): Court Y, Berlin

If you have questions, name the reference above. Contact:
privacy@contoso.example

Contoso GmbH
"""


def test_the_refusal_reads_like_this() -> None:
    letter = compose("refused", "en", SAMPLES["refused"])
    assert letter.subject == "Your deletion request was refused"
    assert plain(letter.body) == plain(GOLDEN_REFUSAL)


def test_the_manual_lists_the_parts_of_each_kind() -> None:
    """docs/letters.md, between its headings."""
    manual = (settings.ROOT / "docs" / "letters.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.+) \|$", manual, flags=re.MULTILINE))
    common = {part for part in mandatory(KINDS["withdrawn"]) if part.startswith("frame.")}
    expected = {
        kind: ", ".join(f"`{part}`" for part in mandatory(of) if part not in common) for kind, of in KINDS.items()
    }
    assert rows == expected
    assert all(f"`{part}`" in manual for part in common)
