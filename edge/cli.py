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
    _add_run(commands)
    _add_status(commands)
    _add_scanner(commands)
    _add_emulate(commands)
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


def _add_run(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "run",
        help="run the station",
        description="Run the station until SIGTERM or SIGINT: take sheets, read them, accept or return them, keep evidence.",
        epilog="exit status: 0 ended in good order, 2 wrong use or a configuration that cannot be used",
        allow_abbrev=False,
    )
    parser.add_argument("--config", metavar="FILE", type=Path, required=True, help="the station's configuration, TOML")
    parser.set_defaults(run=_station)


def _station(arguments: argparse.Namespace) -> int:
    from edge.commands.run import run  # noqa: PLC0415  as for interpret

    return run(arguments)


def _add_status(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "status",
        help="say how the running station is",
        description="Ask the running station how it is: its state, why, what its lamps show, how many sheets it has counted.",
        epilog="exit status: 0 at work, 3 a person is needed, 2 not running or wrong use",
        allow_abbrev=False,
    )
    parser.add_argument("--socket", metavar="FILE", type=Path, help="the station's socket (/run/scrutineer/status.sock)")
    parser.add_argument("--follow", action="store_true", help="go on and show every change")
    parser.add_argument("--json", action="store_true", help="print the station's own JSON, one document a line")
    parser.set_defaults(run=_status)


def _status(arguments: argparse.Namespace) -> int:
    from edge.commands.status import run  # noqa: PLC0415  as for interpret

    return run(arguments)


def _add_scanner(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "scanner",
        help="look at the scanner or calibrate it",
        description="Look at the scanner or calibrate it, while the station does not run.",
        allow_abbrev=False,
    )
    parser.add_argument("job", choices=("info", "calibrate-images", "calibrate-double-feed"), help="what to do")
    parser.add_argument("--config", metavar="FILE", type=Path, required=True, help="the station's configuration, TOML")
    parser.set_defaults(run=_scanner)


def _scanner(arguments: argparse.Namespace) -> int:
    from edge.commands.scanner import run  # noqa: PLC0415  as for interpret

    return run(arguments)


def _add_emulate(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "emulate",
        help="serve an emulated scanner and panel, to try a station without hardware",
        description="Serve an emulated scanner over USB/IP on this machine, and do what the verbs on stdin or in a script say. "
        "docs/emulator.md explains the verbs; so does the verb `help`.",
        epilog="exit status: 0 all done, 2 wrong use or a line of a script that could not be done",
        allow_abbrev=False,
    )
    parser.add_argument("--make", metavar="DIR", type=Path, help="only make a station folder with a configuration and ballots")
    parser.add_argument("--folder", metavar="DIR", type=Path, help="a station folder, whose ballots can be inserted by name")
    parser.add_argument("--panel", action="store_true", help="be the panel of the folder's station as well: lamps and buttons")
    parser.add_argument("--in-process", action="store_true", help="run the folder's station in this process, without USB/IP")
    parser.add_argument("--script", metavar="FILE", type=Path, help="take the verbs from this file instead of stdin")
    parser.add_argument("--stay", action="store_true", help="go on after the last verb, until SIGINT or SIGTERM")
    parser.add_argument(
        "--listen",
        metavar="ADDRESS:PORT",
        help="where to serve, on the loopback; port 0 takes any free one (as the folder's station says, or 127.0.0.1:3240)",
    )
    parser.add_argument(
        "--speed",
        choices=("real", "quick", "instant"),
        default="real",
        help="how long motions take: as the device's are thought to, a tenth of that, or no time (real)",
    )
    parser.add_argument(
        "--knob", metavar="NAME=VALUE", action="append", default=[], help="change what the scanner does; repeat for more"
    )
    parser.set_defaults(run=_emulate)


def _emulate(arguments: argparse.Namespace) -> int:
    from edge.commands.emulate import run  # noqa: PLC0415  as for interpret

    return run(arguments)


if __name__ == "__main__":
    sys.exit(main())
