"""What the day was like, and what nobody can check from a folder: precise sentences with this export's figures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from edge.audit.checks.question import Question, counted
from edge.audit.checks.story_check import Story
from edge.audit.verification import Check, Outcome, Repeat, SheetVerdict
from edge.definition.election import WRITE_IN_PREFIX
from edge.evidence.archive import SheetKind

LIMITS = frozenset(
    {"limitPaper", "limitSoftware", "limitKey", "limitSecondLog", "limitClock", "limitReturned", "limitWriteIns", "limitInterim"}
)
"""Checks that no export can pass: that they were not made says nothing against this one."""

_MOST_NAMED = 8


def left_open(checks: Iterable[Check]) -> tuple[Check, ...]:
    """What could have been checked and was not."""
    return tuple(check for check in checks if check.outcome is Outcome.NOT_CHECKED and check.id not in LIMITS)


def check_incidents(story: Story, *, proven: bool) -> Check:
    """What a person should know of the day. Nothing of it is wrong with the export."""
    counts, reasons = story.counts, story.reasons
    told = (
        (story.kills, f"{counted(story.kills, 'time')} the software ended without saying so while the machine ran on"),
        (counts["fault"], _with_reasons(counts, reasons, "fault", "fault")),
        (counts["jam"], _with_reasons(counts, reasons, "jam", "jam")),
        (counts["scannerLost"], _with_reasons(counts, reasons, "scannerLost", "loss of the scanner", "losses of the scanner")),
        (
            counts["scannerTrouble"],
            _with_reasons(counts, reasons, "scannerTrouble", "complaint of the scanner", "complaints of the scanner"),
        ),
        (counts["coverOpened"], f"the cover opened {counted(counts['coverOpened'], 'time')}"),
        (counts["interpreterFailed"], f"{counted(counts['interpreterFailed'], 'failure')} of the interpreter"),
        (counts["mediumLost"], f"{counted(counts['mediumLost'], 'loss', 'losses')} of a medium of the evidence"),
        (counts["evidenceRecovered"], f"{counted(counts['evidenceRecovered'], 'medium', 'media')} brought up to date"),
        (counts["sheetFoundPending"], f"{counted(counts['sheetFoundPending'], 'sheet')} found on the way after a cut"),
        (counts["pendingErased"], f"{counted(counts['pendingErased'], 'sheet')} written down that did not go into the box"),
        (counts["boxFull"], f"the box full {counted(counts['boxFull'], 'time')}"),
        (counts["clockChanged"], f"the clock set or off {counted(counts['clockChanged'], 'time')}"),
    )
    parts = [
        f"{counted(counts['stationStarted'], 'start')} of the station",
        f"{counted(story.power_cuts, 'power cut')} (starts without a good end before them)",
        *(text for number, text in told if number),
        f"{counted(counts['exportBegun'], 'export')} begun, {counts['exportMade']} made, {counts['exportFailed']} failed",
    ]
    sentence = f"The log tells of: {'; '.join(parts)}. Of faults, jams and losses it tells no more than this."
    return Question("incidents").answered(sentence, proven=proven)


def _with_reasons(counts: Mapping[str, int], reasons: Mapping[str, Counter[str]], event: str, what: str, plural: str = "") -> str:
    text = counted(counts[event], what, plural)
    named = reasons.get(event, Counter()).most_common(_MOST_NAMED)
    return f"{text} ({', '.join(f'{reason[:60]} {number}' for reason, number in named)})" if named else text


def check_software(story_software: Sequence[tuple[str, str]], own: tuple[str, str] | None, *, proven: bool) -> Check:
    """Whether the station named the software that verifies here. Another one is no fault: the readings are what is compared.

    Args:
        story_software: Name and hash of each software that the log names, in order.
        own: Those of this software; None if it cannot tell.
        proven: Whether the log is.
    """
    question = Question("software")
    if not story_software:
        return question.unanswered("Which software the station ran is not known: the log could not be read.")
    if own is None:
        return question.unanswered("This software cannot say what it is, so it was not compared with the station's.")
    told = ", then ".join(f"{name} {sha256}" for name, sha256 in story_software[:_MOST_NAMED])
    if all(pair == own for pair in story_software):
        return question.answered(f"The station says that it ran the software that checks here, {told}.", proven=proven)
    if len(story_software) > 1:
        told += " (it was changed during the election)"
    return question.answered(
        f"The station says that it ran {told}; what checks here is {own[0]} {own[1]}. Other software must still read the same.",
        proven=proven,
    )


def limits(story: Story | None, verdicts: Sequence[SheetVerdict], origin: str, *, closed: bool, witnessed: str) -> list[Check]:
    """What cannot be checked.

    Args:
        story: What the log tells; None if it could not be read.
        verdicts: Every kept sheet.
        origin: The log's name.
        closed: Whether the polls were closed for good.
        witnessed: What the witness knew of the log before, in words; empty if there was none or it knew nothing.
    """
    story = story or Story()
    cast = sum(one.kind is SheetKind.CAST for one in verdicts)
    ballots = counted(cast if closed else story.accepted, "ballot")
    sentences = {
        "limitPaper": f"That the {ballots} on record are the paper in the box: count the paper, and compare a random sample with "
        "the pictures.",
        "limitSoftware": "That the device ran the software that its log names. The readings do not hang on it, since they were "
        "made again here; that it kept a picture of every sheet does.",
        "limitKey": f"That nobody else has the key of {origin or 'the log'}: whoever has it can write another log and sign it.",
        "limitSecondLog": _second_log(story, witnessed),
        "limitClock": _clock(story),
        "limitReturned": _returned(story, verdicts),
        "limitWriteIns": _write_ins(verdicts),
    }
    checks = [Question(name).unanswered(sentence) for name, sentence in sentences.items()]
    if not closed:
        checks.append(
            Question("limitInterim").unanswered(
                f"Any of the {ballots} that the log counts so far: this export was made before the close, and ballots, sets and "
                "totals leave the device only after it."
            )
        )
    return checks


def _clock(story: Story) -> str:
    clocks = story.clocks
    return (
        f"The time of day of any event: of {counted(clocks.total(), 'entry', 'entries')}, the wall clock was called synchronised "
        f"at {clocks['synchronised']}, not synchronised at {clocks['unsynchronised']} and unset at {clocks['unset']}. The order "
        "of the entries does not hang on it."
    )


def _second_log(story: Story, witnessed: str) -> str:
    text = "That the device shows everybody this same log. Compare the root with what was printed and signed at the polling place"
    if witnessed:
        return f"{text}; {witnessed}"
    exports = counted(story.counts["exportBegun"], "time")
    return f"{text}, and with what other people have: it was exported {exports}. No witness here had seen this log before."


def _returned(story: Story, verdicts: Sequence[SheetVerdict]) -> str:
    kept = [one for one in verdicts if one.kind is SheetKind.RETURNED]
    total = story.returned.total()
    why = ", ".join(f"{name} {number}" for name, number in sorted(story.returned.items()))
    text = (
        f"What was on the sheets of which no picture is here: {max(total - len(kept), 0)} of {counted(total, 'returned sheet')}"
    )
    text += f" ({why})" if why else ""
    impossible = sum(one.repeat is Repeat.IMPOSSIBLE for one in kept)
    return f"{text}; and why {impossible} of the kept ones were refused." if impossible else f"{text}."


def _write_ins(verdicts: Sequence[SheetVerdict]) -> str:
    marked = unmarked = 0
    for one in verdicts:
        if one.kind is SheetKind.CAST and one.record is not None:
            marked += _options(one.record.get("votes"), WRITE_IN_PREFIX)
            unmarked += _options(one.record.get("unmarkedWriteIns"), "")
    return (
        f"Whose names stand on the {counted(marked, 'write-in line')} that were marked, and on {unmarked} more that have ink but "
        "no mark: a person must read the pictures."
    )


def _options(by_contest: object, prefix: str) -> int:
    lists = by_contest.values() if isinstance(by_contest, dict) else ()
    return sum(isinstance(one, str) and one.startswith(prefix) for names in lists if isinstance(names, list) for one in names)
