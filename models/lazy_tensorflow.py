"""TensorFlow, where it is there: it is loaded only by the commands that need it, and only when they do."""

from __future__ import annotations

import importlib
import os
from types import ModuleType

from edge.commands.error import CommandError


def tensorflow() -> ModuleType:
    """The module.

    Raises:
        CommandError: `tensorflowMissing`, with what to do.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    try:
        return importlib.import_module("tensorflow")
    except ImportError as error:
        raise CommandError(
            "tensorflowMissing",
            f"this needs TensorFlow ({error}): use `./dev models`, or install requirements/models.lock apart from .venv",
        ) from error
