"""Text on its way to a terminal. Names in it may come from whoever sent the evidence, and some characters steer a screen:
they clear it, move about on it, or turn the direction of writing."""


def one_line(text: str) -> str:
    """The text in one line, with an escape such as \\x1b in the place of each character that is not printed as itself."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def lines(text: str) -> str:
    """The same for a text of several lines, which it keeps."""
    return "\n".join(map(one_line, text.split("\n")))
