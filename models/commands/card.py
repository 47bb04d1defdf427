"""`scrutineer-models card --model NAME`: what was measured about a released model, and whether the files belong together.

The flatbuffer and its card must have the hashes in `released/SHA256SUMS` and in the product's code, and `evaluation.json` must
speak of this flatbuffer. The figures that it prints are those of `evaluation.json`, as a table for the model's CARD.md.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from edge.commands.error import CommandError
from edge.inference.released import RELEASED
from models.commands.arguments import Commands
from models.commands.training import MODELS
from models.sums import sha256_of

EXIT_AGREE, EXIT_DISAGREE = 0, 1
HERE = Path(__file__).resolve().parents[1]


def add_parser(commands: Commands) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "card",
        help="show what was measured about a released model, and check its hashes",
        description="Show what was measured about a released model, as tables for its CARD.md, and check that its files "
        "belong together.",
        epilog="exit status: 0 all hashes agree, 1 some do not, 2 wrong use or a file that cannot be read",
        allow_abbrev=False,
    )
    parser.add_argument("--model", choices=MODELS, required=True, help="which")
    parser.add_argument("--folder", metavar="DIR", type=Path, default=HERE, help="the folder `models` of the project")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the figures and the checks.

    Returns:
        0 when all hashes agree; 1 when not.

    Raises:
        CommandError: a file cannot be read.
    """
    model, folder = arguments.model, arguments.folder
    evaluation = _json(folder / model / "evaluation.json")
    for line in tables(evaluation):
        print(line)
    print()
    agree = True
    for text, found, expected in _hashes(model, folder, evaluation):
        agree &= found == expected
        print(
            f"{'agrees' if found == expected else 'DIFFERS'}: {text}: {found}"
            + ("" if found == expected else f", there {expected}")
        )
    return EXIT_AGREE if agree else EXIT_DISAGREE


def tables(evaluation: Mapping[str, Any]) -> Iterator[str]:
    """Figures as Markdown: the single ones in one table, and one for each group whose entries have figures of their own."""
    single = {name: value for name, value in evaluation.items() if _is_figure(value)}
    yield from _table(("figure", "value"), single.items())
    for name, group in evaluation.items():
        if not isinstance(group, dict):
            continue
        yield ""
        yield f"`{name}`"
        yield ""
        if all(isinstance(entry, dict) for entry in group.values()):
            columns = list(
                dict.fromkeys(column for entry in group.values() for column, value in entry.items() if _is_figure(value))
            )
            yield from _table(
                ("", *columns), ((key, *(entry.get(column, "") for column in columns)) for key, entry in group.items())
            )
        else:
            yield from _table(("figure", "value"), ((key, value) for key, value in group.items() if _is_figure(value)))


def _table(header: tuple[str, ...], rows: Iterable[Iterable[object]]) -> Iterator[str]:
    yield f"| {' | '.join(header)} |"
    yield f"|{' --- |' * len(header)}"
    for row in rows:
        yield f"| {' | '.join(map(_figure, row))} |"


def _is_figure(value: object) -> bool:
    return isinstance(value, str | int | float | bool)


def _figure(value: object) -> str:
    return f"{value:,}" if type(value) is int else str(value)


def _hashes(model: str, folder: Path, evaluation: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Of each check: what is checked, the hash that was found, and the one that it must be."""
    listed = _sums(folder / "released" / "SHA256SUMS")
    entries = [entry for entry in RELEASED.values() if Path(entry.file).stem == model]
    for file in (f"{model}.tflite", f"{model}.json"):
        try:
            found = sha256_of(folder / "released" / file)
        except OSError as error:
            raise CommandError("fileNotFound", f"released/{file}: {error.strerror or error}") from error
        yield f"{file} in SHA256SUMS", found, listed.get(file, "not there")
        used = next((entry.sha256 for entry in entries if entry.file == file), "not there")
        yield f"{file} in edge/inference/released.py", found, used
        if file.endswith(".tflite"):
            yield f"{file} in {model}/evaluation.json", found, str(evaluation.get("model_sha256", "not there"))


def _sums(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text("ascii").splitlines()
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error
    return {name: sha256 for sha256, _, name in (line.partition("  ") for line in lines)}


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise CommandError("fileNotFound", f"there is no {str(path)!r}; `evaluate` makes it") from error
    except (OSError, ValueError) as error:
        raise CommandError("fileUnreadable", f"{str(path)!r}: {getattr(error, 'strerror', None) or error}") from error
    if not isinstance(found, dict):
        raise CommandError("fileUnreadable", f"{str(path)!r} holds no object")
    return found
