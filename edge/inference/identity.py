"""Who read: what every record says about the readers of its digits."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ReaderIdentity:
    """Both readers of a model.

    Attributes:
        model: Name of the released model.
        sha256: Hash of its file, hexadecimal.
        arithmetic: Version of the fixed-point arithmetic that gave the recorded answer.
        runtime: Distribution that the second reader comes from.
        runtime_version: Its version.
        resolver: Which of its kernels it uses: `default` or `reference`.
    """

    model: str
    sha256: str
    arithmetic: str
    runtime: str
    runtime_version: str
    resolver: str
