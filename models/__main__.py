"""The command `scrutineer-models`: data sets and models.

Exit status of every sub-command: 0 all done, 1 some images could not be had or marked, 2 wrong use or something unreadable with
`scrutineer-models: <code>: <detail>` on stderr, 130 interrupted; started again it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from edge.commands.error import CommandError
from models.commands import boxes, card, coco, ingest, tfrecord, training, voc

EXIT_BAD_USE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
"""128 + the signal's number, as shells report a command that the signal ended."""
_COMMANDS = (ingest, boxes, voc, coco, tfrecord, training, card)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit status; `--help` and wrong arguments exit as argparse does."""
    try:
        # What follows a model's name belongs to its step, options that are also ours included.
        own, passed_on = training.split(sys.argv[1:] if argv is None else argv)
        arguments = _parser().parse_args(own, argparse.Namespace(passed_on=passed_on))
        status = arguments.run(arguments)
        sys.stdout.flush()
    except CommandError as error:
        sys.stderr.write(f"scrutineer-models: {error}\n")
        return EXIT_BAD_USE
    except KeyboardInterrupt:
        sys.stderr.write("scrutineer-models: interrupted; the same command goes on from here\n")
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Whoever read our output has gone. Python would flush once more at exit and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE
    return int(status)


class _Parser(argparse.ArgumentParser):
    """Tells wrong use the way every other refusal is told: a code and one sentence."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_BAD_USE, f"scrutineer-models: badUse: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="scrutineer-models", description="Make data sets of forms, and train and judge models.", allow_abbrev=False
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in _COMMANDS:
        command.add_parser(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
