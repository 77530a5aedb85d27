"""A page as a browser and a screen reader take it apart, with what would be wrong in any page as a list of sentences."""

from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})
REFERENCES = ("aria-labelledby", "aria-describedby")


@dataclass
class Element:
    """A start tag with its attributes; one without a value has an empty one."""

    tag: str
    attributes: dict[str, str]


@dataclass
class Page(HTMLParser):
    """The elements of a page, its visible text, and what is broken."""

    html: str
    elements: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _open: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()
        if self._open:
            self.problems.append(f"never closed: {self._open}")
        self._check_safety()
        self._check_references()
        self._check_structure()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = [name for name, _ in attrs]
        if len(set(names)) != len(names):
            self.problems.append(f"<{tag}> has an attribute twice")
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing that is open")

    def handle_data(self, data: str) -> None:
        if data.strip():
            self.texts.append(" ".join(data.split()))

    @property
    def text(self) -> str:
        """All text, one space between words."""
        return " ".join(self.texts)

    def all(self, tag: str, **attributes: str) -> list[Element]:
        """The elements of this tag that have these attributes."""
        return [
            element
            for element in self.elements
            if element.tag == tag and all(element.attributes.get(key) == value for key, value in attributes.items())
        ]

    def actions(self) -> set[str]:
        """The last part of the address that each form on the page is sent to."""
        return {form.attributes.get("action", "").rstrip("/").rsplit("/", 1)[-1] for form in self.all("form")}

    def _check_safety(self) -> None:
        for element in self.elements:
            if element.tag in {"script", "style"}:
                self.problems.append(f"an inline <{element.tag}>")
            for name, value in element.attributes.items():
                if name == "style" or name.startswith("on"):
                    self.problems.append(f"<{element.tag} {name}>")
                if name in {"href", "src", "action"} and not value.startswith(("/", "?", "#")):
                    self.problems.append(f"<{element.tag} {name}> leads elsewhere: {value}")

    def _check_references(self) -> None:
        ids = Counter(element.attributes["id"] for element in self.elements if "id" in element.attributes)
        self.problems += [f"the id {name} stands {n} times" for name, n in ids.items() if n > 1]
        labelled = {label.attributes.get("for", "") for label in self.all("label")}
        self.problems += [f"a label for {name!r}, which is not there" for name in labelled if name not in ids]
        for element in self.elements:
            for name in REFERENCES:
                missing = [wanted for wanted in element.attributes.get(name, "").split() if wanted not in ids]
                self.problems += [f"{name} names {wanted!r}, which is not there" for wanted in missing]
            if _takes_input(element) and element.attributes.get("id") not in labelled:
                self.problems.append(f"<{element.tag} name={element.attributes.get('name')}> has no label")

    def _check_structure(self) -> None:
        n_titles = len(self.all("h1"))
        if n_titles != 1:
            self.problems.append(f"{n_titles} first headings")
        if len(self.all("main")) != 1 or not self.all("a", href="#content") or not self.all("main", id="content"):
            self.problems.append("no way to skip to the content")
        self.problems += ["a header cell without scope" for cell in self.all("th") if "scope" not in cell.attributes]
        if not self.all("html", lang="en-GB"):
            self.problems.append("no language")
        posts = len(self.all("form", method="post"))
        if posts != len(self.all("input", name="csrfmiddlewaretoken")):
            self.problems.append("a form without a token against forgery")


def _takes_input(element: Element) -> bool:
    return element.tag in {"select", "textarea", "progress"} or (
        element.tag == "input" and element.attributes.get("type") != "hidden"
    )
