"""Prints the story: one numbered step a line with its time, and below it what it shows, in one sentence."""

import textwrap
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WIDTH = 110


class Narrator:
    """Counts the steps and measures them."""

    def __init__(self, write: Callable[[str], object]) -> None:
        self._write = write
        self._began_at = time.monotonic()
        self._number = 0

    @contextmanager
    def step(self, title: str) -> Iterator[list[str]]:
        """One step; sentences put into the list that it gives are printed below its title."""
        self._number += 1
        began_at, said = time.monotonic(), list[str]()
        yield said
        self._write(f"{self._number:>2}. {title:<72} {time.monotonic() - began_at:6.1f} s")
        for sentence in said:
            self.say(sentence)

    def say(self, sentence: str) -> None:
        """A sentence without a number."""
        self._write(textwrap.fill(sentence, _WIDTH, initial_indent="    ", subsequent_indent="    "))

    def total_seconds(self) -> float:
        """Since the story began."""
        return time.monotonic() - self._began_at
