"""The event log: its signed checkpoint, the files of its tree, every checkpoint that was kept, every entry, the first one."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from edge.audit.checks.logged_event import EntryError, LoggedEvent, read_event
from edge.audit.checks.question import Question, counted
from edge.audit.folder import ExportFolder, FileError
from edge.audit.layout import CHECKPOINT, CHECKPOINTS, LOG, PACKAGE
from edge.audit.verification import Check
from edge.evidence.tlog.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from edge.evidence.tlog.merkle import Frontier, root_of
from edge.evidence.tlog.note import MOST_NOTE_BYTES, NoteError, VerifierKey, parse_note
from edge.evidence.tlog.tiles import MOST_BYTES, TileError, read_tiles, tile_names

_MOST_TILE_BYTES = 256 * (2 + 65535)
_LEAVES, _ENTRIES = "tile/0/", "tile/entries/"
_NO_KEY = "No key of this log is at hand."


@dataclass(frozen=True, slots=True)
class SeenLog:
    """The log as far as it could be read.

    Attributes:
        note: The note in `log/checkpoint`; empty if it cannot be read.
        checkpoint: What it says, signed or not; None if it says nothing.
        signed: Whether a key of the trust list has signed it.
        entries: All entries; empty if the files of the tree cannot be read or do not fit each other.
        leaves: Their leaf hashes.
        events: All events; empty if there are no entries or one of them is no event.
        proven: Whether the entries are those that a trusted key has signed.
    """

    note: bytes = b""
    checkpoint: Checkpoint | None = None
    signed: bool = False
    entries: tuple[bytes, ...] = ()
    leaves: tuple[bytes, ...] = ()
    events: tuple[LoggedEvent, ...] = ()
    proven: bool = False

    @property
    def places(self) -> list[str]:
        """For each entry, the file that holds it."""
        return entry_files(len(self.entries))

    @property
    def opening(self) -> LoggedEvent | None:
        """The first event, if it is the one that opens a log."""
        return self.events[0] if self.events and self.events[0].id == "logOpened" else None


def entry_files(size: int) -> list[str]:
    """For each entry of a log of this size, the file that holds it."""
    bundles = [f"{LOG}/{name}" for name in tile_names(size) if name.startswith(_ENTRIES)]
    return [bundles[index // 256] for index in range(size)]


def claimed(folder: ExportFolder) -> tuple[bytes, Checkpoint | None]:
    """The checkpoint's note and what it says, believed by nobody yet; the origin in it tells whose key is to be looked for."""
    note = b""
    try:
        note = folder.read(CHECKPOINT, MOST_NOTE_BYTES)
        return note, parse_checkpoint(parse_note(note).text)
    except (FileError, NoteError):
        return note, None


def check_log(folder: ExportFolder, files: Sequence[str], keys: Sequence[VerifierKey]) -> tuple[SeenLog, list[Check]]:
    """Everything about the log but its story.

    Args:
        folder: The export.
        files: The names of all its files.
        keys: The keys of the trust list that bear the log's name; none if the log is not in it.
    """
    note, checkpoint = claimed(folder)
    checks = [_check_checkpoint(folder, note, checkpoint, keys)]
    signed = checks[0].outcome == "passed"
    tree = Question("tree")
    entries, leaves = _read_tree(folder, checkpoint, tree)
    if checkpoint is None or (not entries and checkpoint.size):
        checks.append(tree.unanswered("The files of the log's tree could not be held against its checkpoint."))
        checks.append(_check_checkpoints(folder, files, keys, checkpoint, None))
        checks.append(Question("entries").unanswered("The log's entries could not be read."))
        return SeenLog(note, checkpoint, signed), checks
    sentence = f"The log's {counted(len(entries), 'entry', 'entries')} and every hash above them give the root of its checkpoint."
    checks.append(tree.answered(sentence))
    proven = signed and not tree.findings
    checks.append(_check_checkpoints(folder, files, keys, checkpoint, leaves))
    events, check = _check_entries(entries, proven=proven)
    checks.append(check)
    return SeenLog(note, checkpoint, signed, tuple(entries), tuple(leaves), tuple(events), proven), checks


def _check_checkpoint(folder: ExportFolder, note: bytes, checkpoint: Checkpoint | None, keys: Sequence[VerifierKey]) -> Check:
    question = Question("checkpoint")
    fault = folder.errors.get(CHECKPOINT)
    if fault is not None:
        question.findings.append(fault.finding())
        return question.failed("The log's checkpoint cannot be read.")
    try:
        parsed = parse_note(note)
        parse_checkpoint(parsed.text)
        if not keys or checkpoint is None:
            return question.unanswered(f"Whether the log's own key has signed its checkpoint was not checked. {_NO_KEY}")
        if open_checkpoint(note, keys).extensions or len(parsed.signatures) > 1:
            question.wrong("checkpointForeign", CHECKPOINT, "has lines that no station writes")
    except NoteError as error:
        question.wrong(error.code, CHECKPOINT, error.detail)
    size = 0 if checkpoint is None else checkpoint.size
    return question.answered(f"The checkpoint over {counted(size, 'entry', 'entries')} is signed by the log's own key.")


def _read_tree(folder: ExportFolder, checkpoint: Checkpoint | None, tree: Question) -> tuple[list[bytes], list[bytes]]:
    """Entries and leaves, with the root checked; none if they cannot be read."""
    if checkpoint is None:
        return [], []
    read = 0

    def tile(name: str) -> bytes:
        nonlocal read
        content = folder.read(f"{LOG}/{name}", min(_MOST_TILE_BYTES, MOST_BYTES - read))
        read += len(content)
        return content

    try:
        entries, leaves = read_tiles(tile, checkpoint.size)
    except TileError as error:
        name = f"{LOG}/{error.name}" if error.name else CHECKPOINT
        fault = folder.errors.get(name)
        if fault is None:
            tree.wrong(error.code, name, error.detail)
            if error.code == "tileHash" and error.name.startswith(_LEAVES):
                # Either of the two may be the one that was changed.
                bundle = f"{LOG}/{error.name.replace(_LEAVES, _ENTRIES)}"
                tree.wrong(error.code, bundle, f"has an entry that does not fit its hash in {name}")
        else:
            tree.findings.append(fault.finding())
        return [], []
    if root_of(leaves) != checkpoint.root:
        tree.wrong("rootDiffers", CHECKPOINT, "the entries in the folder do not give the root that it names")
    return entries, leaves


def _check_checkpoints(
    folder: ExportFolder,
    files: Sequence[str],
    keys: Sequence[VerifierKey],
    last: Checkpoint | None,
    leaves: Sequence[bytes] | None,
) -> Check:
    """Every checkpoint that was ever signed is of a beginning of the log: nothing was taken back.

    Without a checkpoint that says how the log is now, or without its leaves, no more than the signatures can be looked at.
    """
    question = Question("checkpoints")
    names = [name for name in files if name.startswith(f"{CHECKPOINTS}/")]
    kept: dict[int, tuple[str, Checkpoint]] = {}
    for name in names:
        checkpoint = _kept_checkpoint(folder, name, keys, question)
        if checkpoint is None:
            continue
        own = last is None or checkpoint.origin == last.origin
        if name != f"{CHECKPOINTS}/{checkpoint.size}" or not own or checkpoint.extensions:
            question.wrong("checkpointForeign", name, f"is a checkpoint of {checkpoint.origin} at size {checkpoint.size}")
        else:
            kept[checkpoint.size] = (name, checkpoint)
    sentence = f"{counted(len(names), 'checkpoint')} that the station signed in the course of time"
    if last is None:
        return question.unanswered(f"The {sentence} were not held against the log.")
    _check_last(folder, question, kept, last)
    _grow(question, kept, leaves or ())
    if not keys:
        return question.unanswered(f"The signatures of {sentence} were not checked. {_NO_KEY}")
    if leaves is None:
        return question.unanswered(f"The {sentence} were not held against the log, whose entries could not be read.")
    return question.answered(f"The {sentence} are each over a beginning of this same log.")


def _kept_checkpoint(folder: ExportFolder, name: str, keys: Sequence[VerifierKey], question: Question) -> Checkpoint | None:
    """One of the kept checkpoints, signed if a key is at hand; None if something is wrong with it."""
    try:
        note = folder.read(name, MOST_NOTE_BYTES)
        return open_checkpoint(note, keys) if keys else parse_checkpoint(parse_note(note).text)
    except FileError as error:
        question.findings.append(error.finding())
    except NoteError as error:
        question.wrong(error.code, name, error.detail)
    return None


def _check_last(folder: ExportFolder, question: Question, kept: Mapping[int, tuple[str, Checkpoint]], last: Checkpoint) -> None:
    """No kept checkpoint is newer than the log, and that of its present size is the log's own."""
    for size, (name, _) in kept.items():
        if size > last.size:
            question.wrong("checkpointNewer", name, f"is newer than {CHECKPOINT}, which has {last.size} entries")
    name = f"{CHECKPOINTS}/{last.size}"
    if last.size not in kept:
        question.wrong("checkpointMissing", name, "the checkpoint of the log's present size is not kept")
    elif folder.facts[name].sha256 != folder.facts[CHECKPOINT].sha256:
        question.wrong("checkpointForeign", name, f"is not the same as {CHECKPOINT}")


def _grow(question: Question, kept: Mapping[int, tuple[str, Checkpoint]], leaves: Sequence[bytes]) -> None:
    """Let the tree grow leaf by leaf, and hold each checkpoint against the root at its size."""
    frontier = Frontier()
    for size in range(len(leaves) + 1):
        if size:
            frontier.append(leaves[size - 1])
        if size in kept and kept[size][1].root != frontier.root():
            name = kept[size][0]
            question.wrong("checkpointContradiction", name, f"is over {size} other entries than those in the folder")


def _check_entries(entries: Sequence[bytes], *, proven: bool) -> tuple[list[LoggedEvent], Check]:
    question = Question("entries")
    places = entry_files(len(entries))
    events: list[LoggedEvent] = []
    for index, entry in enumerate(entries):
        try:
            events.append(read_event(entry, index))
        except EntryError as error:
            question.wrong(error.code, places[index], f"entry {index}: {error.detail}")
    sentence = f"Each of the {counted(len(entries), 'entry', 'entries')} is an event of the published list in canonical JSON."
    return [] if question.findings else events, question.answered(sentence, proven=proven)


def check_opening(log: SeenLog, keys: Sequence[VerifierKey], package: bytes | None) -> Check:
    """The first entry: whose log this is, and what it was opened for.

    Args:
        log: The log with its events.
        keys: Keys of the trust list for this log.
        package: Hash over the election package in the folder; None if it cannot be read.
    """
    question = Question("opening")
    if not log.events or log.checkpoint is None:
        return question.unanswered("How the log was opened was not checked: its entries could not be read.")
    first, place = log.events[0], log.places
    for event in log.events:
        if (event.id == "logOpened") != (event is first):
            question.wrong(
                "logOpenedWrong", place[event.index], f"entry {event.index} is {event.id}: a log is opened first and once"
            )
    opening = log.opening
    if opening is None:
        return question.failed("The log does not begin with its opening.")
    if opening.text("origin") != log.checkpoint.origin:
        question.wrong("originForeign", place[0], f"entry 0 opens the log {opening.text('origin')[:200]}")
    if keys and opening.text("key") not in {key.text for key in keys}:
        question.wrong("keyForeign", place[0], "entry 0 names another key than the trust list")
    if package is not None and opening.text("packageSha256") != package.hex():
        question.wrong("packageForeign", PACKAGE, "the log was opened for another election package than the one in the folder")
    former = _check_former(question, opening, place[0])
    return question.answered(f"The log was opened for this election package and this key. {former}", proven=log.proven)


def _check_former(question: Question, opening: LoggedEvent, place: str) -> str:
    """The last checkpoint of the device's log before this one: by the same device key, if that was not changed."""
    note = opening.text("formerLog")
    if not note:
        return "The device had no log before it, or none that it knew of."
    try:
        former = parse_checkpoint(parse_note(note.encode()).text)
        key = VerifierKey.parse(opening.text("key"))
        signer = VerifierKey(former.origin, key.algorithm, key.public)
    except (NoteError, UnicodeError) as error:
        question.wrong("formerLogMalformed", place, f"entry 0: the checkpoint of the former log is none: {error}")
        return ""
    root = base64.b64encode(former.root).decode()
    told = f"The device's log before it is {former.origin}, which ended with {former.size} entries and the root {root}"
    try:
        open_checkpoint(note.encode(), [signer])
    except NoteError:
        return f"{told}; that was signed by another key and not checked."
    return f"{told}, signed by the same device."
