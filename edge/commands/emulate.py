"""`scrutineer emulate`: serve an emulated scanner and panel, and take verbs from a person or a script."""

from __future__ import annotations

import argparse
from importlib import import_module

from edge.commands.error import CommandError

_SESSION = "hil.emulate.session"
"""Only in the source tree: the installed product emulates nothing."""


def run(arguments: argparse.Namespace) -> int:
    """Do what the arguments say, until the verbs end or a signal comes.

    Raises:
        CommandError: `emulatorMissing` where the emulator is not installed; otherwise as `hil.emulate.session.run`.
    """
    try:
        session = import_module(_SESSION)
    except ModuleNotFoundError as error:
        raise CommandError("emulatorMissing", f"the emulated scanner is not installed here ({error})") from error
    return int(session.run(arguments))
