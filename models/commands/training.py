"""`scrutineer-models train | convert | evaluate --model NAME ...`: the steps of a model, each a module of its folder.

What follows `--model NAME` goes to that module as it is; `--help` behind it shows what it takes.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from collections.abc import Sequence

from edge.commands.error import CommandError
from models.commands.arguments import Commands
from models.lazy_tensorflow import tensorflow

MODELS = ("digit", "region")
_STEPS = {
    "train": "train a model (needs TensorFlow)",
    "convert": "write a trained model as an int8 flatbuffer (needs TensorFlow)",
    "evaluate": "judge a model on what did not train (needs TensorFlow)",
}


def add_parser(commands: Commands) -> None:
    """Add the sub-commands."""
    for step, text in _STEPS.items():
        parser = commands.add_parser(
            step,
            help=text,
            description=f"{text[0].upper()}{text[1:]}. Everything else on the line goes to `models.NAME.{step}`.",
            allow_abbrev=False,
        )
        parser.add_argument("--model", choices=MODELS, required=True, help="which; what follows goes to its step, --help too")
        parser.set_defaults(run=run, step=step)


def split(argv: Sequence[str]) -> tuple[list[str], list[str]]:
    """Our own arguments, and those that are passed on: all that follow `STEP --model NAME`."""
    own = 3 if len(argv) > 3 and argv[0] in _STEPS and argv[1] == "--model" else len(argv)
    return list(argv[:own]), list(argv[own:])


def run(arguments: argparse.Namespace) -> int:
    """Do the step, as `python -m` would.

    Raises:
        CommandError: `stepMissing` if the model has no such step, `tensorflowMissing`.
    """
    name = f"models.{arguments.model}.{arguments.step}"
    if not _is_there(name):
        raise CommandError("stepMissing", f"there is no {name}; " + _instead(arguments.model, arguments.step))
    if not {"-h", "--help"} & set(arguments.passed_on):
        tensorflow()
    before = sys.argv
    sys.argv = [name, *arguments.passed_on]
    try:
        return int(importlib.import_module(name).main() or 0)
    finally:
        sys.argv = before


def _is_there(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def _instead(model: str, step: str) -> str:
    return "`train` writes its flatbuffer" if (model, step) == ("digit", "convert") else "this version comes without it"
