"""A public page as a browser and a screen reader take it apart, with what would be wrong in any page as sentences."""

import re
from collections import Counter
from dataclasses import dataclass, field
from html.parser import HTMLParser
from itertools import pairwise

VOID = frozenset({"meta", "link", "input", "br", "hr", "img"})
HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")


@dataclass
class Element:
    """A start tag with its attributes, the tags that it stands in, and its text."""

    tag: str
    attributes: dict[str, str]
    parents: tuple[str, ...]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """The elements of a page and what is broken."""

    html: str
    elements: list[Element] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.feed(self.html)
        self.close()
        self.problems += [f"<{element.tag}> is never closed" for element in self._open]
        for check in (_structure, _names, _fields, _safety):
            self.problems += check(self)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        if len({name for name, _ in attrs}) != len(attrs):
            self.problems.append(f"<{tag}> has an attribute twice")
        parents = tuple(element.tag for element in self._open)
        element = Element(tag, {name: value or "" for name, value in attrs}, parents)
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        """Called by the parser."""
        if not self._open or self._open.pop().tag != tag:
            self.problems.append(f"</{tag}> closes nothing that is open")

    def handle_data(self, data: str) -> None:
        """Called by the parser."""
        for element in self._open:
            element.text += data

    @property
    def text(self) -> str:
        """All text, one space between words; those that are not to be broken stay."""
        return re.sub(r"[ \t\r\n]+", " ", self.all("body")[0].text).strip()

    @property
    def ids(self) -> Counter[str]:
        """How often each id stands in the page."""
        return Counter(element.attributes["id"] for element in self.elements if "id" in element.attributes)

    def all(self, *tags: str, **attributes: str) -> list[Element]:
        """The elements of these tags that have these attributes."""
        return [
            element
            for element in self.elements
            if element.tag in tags and all(element.attributes.get(key) == value for key, value in attributes.items())
        ]

    def by_id(self, name: str) -> Element:
        """The element with this id."""
        (found,) = [element for element in self.elements if element.attributes.get("id") == name]
        return found

    def actions(self) -> set[str]:
        """The last part of the address that each form on the page is sent to."""
        return {form.attributes.get("action", "").rstrip("/").rsplit("/", 1)[-1] for form in self.all("form")}


def _structure(page: Page) -> list[str]:
    """Language, title, landmarks, headings (WCAG 2.2: 3.1.1, 2.4.2, 2.4.1, 1.3.1)."""
    problems = []
    (document,) = page.all("html")
    if not document.attributes.get("lang"):
        problems.append("no language")
    if not [title for title in page.all("title") if title.text.strip(" ·")]:
        problems.append("no title")
    landmarks = ("main", "header", "footer")
    problems += [f"not one <{landmark}>" for landmark in landmarks if len(page.all(landmark)) != 1]
    if not page.all("a", href="#content") or not page.all("main", id="content"):
        problems.append("no way to skip to the content")
    levels = [
        HEADINGS.index(element.tag)
        for element in page.elements
        if element.tag in HEADINGS and "section" not in element.parents
    ]
    if levels.count(0) != 1 or any(after > before + 1 for before, after in pairwise(levels)):
        problems.append(f"headings of the levels {levels}")
    if not page.all("meta", name="viewport", content="width=device-width, initial-scale=1"):
        problems.append("it cannot be enlarged")
    return problems


def _names(page: Page) -> list[str]:
    """What is named is there, once; what can be pressed has a name (4.1.2, 2.4.4)."""
    problems = [f"the id {name} stands {n} times" for name, n in page.ids.items() if n > 1]
    for element in page.elements:
        for attribute in ("aria-labelledby", "aria-describedby", "for"):
            wanted = element.attributes.get(attribute, "").split()
            problems += [f"{attribute} names {name!r}, which is not there" for name in wanted if name not in page.ids]
        is_nameless = not element.text.strip() and not element.attributes.get("aria-label")
        if element.tag in {"a", "button", "label", "legend", "summary", *HEADINGS} and is_nameless:
            problems.append(f"<{element.tag}> without text")
        if element.tag in {"nav", "section"} and not {"aria-label", "aria-labelledby"} & element.attributes.keys():
            problems.append(f"<{element.tag}> without a name")
        if element.tag == "img" and "alt" not in element.attributes:
            problems.append("<img> without alt")
        if element.tag == "a" and (target := element.attributes["href"]).startswith("#") and target[1:] not in page.ids:
            problems.append(f"a link to {target}, which is not there")
    return problems


def _fields(page: Page) -> list[str]:
    """Every field has a label, and one that was filled in wrongly says why (3.3.1, 3.3.2, 1.3.1)."""
    problems = []
    labelled = {label.attributes.get("for") for label in page.all("label")}
    for element in page.all("input", "textarea", "select"):
        if element.attributes.get("type") == "hidden":
            continue
        if element.attributes.get("id") not in labelled:
            problems.append(f"{element.attributes.get('name')} has no label")
        if element.attributes.get("type") == "radio" and "fieldset" not in element.parents:
            problems.append(f"{element.attributes.get('name')} stands in no group")
        described = element.attributes.get("aria-describedby", "")
        is_wrong = element.attributes.get("aria-invalid") == "true" and element.attributes.get("type") != "radio"
        if is_wrong and not any(name.endswith("_error") for name in described.split()):
            problems.append(f"{element.attributes.get('name')} does not say what is wrong")
    if len(page.all("fieldset")) != len(page.all("legend")):
        problems.append("a group without a legend")
    return problems


def _safety(page: Page) -> list[str]:
    """No scripts, nothing from elsewhere, each form protected against forgery."""
    problems = [f"<{element.tag}>" for element in page.all("script", "style", "iframe", "object")]
    for element in page.elements:
        for name, value in element.attributes.items():
            if name == "style" or name.startswith("on"):
                problems.append(f"<{element.tag} {name}>")
            if name in {"href", "src", "action"} and not value.startswith(("/", "#")):
                problems.append(f"<{element.tag} {name}> leads elsewhere")
    posts = page.all("form", method="post")
    if len(posts) != len(page.all("form")) or len(posts) != len(page.all("input", name="csrfmiddlewaretoken")):
        problems.append("a form without a token against forgery")
    return problems
