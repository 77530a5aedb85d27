"""Forgeries of the folder of a disclosed request: nobody signs the names of its files, nor where a Sigstore bundle says
that its entry stands.
"""

from collections.abc import Iterator, Mapping
from hashlib import sha256

from compliance.evidence import canonical, sigstore
from compliance.evidence.errors import ExitCode
from compliance.evidence.export_folder import Kind, model_name, openings_name, policy_name, signed_name
from compliance.evidence.position import Position

from .export_story import ExportStory, sigstore_file
from .forgeries import UNEXPECTED, Codes, Files, Forgery, codes
from .ledgers import Ledger
from .story import Story, some_id

FRESH = some_id(5)
MALFORMED_BUNDLE = codes(ExitCode.SIGSTORE_MALFORMED)


def of_disclosed(told: ExportStory, files: Files) -> Iterator[Forgery]:
    """Of each disclosed request: strange names, statements under other names and at other entries, files withheld."""
    for story in told.disclosed:
        yield from _names(story, files)
        yield from _renamed(story, files)
        yield from _places(told.ledger, story, files)
        yield from _entries(told, story, files)
        yield from _shared(told, story, files)
    yield from _openings(told, files)


def _signed(story: Story) -> Iterator[tuple[Kind, str, Position, bytes]]:
    kinds: Mapping[Kind, Mapping[str, tuple[Position, bytes]]] = {
        "evidence": story.envelopes,
        "closing": story.summaries,
    }
    for kind, parts in kinds.items():
        for target, (position, envelope) in parts.items():
            yield kind, target, position, envelope


def _names(story: Story, files: Files) -> Iterator[Forgery]:
    """A genuine file once more, under a name that is none."""
    place = f"requests/{story.request_id}"
    target = next(iter(story.envelopes))
    content = files[signed_name(story.request_id, target, "evidence")]
    names = {
        "notes.txt": UNEXPECTED,
        "request.json": UNEXPECTED,
        "openings.json.bak": UNEXPECTED,
        "OPENINGS.JSON": UNEXPECTED,
        ".openings.json": UNEXPECTED,
        ".evidence.sigstore.json": UNEXPECTED,
        "model.evidence.sigstore.json": UNEXPECTED,
        f"{target}.sigstore.json": UNEXPECTED,
        f"{target}.summary.sigstore.json": UNEXPECTED,
        f"{target}.evidence.sigstore.json.bak": UNEXPECTED,
        f"{target}.evidence.sigstore.json\n": UNEXPECTED,
        f"{target}.evidence.closing.sigstore.json": UNEXPECTED,
        f"{target}..evidence.sigstore.json": UNEXPECTED,
        f"{target} .evidence.sigstore.json": UNEXPECTED,
        f"{target.upper().replace('0', 'A')}.evidence.sigstore.json": UNEXPECTED,
        f"{target.replace('-', '')}.evidence.sigstore.json": UNEXPECTED,
        f"{target[:14]}1{target[15:]}.evidence.sigstore.json": UNEXPECTED,
        f"evidence/{target}.sigstore.json": UNEXPECTED,
        f"closing/{target}.closing.sigstore.json": UNEXPECTED,
        f"{FRESH}.evidence.sigstore.json/{target}.evidence.sigstore.json": codes(ExitCode.UNSAFE_MEMBER),
        # One entry under two names, of which one is some target.
        f"{FRESH}.evidence.sigstore.json": UNEXPECTED,
        f"{FRESH}.closing.sigstore.json": UNEXPECTED,
    }
    for name, noticed in names.items():
        yield Forgery(f"{place}: {name!r} added", {**files, f"{place}/{name}": content}, noticed)


def _renamed(story: Story, files: Files) -> Iterator[Forgery]:
    """Genuine files under the names of each other, or of a target that does not exist."""
    request = story.request_id
    moved = {
        "evidence": codes(ExitCode.JOB_MISMATCH),
        "closing": codes(ExitCode.CLOSING_STATEMENT),
    }
    for kind, target, _, _ in _signed(story):
        name = signed_name(request, target, kind)
        others = {key: held for key, held in files.items() if key != name}
        renamed = {**others, signed_name(request, FRESH, kind): files[name]}
        yield Forgery(f"{name} under another target", renamed, moved[kind])
    for target in story.envelopes:
        result, summary = signed_name(request, target, "evidence"), signed_name(request, target, "closing")
        exchanged = {**files, result: files[summary], summary: files[result]}
        yield Forgery(f"{result} and the summary exchanged", exchanged, codes(ExitCode.EVIDENCE_MALFORMED))
        both = {**files, summary: files[result]}
        yield Forgery(f"{result} as the summary, too", both, UNEXPECTED)


def _places(ledger: Ledger, story: Story, files: Files) -> Iterator[Forgery]:
    """Another index or log at the end of a Sigstore bundle, from which it is looked up, and wherever else it stands."""
    for kind, target, position, _ in _signed(story):
        name = signed_name(story.request_id, target, kind)
        content, log = files[name], ledger.logs[position.log]
        for what, (spelled, noticed) in _indices(position, len(log.leaves)).items():
            old, new = b'"logIndex":"%d"' % position.index, b'"logIndex":%b' % spelled
            head, _, tail = content.rpartition(old)
            for where, changed in {"": head + new + tail, " twice": content.replace(old, new)}.items():
                yield Forgery(f"{name} at an index {what}{where}", {**files, name: changed}, noticed)
        genuine = canonical.encode_base64(sigstore.log_id(log.vkey)).encode()
        for what, (identified, noticed) in _log_ids(ledger, position, genuine).items():
            head, _, tail = content.rpartition(genuine)
            yield Forgery(f"{name} in a log {what}", {**files, name: head + identified + tail}, noticed)


def _indices(position: Position, size: int) -> dict[str, tuple[bytes, Codes]]:
    """Spellings of an index, quotes included."""
    index = b"%d" % position.index
    return {
        "of the first entry": (b'"0"', MALFORMED_BUNDLE),
        "of the entry before": (b'"%d"' % (position.index - 1), MALFORMED_BUNDLE),
        "just beyond the log": (b'"%d"' % size, UNEXPECTED),
        "far beyond the log": (b'"%d"' % (10**16 - 1), UNEXPECTED),
        "beyond 64 bits": (b'"%d"' % 2**64, MALFORMED_BUNDLE),
        "of very many digits": (b'"1' + b"0" * 5000 + b'"', MALFORMED_BUNDLE),
        "below zero": (b'"-%b"' % index, MALFORMED_BUNDLE),
        "with a sign": (b'"+%b"' % index, MALFORMED_BUNDLE),
        "with leading zeros": (b'"00%b"' % index, MALFORMED_BUNDLE),
        "after a space": (b'" %b"' % index, MALFORMED_BUNDLE),
        "without quotes": (index, MALFORMED_BUNDLE),
        "with a fraction": (b'"%b.0"' % index, MALFORMED_BUNDLE),
        "in other digits": ('"٣"'.encode(), MALFORMED_BUNDLE),
        "that is none": (b'""', MALFORMED_BUNDLE),
    }


def _log_ids(ledger: Ledger, position: Position, genuine: bytes) -> dict[str, tuple[bytes, Codes]]:
    (other,) = (log for log in ledger.logs.values() if log.number != position.log)
    return {
        "that is the other one": (
            canonical.encode_base64(sigstore.log_id(other.vkey)).encode(),
            MALFORMED_BUNDLE | UNEXPECTED,
        ),
        "that nobody knows": (canonical.encode_base64(sha256(b"another log").digest()).encode(), UNEXPECTED),
        "by nothing": (b"", MALFORMED_BUNDLE),
        "by a short id": (canonical.encode_base64(bytes(4)).encode(), MALFORMED_BUNDLE),
        "by an id without its padding": (genuine.rstrip(b"="), MALFORMED_BUNDLE),
        "by an id with spare bits": (b"A" * 42 + b"B=", MALFORMED_BUNDLE),
    }


def _entries(told: ExportStory, story: Story, files: Files) -> Iterator[Forgery]:
    """A genuine envelope with the whole proof of another entry, as that entry has it."""
    ledger, notes = told.ledger, told.ledger.notes()
    others = {attached.request_id: attached for attached in told.disclosed if attached is not story}
    for kind, target, position, envelope in _signed(story):
        name = signed_name(story.request_id, target, kind)
        foreign = {each for other in others.values() for _, _, each, _ in _signed(other)}
        own = {each for _, _, each, _ in _signed(story)} - {position}
        places = {
            "the first entry of the log": (Position(position.log, 0), codes(ExitCode.LEAF_SCHEMA)),
            "another signed entry of the request": (min(own), UNEXPECTED),
            "a signed entry of another request": (min(foreign), codes(ExitCode.EVIDENCE_PAYLOAD)),
        }
        for what, (elsewhere, noticed) in places.items():
            content = sigstore_file(ledger, elsewhere, envelope, notes)
            yield Forgery(f"{name} proven for {what}", {**files, name: content}, noticed)


def _shared(told: ExportStory, story: Story, files: Files) -> Iterator[Forgery]:
    """Models and policies that the ledger does not name, beside those that it names or in their place."""
    contents, request = story.contents(), story.request_id
    foreign = b'{"another":"model"}'
    digest = sha256(foreign).hexdigest()
    yield Forgery(f"{request}: a model of nobody", {**files, model_name(digest): foreign}, UNEXPECTED)
    yield Forgery(f"{request}: a policy of nobody", {**files, policy_name(digest): foreign}, UNEXPECTED)
    for model in contents.models:
        held = {key: content for key, content in files.items() if key != model_name(model)}
        changed = {**held, model_name(digest): foreign}
        yield Forgery(f"{request}: a model in the place of {model}", changed, codes(ExitCode.MISSING_FILE))
        spelled = {**held, f"models/{model.upper()}.json": contents.models[model]}
        yield Forgery(f"{request}: {model} in capitals", spelled, codes(ExitCode.MISSING_FILE))
    policy = contents.policy or b""
    held = {key: content for key, content in files.items() if key != policy_name(sha256(policy).hexdigest())}
    yield Forgery(
        f"{request}: the policy under another digest",
        {**held, policy_name(digest): policy},
        codes(ExitCode.MISSING_FILE),
    )


def _openings(told: ExportStory, files: Files) -> Iterator[Forgery]:
    """Openings of a request that was shredded, and those of another one."""
    first, second = told.disclosed
    held = files[openings_name(first.request_id)]
    yield Forgery("openings after shredding", {**files, openings_name(second.request_id): held}, UNEXPECTED)
    for old, new, code in (
        (first, FRESH, ExitCode.UNEXPECTED_FILE),
        (first, some_id(3001), ExitCode.OPENING_MISMATCH),
        (second, some_id(3001), ExitCode.MISSING_FILE),
    ):
        before, after = f"requests/{old.request_id}/", f"requests/{new}/"
        moved = {key.replace(before, after): content for key, content in files.items()}
        yield Forgery(f"{before} as the folder of {new}", moved, codes(code))
