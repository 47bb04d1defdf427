"""The campaign as a table, and its wrong sheets one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence

from hil.sheets.judge import Judgement
from hil.sheets.plan import KINDS

_HEAD = ("sheets", "accepted", "held", "returned", "fields", "right", "unread", "wrong", "wrong and accepted")


def table(judgements: Sequence[Judgement]) -> str:
    """Counts by kind of trouble, by handwriting, by form and by scan, as Markdown; fields are those a reader is asked for."""
    lines = [f"| | {' | '.join(_HEAD)} |", f"|---|{'---|' * len(_HEAD)}"]
    groups: tuple[tuple[Callable[[Judgement], str], Iterable[str]], ...] = (
        (lambda _: "all", ("all",)),
        (lambda judgement: judgement.plan.kind, KINDS),
        (lambda judgement: f"{judgement.digits} digits", ("real digits", "own digits")),
        (lambda judgement: judgement.plan.form, sorted({judgement.plan.form for judgement in judgements})),
        (lambda judgement: judgement.plan.knobs.colour, ("colour", "grey")),
        (_resolution, ("150 to 199 dpi", "200 to 249 dpi", "250 to 300 dpi")),
        (_extent, ("whole sheet", "part of the sheet")),
    )
    for key, names in groups:
        for name in names:
            chosen = [judgement for judgement in judgements if key(judgement) == name]
            if chosen:
                lines.append(f"| {name} | {' | '.join(_row(chosen))} |")
    return "\n".join(lines)


def _extent(judgement: Judgement) -> str:
    return "whole sheet" if judgement.plan.knobs.extent == "sheet" else "part of the sheet"


def _resolution(judgement: Judgement) -> str:
    dpi = judgement.plan.knobs.dpi
    return "150 to 199 dpi" if dpi < 200 else "200 to 249 dpi" if dpi < 250 else "250 to 300 dpi"


def _row(chosen: Sequence[Judgement]) -> list[str]:
    kinds = Counter(judgement.disposition for judgement in chosen)
    right, unread = sum(judgement.right for judgement in chosen), sum(judgement.unread for judgement in chosen)
    wrong = sum(len(judgement.wrong) for judgement in chosen)
    accepted = sum(judgement.wrong_and_accepted for judgement in chosen)
    fields = right + unread + wrong
    share = f"{right} ({right / fields:.2%})" if fields else "0"
    counts = (len(chosen), kinds["accept"], kinds["hold"], kinds["return"], fields, share, unread, wrong, accepted)
    return [str(count) for count in counts]


def reasons(judgements: Iterable[Judgement]) -> str:
    """How often each reason held or returned a sheet."""
    counts = Counter(reason for judgement in judgements for reason in judgement.reasons)
    return ", ".join(f"{reason} {count}" for reason, count in counts.most_common())


def cells(judgements: Sequence[Judgement]) -> str:
    """How cells were read, and how sure the reader was of the wrong ones: what its threshold is held against."""
    count, accepted = sum(judgement.cells for judgement in judgements), sum(judgement.accepted_cells for judgement in judgements)
    wrong = [cell for judgement in judgements for cell in judgement.wrong_cells]
    believed = sum(cell.accepted for cell in wrong)
    highest = max((cell.margin for cell in wrong), default=0)
    return (
        f"{count} cells, {accepted} accepted ({accepted / max(1, count):.2%}), of these {believed} wrong; "
        f"{len(wrong)} with a wrong first guess, the surest of which has a margin of {highest}"
    )


def wrong_line(judgement: Judgement) -> str:
    """A sheet with a wrong field in one line: enough to render it again."""
    word = "WRONG AND ACCEPTED" if judgement.wrong_and_accepted else "wrong, " + judgement.disposition
    fields = ", ".join(f"{field.name} {field.value!r} for {field.truth!r}" for field in judgement.wrong)
    knobs = judgement.plan.knobs
    scan = f"{knobs.dpi} dpi {knobs.colour} {knobs.extent} {judgement.digits} {dict(knobs.damages)}"
    return f"{word}: seed {judgement.plan.seed} {judgement.plan.form} {judgement.plan.kind} ({scan}): {fields or 'wrong extent'}"
