"""The command `scrutineer`.

Exit status of `interpret`: 0 accept, 3 return, 4 hold. Of every command: 2 when it was used wrongly or given something
unreadable, with `scrutineer: <code>: <detail>` on stderr; docs/reasons.md explains each code.
"""

from __future__ import annotations

import argparse
import os
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from edge.commands.error import CommandError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from _typeshed import SupportsWrite

EXIT_BAD_USE = 2
EXIT_INTERRUPTED = 130
EXIT_BROKEN_PIPE = 141
"""128 + the signal's number, as shells report a command that the signal ended."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and give its exit status; `--help`, `--version` and wrong arguments exit as argparse does."""
    try:
        return _run(argv)
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        # Python flushes stdout once more at exit and would complain there.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_BROKEN_PIPE


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(argv)
        return int(arguments.run(arguments))
    except CommandError as error:
        sys.stderr.write(f"scrutineer: {error}\n")
        return EXIT_BAD_USE
    finally:
        # Here, where a closed pipe can still be answered; at exit it could not.
        sys.stdout.flush()


class _Parser(argparse.ArgumentParser):
    """Wrong arguments are told in the same form as everything else that goes wrong."""

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        # Newer versions of argparse keep a closed pipe to themselves.
        (file or sys.stdout).write(self.format_help())

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(EXIT_BAD_USE, f"scrutineer: {CommandError('badUse', message)}\n")


class _Version(argparse.Action):
    """`--version`: looked up only when it is asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        try:
            version = metadata.version("scrutineer-edge")
        except metadata.PackageNotFoundError:
            version = "(not installed)"
        print(f"scrutineer {version}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="scrutineer", description="Reads paper ballots and keeps evidence of it.", allow_abbrev=False)
    parser.add_argument("--version", action=_Version, nargs=0, help="show the version and exit")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    _add_interpret(commands)
    return parser


def _add_interpret(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "interpret",
        help="read one scanned sheet and say what would happen to it",
        description="Read both sides of one scanned sheet: the votes, and whether the sheet would be accepted, returned or held.",
        epilog="exit status: 0 accept, 3 return, 4 hold, 2 wrong use or unreadable input",
        allow_abbrev=False,
    )
    parser.add_argument(
        "front", metavar="FRONT", type=Path, help="image of one side: PNG, JPEG, TIFF or PNM; either side, any way up"
    )
    parser.add_argument("back", metavar="BACK", type=Path, help="image of the other side")
    parser.add_argument("--election", metavar="FILE", type=Path, required=True, help="the election definition")
    parser.add_argument("--settings", metavar="FILE", type=Path, help="system settings; without it the published defaults")
    parser.add_argument(
        "--ballot-hash",
        metavar="HEX",
        help="20 hex digits: the hash that the ballots carry, if they were printed from another revision of the definition file; "
        "nothing then proves that the file's contests and layouts are those of the ballots",
    )
    parser.add_argument("--json", action="store_true", help="print the record of the sheet as canonical JSON (RFC 8785) instead")
    parser.add_argument("--debug-dir", metavar="DIR", type=Path, help="draw what every step saw into this folder")
    parser.set_defaults(run=_interpret)


def _interpret(arguments: argparse.Namespace) -> int:
    from edge.commands.interpret import run  # noqa: PLC0415  OpenCV and NumPy take a second on the board; --help should not

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
