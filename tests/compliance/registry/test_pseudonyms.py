"""One mailbox has one spelling, whatever it is written like; two mailboxes never share one; the rest is refused."""

import traceback

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.registry.pseudonyms import canonical_identifier, pseudonym_of
from tests.compliance import cast

REFUSED = {
    "nothing": "",
    "no domain": "ann@",
    "nobody": "@example.org",
    "two": "ann@example.org, bob@example.org",
    "a name beside it": "Ann <ann@example.org>",
    "a scheme before it": "mailto:ann@example.org",
    "a dot at the end": "ann@example.org.",
    "a quoted local part": '"ann"@example.org',
    "an address of a machine": "ann@[192.0.2.1]",
    "a sign before the name that marks the order of bytes": "\ufeffann@example.org",
    "a space of no width before the name": "\u200bann@example.org",
    "a space of no width in the name": "an\u200bn@example.org",
    "a soft hyphen in the name": "an\u00adn@example.org",
    "a word joiner in the name": "an\u2060n@example.org",
    "a change of direction in the name": "\u202eann@example.org",
    "a filler that nobody sees as the name": "\u3164@example.org",
    "a variation selector in the name": "ann\ufe0f@example.org",
    "a tag in the name": "ann\U000e0041@example.org",
    "a null character in the name": "a\x00nn@example.org",
    "a control character in the name": "a\x7fnn@example.org",
    "half a character in the name": "\ud800@example.org",
    "half a character in the domain": "ann@\ud800.example",
    "a wide at sign": "ann\uff20example.org",
    "a space in the domain": "ann@exam ple.org",
    "an underscore in the domain": "ann@exam_ple.org",
    "a joiner where none belongs": "ann@example\u200d.org",
    "a label that begins with a mark": "ann@\u0301example.org",
    "a label of no script": "ann@\u2764.example",
    "the same in ASCII": "ann@xn--qei.example",
    "a label that is no Punycode": "ann@xn--99999999.example",
    "a label that need not be Punycode": "ann@xn--example-.org",
    "a label that is too long": f"ann@{'ü' * 60}.example",
    "a domain that is too long": f"ann@{'ü.' * 500}example",
}  # fmt: skip

SAME = {
    "capitals": "ANN@BÜCHER.Example",
    "space around": "\u00a0 ann@bücher.example\u2003\n",
    "ASCII": "ann@xn--bcher-kva.example",
    "ASCII in capitals": "Ann@XN--BCHER-KVA.EXAMPLE",
    "an accent of its own": "ann@bu\u0308cher.example",
    "a wide letter": "ann@\uff42ücher.example",
    "an ideographic full stop": "ann@bücher\u3002example",
    "a wide full stop": "ann@bücher\uff0eexample",
    "a soft hyphen": "ann@bü\u00adcher.example",
    "a space of no width at the end": "ann@bücher.example\u200b",
    "a space of no width inside": "ann@büch\u200ber.example",
    "a word joiner": "ann@bücher.ex\u2060ample",
    "a variation selector": "ann@bücher\ufe0f.example",
    "a mathematical letter": "ann@büche\U0001d42b.example",
}

DIFFERENT = {
    "sharp s, and two of s": ("ann@faß.example", "ann@fass.example"),
    "Cyrillic": ("ann@exampl\u0435.org", "ann@example.org"),
    "a final sigma": ("ann@\u03c3\u03b1\u03c2.example", "ann@\u03c3\u03b1\u03c3.example"),
    "a dot in the name": ("a.nn@example.org", "ann@example.org"),
    "a part of the name that some servers pass over": ("ann+tag@example.org", "ann@example.org"),
    "hyphens that are no Punycode": ("ann@r3--x.example", "ann@r3-x.example"),
    "a domain under it": ("ann@mail.example.org", "ann@example.org"),
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)
def test_what_is_no_address_that_mail_can_be_sent_to_is_refused(value: str) -> None:
    with pytest.raises(ValueError, match="must be an e-mail address"):
        canonical_identifier("email", value)


def test_a_kind_that_there_is_not_is_refused() -> None:
    with pytest.raises(ValueError, match="must be one of email"):
        canonical_identifier("shoe size", "ann@example.org")


@pytest.mark.parametrize(
    "value", [f"{cast.MARK}@exam ple.org", f"ann@{cast.MARK}\u2764.org", f'"{cast.MARK}"@example.org']
)
def test_a_refusal_holds_nothing_of_the_value(value: str) -> None:
    with pytest.raises(ValueError, match="e-mail address") as refused:
        canonical_identifier("email", value)
    assert cast.MARK not in "".join(traceback.format_exception(refused.value))
    assert refused.value.__context__ is None


@pytest.mark.parametrize("value", SAME.values(), ids=SAME)
def test_each_spelling_of_a_mailbox_has_one_pseudonym(value: str) -> None:
    assert canonical_identifier("email", value) == "ann@xn--bcher-kva.example"
    assert pseudonym_of("email", value) == pseudonym_of("email", "ann@bücher.example")


@pytest.mark.parametrize(("one", "other"), DIFFERENT.values(), ids=DIFFERENT)
def test_other_mailboxes_have_other_pseudonyms(one: str, other: str) -> None:
    assert pseudonym_of("email", one) != pseudonym_of("email", other)


@given(st.text(st.sampled_from("aA-.ßüÜ\u0308\u200b\u00adｅ。\u212aα\u05d0x1"), max_size=12))
def test_the_domain_is_that_of_the_library(domain: str) -> None:
    """The slow twin is `idna.encode`, which is stricter with hyphens alone."""
    value = f"ann@{domain}.example"
    try:
        expected = f"ann@{idna.encode(f'{domain}.example', uts46=True, std3_rules=True).decode()}"
    except idna.IDNAError as error:
        if error.code != "hyphen_3_4":
            with pytest.raises(ValueError, match="must be an e-mail address"):
                canonical_identifier("email", value)
    else:
        assert canonical_identifier("email", value) == canonical_identifier("email", expected) == expected
