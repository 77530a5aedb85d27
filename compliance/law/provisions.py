"""Each ground and reason: its code, its article, its term of the Data Privacy Vocabulary.

The codes are those of `compliance.requests.models` and of the ledger. How each is said to a person is in `languages/`.

Source: GDPR Art. 11, 12(3), 12(5), 12(6), 17(1), 17(3); DPV 2.3, legal/eu/gdpr, "rights justifications".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

DPV = "https://w3id.org/dpv/legal/eu/gdpr#"


@dataclass(frozen=True, kw_only=True)
class Article:
    """A place in the GDPR: article, paragraph, letter."""

    number: int
    paragraph: int | None = None
    letter: str = ""

    def __str__(self) -> str:
        """As lawyers write it in English: 17(3)(e)."""
        paragraph = "" if self.paragraph is None else f"({self.paragraph})"
        letter = f"({self.letter})" if self.letter else ""
        return f"{self.number}{paragraph}{letter}"


@dataclass(frozen=True, kw_only=True)
class Provision:
    """A ground or a reason. `dpv` are IRIs; more than one where the article joins what DPV tells apart."""

    code: str
    article: Article
    dpv: tuple[str, ...]


def _provision(code: str, article: Article, *terms: str) -> Provision:
    return Provision(code=code, article=article, dpv=tuple(f"{DPV}{term}" for term in terms))


def _by_code(provisions: Iterable[Provision]) -> Mapping[str, Provision]:
    return MappingProxyType({provision.code: provision for provision in provisions})


def _ground(letter: str, term: str) -> Provision:
    return _provision(f"art17_1_{letter}", Article(number=17, paragraph=1, letter=letter), f"JustificationA17{term}")


def _exception(letter: str, *terms: str) -> Provision:
    article = Article(number=17, paragraph=3, letter=letter)
    return _provision(f"art17_3_{letter}", article, *(f"JustificationA17{term}" for term in terms))


GROUNDS = _by_code(
    [
        _ground("a", "NonNecessity"),
        _ground("b", "NoLegalBasis"),
        _ground("c", "ObjectA21"),
        _ground("d", "UnlawfulProcessing"),
        _ground("e", "LegalErasure"),
        _ground("f", "ChildData"),
    ]
)
REFUSALS = _by_code(
    [
        _exception("a", "FreedomOfExpression"),
        _exception("b", "LegallyRequired", "PublicInterest", "OfficialAuthority"),
        _exception("c", "PublicHealth"),
        _exception("d", "Archiving"),
        _exception("e", "LegalClaims"),
        _provision("art12_5_unfounded", Article(number=12, paragraph=5), "JustificationA12ManifestlyUnfounded"),
        _provision("art12_5_excessive", Article(number=12, paragraph=5), "JustificationA12ManifestlyExcessive"),
        _provision("art12_6", Article(number=12, paragraph=6), "JustificationA12IdentityFailure"),
        # DPV has no term for Art. 11: what is missing there is information too.
        _provision("art11", Article(number=11), "JustificationA12InformationRequired"),
    ]
)
EXTENSIONS = _by_code(
    [
        _provision("complexity", Article(number=12, paragraph=3), "JustificationA12Complexity"),
        _provision("number_of_requests", Article(number=12, paragraph=3), "JustificationA12HighVolume"),
    ]
)
