"""The campaign as tables, and its bad pictures one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from hil.boxes.judge import BoxJudgement
from hil.boxes.plan import KINDS, OTHERS

ANCHOR = (
    "For comparison: the reader made for the Bolivian actas of 2019 found its boxes on 68 % of sheets. Those were real ones, and "
    "most of these are rendered."
)

_HEAD = (
    "pictures", "refused", "placed by scan", "placed by region", "boxes", "covered", "whole sheets", "named missing",
    "said wrong", "wrong and believed", "region disagrees",
)  # fmt: skip
_ALARM_HEAD = ("pictures", "refused", "region sees it", "placed", "placed and believed")
_MOST_NAMES = 6
_IN_SIGHT = 0.995
"""Part of a table from which all of it counts as seen: what covers it is sampled."""


def table(judgements: Sequence[BoxJudgement]) -> str:
    """Pictures that show the form, by kind, trouble and form, as Markdown; boxes of a refused one are not covered."""
    shown = [judgement for judgement in judgements if judgement.plan.kind != "none"]
    groups: tuple[tuple[Callable[[BoxJudgement], str], Iterable[str]], ...] = (
        (lambda _: "all", ("all",)),
        (lambda judgement: judgement.plan.kind, KINDS),
        (_trouble, sorted({_trouble(judgement) for judgement in shown})),
        (_sight, ("photo: all of the table in sight", "photo: table covered in part")),
        (lambda judgement: judgement.plan.form, sorted({judgement.plan.form for judgement in shown})),
    )
    return _grouped(shown, _HEAD, groups, _row)


def alarms(judgements: Sequence[BoxJudgement]) -> str:
    """Pictures that do not show the form that was sought, by what they show, as Markdown."""
    others = [judgement for judgement in judgements if judgement.plan.kind == "none"]
    groups: tuple[tuple[Callable[[BoxJudgement], str], Iterable[str]], ...] = (
        (lambda _: "without the form", ("without the form",)),
        (lambda judgement: judgement.plan.trouble, OTHERS),
    )
    return _grouped(others, _ALARM_HEAD, groups, _alarm_row)


def _grouped(
    judgements: Sequence[BoxJudgement],
    head: tuple[str, ...],
    groups: Iterable[tuple[Callable[[BoxJudgement], str], Iterable[str]]],
    row: Callable[[Sequence[BoxJudgement]], list[str]],
) -> str:
    lines = [f"| | {' | '.join(head)} |", f"|---|{'---|' * len(head)}"]
    for key, names in groups:
        for name in names:
            chosen = [judgement for judgement in judgements if key(judgement) == name]
            if chosen:
                lines.append(f"| {name} | {' | '.join(row(chosen))} |")
    return "\n".join(lines)


def _trouble(judgement: BoxJudgement) -> str:
    return f"{judgement.plan.kind}: {judgement.plan.trouble}"


def _sight(judgement: BoxJudgement) -> str:
    if judgement.plan.kind != "photo":
        return ""
    return "photo: all of the table in sight" if judgement.in_sight > _IN_SIGHT else "photo: table covered in part"


def _row(chosen: Sequence[BoxJudgement]) -> list[str]:
    boxes, covered = sum(judgement.boxes for judgement in chosen), sum(judgement.covered for judgement in chosen)
    whole = sum(judgement.whole for judgement in chosen)
    ways = Counter(judgement.by for judgement in chosen)
    return [
        str(len(chosen)),
        str(ways[None]),
        str(ways["scan"]),
        str(ways["region"]),
        str(boxes),
        f"{covered / max(1, boxes):.2%}",
        f"{whole / len(chosen):.1%}",
        str(sum(len(judgement.missing) for judgement in chosen)),
        str(sum(len(judgement.wrong) for judgement in chosen)),
        str(sum(judgement.wrong_and_believed for judgement in chosen)),
        str(sum(judgement.disagrees for judgement in chosen)),
    ]


def _alarm_row(chosen: Sequence[BoxJudgement]) -> list[str]:
    return [
        str(len(chosen)),
        str(sum(judgement.refusal is not None for judgement in chosen)),
        str(sum(judgement.regions > 0 for judgement in chosen)),
        str(sum(judgement.false_alarm for judgement in chosen)),
        str(sum(judgement.wrong_and_believed for judgement in chosen)),
    ]


def refusals(judgements: Iterable[BoxJudgement]) -> str:
    """How often each reason refused a picture that shows the form."""
    counts = Counter(judgement.refusal for judgement in judgements if judgement.plan.kind != "none" and judgement.refusal)
    return ", ".join(f"{code} {count}" for code, count in counts.most_common()) or "none"


def bad_line(judgement: BoxJudgement) -> str:
    """A bad picture in one line: enough to make it again."""
    plan = judgement.plan
    if judgement.false_alarm:
        word = "FALSE ALARM"
    elif judgement.wrong_and_believed:
        word = "WRONG AND BELIEVED"
    elif judgement.refusal:
        word = f"refused, {judgement.refusal}"
    else:
        word = "wrong" if judgement.wrong else "in part" if judgement.lost else "region disagrees"
    told = [f"{judgement.covered} of {judgement.boxes} boxes", f"region model sees {judgement.regions}"]
    if judgement.refusal is None:
        told += [f"placed by {judgement.by}", f"region says {judgement.says}"]
    told += [f"{what} {_listed(names)}" for what, names in (("wrong", judgement.wrong), ("missing", judgement.missing)) if names]
    if judgement.lost and judgement.refusal is None:
        told.append(f"lost {_listed(judgement.lost)} (least overlap {judgement.least:.2f})")
    if judgement.detail:
        told.append(judgement.detail)
    return f"{word}: seed {plan.seed} {plan.form} {plan.kind}, {plan.trouble} ({_conditions(judgement)}): {'; '.join(told)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _conditions(judgement: BoxJudgement) -> str:
    plan, photo = judgement.plan, judgement.plan.photo
    if plan.file is not None:
        return Path(plan.file).name
    if photo is None:
        knobs = plan.knobs
        return f"{knobs.dpi} dpi {knobs.colour} {knobs.extent} {dict(knobs.damages)}"
    named = ("share", "tilt", "rotation", "bend", "blur", "motion", "glare", "shadow", "uneven", "exposure", "noise", "jpeg",
             "occluders", "neighbours")  # fmt: skip
    values = {name: getattr(photo, name) for name in named}
    told = (f"{name} {value:.2f}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items() if value)
    return f"{photo.size[0]} x {photo.size[1]} {' '.join(told)}; {judgement.in_sight:.0%} of the table in sight"
