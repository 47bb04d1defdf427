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
_MOST_WORKERS = 256
_FORM = "the name of a form that comes with this software, or a form template"


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
    _add_read(commands)
    _add_compare(commands)
    _add_run(commands)
    _add_status(commands)
    _add_scanner(commands)
    _add_emulate(commands)
    _add_polls(commands)
    _add_export(commands)
    _add_verify(commands)
    _add_keys(commands)
    _add_trust(commands)
    return parser


def _add_interpret(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "interpret",
        help="read one scanned sheet and say what would happen to it",
        description="Read both sides of one scanned ballot, or one side of a tally sheet: the votes or the numbers, and whether "
        "the sheet would be accepted, returned or held.",
        epilog="exit status: 0 accept, 3 return, 4 hold, 2 wrong use or unreadable input",
        allow_abbrev=False,
    )
    parser.add_argument(
        "front", metavar="FRONT", type=Path, help="image of one side: PNG, JPEG, TIFF or PNM; either side, any way up"
    )
    parser.add_argument("back", metavar="BACK", type=Path, nargs="?", help="image of the other side; not needed with --form")
    kind = parser.add_mutually_exclusive_group(required=True)
    kind.add_argument("--election", metavar="FILE", type=Path, help="the sheet is a ballot: the election definition")
    kind.add_argument("--form", metavar="NAME|FILE.toml", help=f"the sheet is a tally sheet: {_FORM}")
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
    if arguments.form is None:
        if arguments.back is None:
            raise CommandError("badUse", "a ballot has two sides: give BACK as well")
        from edge.commands.interpret import run  # noqa: PLC0415  OpenCV and NumPy take a second on the board; --help should not
    else:
        if arguments.settings is not None or arguments.ballot_hash is not None:
            raise CommandError("badUse", "--settings and --ballot-hash belong to --election, not to --form")
        from edge.commands.interpret_form import run  # noqa: PLC0415  as above
    return run(arguments)


def _add_read(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "read",
        help="read all tally sheets of a folder into a table",
        description="Read all images of a folder as tally sheets of one form. Beside the table, in a folder of the same name "
        "ending in .records, every image gets a JSON file with its whole record; a run that was stopped goes on where it was.",
        epilog="exit status: 0 every image was read, whatever became of it, 1 some could not be read, 2 wrong use",
        allow_abbrev=False,
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="the folder of images: PNG, JPEG, TIFF or PNM")
    parser.add_argument("--form", metavar="NAME|FILE.toml", required=True, help=_FORM)
    parser.add_argument(
        "--out",
        metavar="FILE.csv",
        type=Path,
        required=True,
        help="the table: a row an image, a column a field; empty is blank paper, ? unread, n/a not on the image",
    )
    parser.add_argument(
        "--log", metavar="FILE", type=Path, help="write the values as lines of image,count_value,user_id as well, one a field"
    )
    parser.add_argument("--workers", metavar="N", type=_positive, help="processes (as many as there are processors)")
    parser.set_defaults(run=_read)


def _positive(text: str) -> int:
    number = int(text) if text.isascii() and text.isdecimal() else 0
    if not 0 < number <= _MOST_WORKERS:
        raise argparse.ArgumentTypeError(f"a whole number from 1 to {_MOST_WORKERS}, not {text!r}")
    return number


def _read(arguments: argparse.Namespace) -> int:
    from edge.commands.read import run  # noqa: PLC0415  as for interpret

    return run(arguments)


def _add_compare(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "compare",
        help="hold the tally sheets of an election against each other",
        description="Compare the records of tally sheets: two sheets for one table, with other or the same numbers, handwriting "
        "that comes again under the same or another table, and images that are there twice.",
        epilog="exit status: 0 nothing found, 1 something found, 3 nothing found but something not compared, 2 wrong use",
        allow_abbrev=False,
    )
    parser.add_argument(
        "records",
        metavar="RECORDS",
        type=Path,
        nargs="+",
        help="folders of records: what `scrutineer read` writes beside its table, or the folder tally of an export",
    )
    parser.add_argument("--json", action="store_true", help="print the report as canonical JSON (RFC 8785) instead")
    parser.add_argument("--out", metavar="FILE.csv", type=Path, help="write a table too: a row for each sheet of each finding")
    parser.set_defaults(run=_compare)


def _compare(arguments: argparse.Namespace) -> int:
    from edge.commands.compare import run  # noqa: PLC0415  as for interpret

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


def _add_config(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--config", metavar="FILE", type=Path, required=True, help="the station's configuration, TOML")


def _add_polls(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "close",
        help="close the polls for good",
        description="Close the polls of a station whose key switch is closed: commit to the set of ballots in the log, and print "
        "the closing report. No sheet is ever accepted again in this election.",
        allow_abbrev=False,
    )
    _add_config(parser)
    parser.set_defaults(run=_close)
    parser = commands.add_parser(
        "report",
        help="print the zero report, the count of ballots, or the totals",
        description="Print what may be known now: zeros before the polls open, the count of ballots while they are open, then "
        "the totals.",
        allow_abbrev=False,
    )
    _add_config(parser)
    parser.set_defaults(run=_report)


def _close(arguments: argparse.Namespace) -> int:
    from edge.commands.polls import run_close  # noqa: PLC0415  as for interpret

    return run_close(arguments)


def _report(arguments: argparse.Namespace) -> int:
    from edge.commands.polls import run_report  # noqa: PLC0415  as for interpret

    return run_report(arguments)


def _add_export(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "export",
        help="write the signed evidence onto a stick",
        description="Write the signed evidence into a new folder on a stick, and read it back. Nothing that is there is "
        "overwritten. While the polls are not closed for good, only the log is exported, and no ballot.",
        epilog="exit status: 0 exported and checked, 2 not exported",
        allow_abbrev=False,
    )
    parser.add_argument("destination", metavar="DEST", type=Path, help="a folder on the stick")
    _add_config(parser)
    parser.set_defaults(run=_export)


def _export(arguments: argparse.Namespace) -> int:
    from edge.commands.export import run  # noqa: PLC0415  as for interpret

    return run(arguments)


def _add_verify(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "verify",
        help="check an export without trusting the device",
        description="Check an export: signatures, the log and every checkpoint, counts against events, images against hashes, "
        "records against images by reading each again, totals. docs/auditor.md explains every check.",
        epilog="exit status: 0 all in order, 1 something is wrong, 3 nothing wrong but something not checked, 2 wrong use",
        allow_abbrev=False,
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="the export's folder")
    parser.add_argument(
        "--trust", metavar="FILE", type=Path, required=True, help="the authority's trust list; never from the stick"
    )
    parser.add_argument(
        "--authority",
        metavar="VKEY",
        action="append",
        default=[],
        help="the authority's verifier key, from paper; repeat for more",
    )
    parser.add_argument("--json", metavar="FILE", help="write the report as JSON, - for stdout")
    parser.add_argument("--html", metavar="FILE", type=Path, help="write the report with the pictures as one page")
    parser.add_argument("--witness", metavar="DIR", type=Path, help="where this machine remembers the logs that it has seen")
    parser.add_argument("--no-witness", action="store_true", help="remember nothing")
    parser.set_defaults(run=_verify)


def _verify(arguments: argparse.Namespace) -> int:
    from edge.commands.verify import run  # noqa: PLC0415  as for interpret

    return run(arguments)


def _add_keys(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "keys",
        help="enrol this device with the authority, or discard the ballot box's key",
        description="enrol: print what the authority needs to vouch for this device in this election; makes the device's key if "
        "there is none. discard-day-key: after the close and an export, make the ballot box unreadable for good.",
        allow_abbrev=False,
    )
    parser.add_argument("job", choices=("enrol", "discard-day-key"), help="what to do")
    _add_config(parser)
    parser.set_defaults(run=_keys)


def _keys(arguments: argparse.Namespace) -> int:
    from edge.commands.device_keys import run  # noqa: PLC0415  as for interpret

    return run(arguments)


def _add_trust(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "trust",
        help="for the authority: sign the list of devices that auditors trust",
        description="For the authority, on a machine of its own: make a key, sign a trust list over enrolments, show one.",
        allow_abbrev=False,
    )
    jobs = parser.add_subparsers(title="jobs", metavar="JOB", required=True)
    make = jobs.add_parser("make-key", help="make the authority's key", allow_abbrev=False)
    make.add_argument("file", metavar="FILE", type=Path, help="where the private key is kept; must not exist")
    make.add_argument("--name", required=True, help="the authority's name, such as authority.example.org")
    make.set_defaults(run=_trust_make_key)
    sign = jobs.add_parser("sign", help="sign a trust list, to stdout", allow_abbrev=False)
    sign.add_argument("enrolments", metavar="ENROLMENT", type=Path, nargs="*", help="enrolments of devices, all of one election")
    sign.add_argument("--key", metavar="FILE", type=Path, required=True, help="the authority's key")
    sign.add_argument("--add", metavar="LIST", type=Path, help="add a signature to this list")
    sign.set_defaults(run=_trust_sign)
    show = jobs.add_parser("show", help="show what a trust list says", allow_abbrev=False)
    show.add_argument("file", metavar="FILE", type=Path, help="the trust list")
    show.add_argument("--authority", metavar="VKEY", action="append", default=[], help="the authority's verifier key, from paper")
    show.set_defaults(run=_trust_show)


def _trust_make_key(arguments: argparse.Namespace) -> int:
    from edge.commands.trust import run_trust_make_key  # noqa: PLC0415  as for interpret

    return run_trust_make_key(arguments)


def _trust_sign(arguments: argparse.Namespace) -> int:
    from edge.commands.trust import run_trust_sign  # noqa: PLC0415  as for interpret

    return run_trust_sign(arguments)


def _trust_show(arguments: argparse.Namespace) -> int:
    from edge.commands.trust import run_trust_show  # noqa: PLC0415  as for interpret

    return run_trust_show(arguments)


if __name__ == "__main__":
    sys.exit(main())
