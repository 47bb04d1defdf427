"""The sweep as a table and as acceptance curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path

from hil.paper.damage import DAMAGES
from hil.sweep.case import Outcome

Place = tuple[str, int]
"""A damage and its strength; ("", 0) for sheets without any."""
Tally = dict[Place, Counter[Outcome]]

_COLUMNS = 4


def accepted(counts: Mapping[Outcome, int]) -> float:
    """Share of sheets that were read exactly."""
    total = sum(counts.values())
    return counts.get(Outcome.EXACT, 0) / total if total else 0.0


def half_point(tally: Tally, name: str, strengths: list[int]) -> float | None:
    """The strength at which acceptance first falls to half, between the measured ones; None when it never does."""
    points = [(0, 1.0), *((s, accepted(tally[name, s])) for s in strengths if s)]
    for (low, before), (high, after) in pairwise(points):
        if after <= 0.5 < before:
            return low + (high - low) * (before - 0.5) / (before - after)
    return None


def write_report(
    tally: Tally, reasons: Mapping[Place, Counter[str]], names: list[str], strengths: list[int], folder: Path | None
) -> str:
    """The table as Markdown; with a folder also written to its damage.md, and the curves to its figures/damage.svg."""
    sheets = sum(sum(counts.values()) for counts in tally.values())
    wrong = sum(counts[Outcome.WRONG] for counts in tally.values())
    lines = [f"{sheets} sheets, **{wrong} with a wrong vote**.", ""]
    lines += ["| damage | strength 100 means | " + " | ".join(str(s) for s in strengths if s) + " | half at | refused with |"]
    lines += ["|---|---|" + "---|" * (len([s for s in strengths if s]) + 2)]
    for name in names:
        shares = " | ".join(f"{accepted(tally[name, s]):.0%}" for s in strengths if s)
        half = half_point(tally, name, strengths)
        why: Counter[str] = sum((reasons.get((name, s), Counter()) for s in strengths), Counter())
        told = ", ".join(code for code, _ in why.most_common(3)) or "-"
        lines.append(f"| {name} | {DAMAGES[name].strength} | {shares} | {'-' if half is None else f'{half:.0f}'} | {told} |")
    text = "\n".join(lines) + "\n"
    if folder is not None:
        folder.joinpath("figures").mkdir(parents=True, exist_ok=True)
        _draw(tally, names, strengths, folder / "figures" / "damage.svg")
        _replace_table(folder / "damage.md", text)
    return text


def _replace_table(path: Path, table: str) -> None:
    """Put the table between the document's markers."""
    start, end = "<!-- sweep -->\n", "<!-- /sweep -->\n"
    text = path.read_text(encoding="utf-8")
    before, rest = text.split(start, 1)
    path.write_text(before + start + table + end + rest.split(end, 1)[1], encoding="utf-8")


def _draw(tally: Tally, names: list[str], strengths: list[int], path: Path) -> None:
    """One small chart a damage: what became of the sheets as the damage grows."""
    import matplotlib as mpl  # noqa: PLC0415 - a plot is wanted once in a thousand sweeps

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "scrutineer"
    from matplotlib import pyplot as plt  # noqa: PLC0415

    rows = -(-len(names) // _COLUMNS)
    figure, axes = plt.subplots(rows, _COLUMNS, figsize=(11, 1.7 * rows), sharex=True, sharey=True, squeeze=False)
    shades = {Outcome.EXACT: "#0072b2", Outcome.DOUBTED: "#e69f00", Outcome.REFUSED: "#cccccc", Outcome.WRONG: "#d00000"}
    for place, axis in enumerate(axes.flat):
        if place >= len(names):
            axis.axis("off")
            continue
        name = names[place]
        xs = [s for s in strengths if s]
        totals = [max(sum(tally[name, s].values()), 1) for s in xs]
        bands = [[tally[name, s][outcome] / total for s, total in zip(xs, totals, strict=True)] for outcome in shades]
        axis.stackplot(xs, bands, colors=list(shades.values()), labels=[outcome.value for outcome in shades])
        axis.set_title(name, fontsize=9)
        axis.set_xlim(xs[0], xs[-1])
        axis.set_ylim(0, 1)
    figure.legend(*axes[0][0].get_legend_handles_labels(), loc="lower right", ncols=4, fontsize=9)
    figure.supxlabel("strength")
    figure.supylabel("share of sheets")
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
