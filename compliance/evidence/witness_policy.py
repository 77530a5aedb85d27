"""Whom an auditor relies on: logs, witnesses, and how many of them must have cosigned (C2SP tlog-policy).

The file is read strictly: a line that is not understood refuses the file, because a policy of which a part is ignored
asks for less than its author meant. Every name is defined before it is used, and is a member of one group at most, so
that no witness counts twice.

Source: https://c2sp.org/tlog-policy
"""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import NoReturn

from compliance.evidence import checkpoint, cosignature
from compliance.evidence.errors import CheckpointKeyError, TrustFileError

_MAX_POLICY_CHARACTERS = 262_144
# The specification recommends room for 32 each.
_MAX_LINES_OF_A_KIND = 128
_NONE = "none"
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff]")
_SPACE = re.compile(r"[ \t]+")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,3}")


@dataclass(frozen=True)
class PolicyLog:
    """A log that is accepted: its vkey of type 0x01, whose name is the origin, and a URL whose use is the reader's."""

    vkey: str
    url: str | None = None


@dataclass(frozen=True)
class Witness:
    """A witness under the name of this policy; the URL is that to which `/add-checkpoint` is appended."""

    name: str
    vkey: str
    url: str | None = None


@dataclass(frozen=True)
class Group:
    """It has witnessed what at least `threshold` of its members, witnesses or groups, have witnessed."""

    name: str
    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True)
class WitnessPolicy:
    """A policy file: groups in the order in which they build on one another; no quorum means that none is asked for."""

    logs: tuple[PolicyLog, ...]
    witnesses: tuple[Witness, ...]
    groups: tuple[Group, ...]
    quorum: str | None

    def witness_vkeys(self) -> dict[str, str]:
        """Name in this policy → vkey of the cosigner."""
        return {witness.name: witness.vkey for witness in self.witnesses}

    def log_vkeys(self) -> tuple[str, ...]:
        """The vkeys of the logs, in the order of the file."""
        return tuple(log.vkey for log in self.logs)

    def missing(self, cosigners: Collection[str]) -> str | None:
        """None when these witnesses meet the quorum, else a sentence that tells who is missing."""
        if self.quorum is None:
            return None
        met = {witness.name for witness in self.witnesses if witness.name in cosigners}
        for group in self.groups:
            if sum(member in met for member in group.members) >= group.threshold:
                met.add(group.name)
        if self.quorum in met:
            return None
        return f"The quorum is not met: {_shortfall(self.quorum, {each.name: each for each in self.groups}, met)}."


def parse(text: str) -> WitnessPolicy:
    """Read a policy file; raises TrustFileError with the number of the line."""
    if len(text) > _MAX_POLICY_CHARACTERS or not text.endswith("\n"):
        raise TrustFileError(
            f"Expected a witness policy of at most {_MAX_POLICY_CHARACTERS} characters that ends in a newline, "
            f"found {len(text)} characters."
        )
    draft = _Draft()
    for number, line in enumerate(text[:-1].split("\n"), start=1):
        draft.line_number = number
        if _CONTROL.search(line):
            draft.refuse("expected no control characters but tab and newline, and text in UTF-8")
        items = [item for item in _SPACE.split(line) if item]
        if items and not items[0].startswith("#"):
            draft.read(items)
    return draft.finish()


def write(policy: WitnessPolicy) -> str:
    """The text of a policy file; raises TrustFileError for a policy that no file can hold."""
    lines = [_joined("log", log.vkey, log.url) for log in policy.logs]
    lines += [_joined("witness", witness.name, witness.vkey, witness.url) for witness in policy.witnesses]
    lines += [_joined("group", group.name, str(group.threshold), *group.members) for group in policy.groups]
    lines.append(_joined("quorum", policy.quorum or _NONE))
    text = "".join(lines)
    if parse(text) != policy:
        raise TrustFileError("This policy cannot be written: one of its names or URLs would be read as another.")
    return text


def _joined(*items: str | None) -> str:
    return " ".join(item for item in items if item is not None) + "\n"


def _shortfall(name: str, groups: dict[str, Group], met: Collection[str]) -> str:
    """Why a name is not met, down to the witnesses: each name stands in one group, so each is told once."""
    group = groups.get(name)
    if group is None:
        return f"{name} has not cosigned"
    having = sum(member in met for member in group.members)
    reasons = [_shortfall(member, groups, met) for member in group.members if member not in met]
    needs = f"{name} needs {group.threshold} of {len(group.members)} and has {having}"
    return f"{needs} ({'; '.join(reasons)})"


@dataclass
class _Draft:
    """What the lines so far have defined."""

    logs: list[PolicyLog] = field(default_factory=list)
    witnesses: list[Witness] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)
    quorums: list[str] = field(default_factory=list)
    names: set[str] = field(default_factory=lambda: {_NONE})
    members: set[str] = field(default_factory=set)
    public_keys: set[bytes] = field(default_factory=set)
    line_number: int = 0

    def read(self, items: list[str]) -> None:
        """Take the items of one line."""
        kinds: dict[str, Callable[[list[str]], None]] = {
            "log": self._log,
            "witness": self._witness,
            "group": self._group,
            "quorum": self._quorum,
        }
        read_line = kinds.get(items[0])
        if read_line is None:
            self.refuse("expected a line that begins with log, witness, group, quorum or #")
        read_line(items[1:])
        if max(len(self.logs), len(self.witnesses), len(self.groups)) > _MAX_LINES_OF_A_KIND:
            self.refuse(f"expected at most {_MAX_LINES_OF_A_KIND} logs, witnesses and groups each")

    def finish(self) -> WitnessPolicy:
        """The whole policy."""
        if len(self.quorums) != 1:
            raise TrustFileError(f"Expected one quorum line in the witness policy, found {len(self.quorums)}.")
        quorum = None if self.quorums[0] == _NONE else self.quorums[0]
        return WitnessPolicy(tuple(self.logs), tuple(self.witnesses), tuple(self.groups), quorum)

    def refuse(self, reason: str) -> NoReturn:
        """Raise the error of the present line."""
        raise TrustFileError(f"Line {self.line_number} of the witness policy: {reason}.")

    def _log(self, items: list[str]) -> None:
        if len(items) not in (1, 2):
            self.refuse("expected log VKEY [URL]")
        self._take_key(items[0], checkpoint.parse_vkey)
        self.logs.append(PolicyLog(*items))

    def _witness(self, items: list[str]) -> None:
        if len(items) not in (2, 3):
            self.refuse("expected witness NAME VKEY [URL]")
        self._define(items[0])
        self._take_key(items[1], cosignature.parse_vkey)
        self.witnesses.append(Witness(*items))

    def _group(self, items: list[str]) -> None:
        if len(items) < 3:
            self.refuse("expected group NAME all|any|NUMBER MEMBER…")
        name, number, *members = items
        for member in members:
            self._use(member)
            if member == _NONE or member in self.members:
                self.refuse("expected members that are members of one group only, and not the name none")
            self.members.add(member)
        self._define(name)
        self.groups.append(Group(name, self._threshold(number, len(members)), tuple(members)))

    def _quorum(self, items: list[str]) -> None:
        if len(items) != 1:
            self.refuse("expected quorum NAME")
        self._use(items[0])
        self.quorums.append(items[0])

    def _threshold(self, number: str, n_members: int) -> int:
        words = {"all": n_members, "any": 1}
        threshold = words.get(number) or (int(number) if _THRESHOLD.fullmatch(number) else 0)
        if not 1 <= threshold <= n_members:
            self.refuse(f"expected all, any or a number from 1 to {n_members} as the threshold of this group")
        return threshold

    def _define(self, name: str) -> None:
        if name in self.names:
            self.refuse("expected a name that no witness or group has yet, and not the name none")
        self.names.add(name)

    def _use(self, name: str) -> None:
        if name not in self.names:
            self.refuse("expected names of witnesses or groups that are defined on lines before this one")

    def _take_key(self, text: str, parse_vkey: Callable[[str], checkpoint.VerifierKey]) -> None:
        try:
            key = parse_vkey(text)
        except CheckpointKeyError as error:
            raise TrustFileError(f"Line {self.line_number} of the witness policy: {error}") from error
        if key.public_key_bytes in self.public_keys:
            self.refuse("expected a public key that no other line has")
        self.public_keys.add(key.public_key_bytes)
