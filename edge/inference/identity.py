"""Who read: what every record says about the readers of its digits, and about what found the form."""

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


@dataclass(frozen=True, slots=True)
class FinderIdentity:
    """The finder of forms in pictures, which has no second reader: what it finds is measured again.

    Attributes:
        model: Name of the released model.
        sha256: Hash of its file, hexadecimal.
        arithmetic: Version of the fixed-point arithmetic that executed it.
    """

    model: str
    sha256: str
    arithmetic: str
