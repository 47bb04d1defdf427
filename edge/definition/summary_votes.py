"""The votes inside the QR code of a machine-marked ballot: roll call, choices, write-in names.

Roll call: one bit per contest, set if the contest has any vote. Then for each such contest: a measure one bit (1 = yes); a
candidate contest one bit per candidate and, where write-ins are allowed and seats are left, the number of write-ins and their
names. Names are 6 bits of length and 5 bits per character; the publisher's golden payloads decide this, its document differs.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from edge.definition.errors import DefinitionError
from edge.definition.payload_fields import dyn_bits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from edge.definition.bits import BitReader, BitWriter
    from edge.definition.election import Contest

WRITE_IN_CHARACTERS = string.ascii_uppercase + " '\"-.,"
"""The 32 characters of a write-in name; the index is the code."""
MAX_WRITE_IN_LENGTH = 40
_LENGTH_BITS = 6
_CHARACTER_BITS = 5


def check_supported(contests: Sequence[Contest]) -> None:
    """Refuse contests whose encoding is not known.

    Raises:
        DefinitionError: `unsupportedContest` for straight-party contests and for measures with other than two options.
    """
    for contest in contests:
        if contest.kind == "straight-party" or (contest.kind == "yesno" and len(contest.options) != 2):
            raise DefinitionError("unsupportedContest", f"no known encoding for the {contest.kind} contest {contest.id!a}")


def write_votes(
    writer: BitWriter,
    contests: Sequence[Contest],
    votes: Mapping[str, Sequence[str]],
    write_ins: Mapping[str, Sequence[str]],
) -> None:
    """Append the votes of `contests`, in their order.

    Args:
        writer: receives the bits.
        contests: the contests on the page.
        votes: option ids by contest id; contests may be absent.
        write_ins: names by contest id, 1..40 of the 32 characters each.

    Raises:
        DefinitionError: `invalidVotes` for unknown contests or options, doubles, or more votes than seats; `invalidWriteIn` for
            a name that cannot be written; `unsupportedContest`.
    """
    check_supported(contests)
    stray = (set(votes) | set(write_ins)) - {contest.id for contest in contests}
    if stray:
        raise DefinitionError("invalidVotes", f"not on this page: {min(stray)!a}")
    for contest in contests:
        _check_votes(contest, votes.get(contest.id, ()), write_ins.get(contest.id, ()))
        writer.write_bool(bool(votes.get(contest.id) or write_ins.get(contest.id)))
    for contest in contests:
        chosen, names = votes.get(contest.id, ()), write_ins.get(contest.id, ())
        if not chosen and not names:
            continue
        if contest.kind == "yesno":
            writer.write_bool(chosen[0] == contest.options[0].id)
            continue
        for option in contest.options:
            writer.write_bool(option.id in chosen)
        seats_left = contest.seats - len(chosen)
        if contest.allow_write_ins and seats_left > 0:
            writer.write_uint(len(names), dyn_bits(seats_left))
            for name in names:
                _write_name(writer, name)


def read_votes(
    reader: BitReader,
    contests: Sequence[Contest],
) -> tuple[dict[str, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """Take the votes of `contests`.

    Returns:
        Option ids by contest id for every contest, in election order and possibly none; write-in names by contest id where any.

    Raises:
        DefinitionError: `invalidVotes` for more votes than seats or a contest called without a vote, which no marking device
            writes; `invalidWriteIn`, `unsupportedContest`, `truncatedPayload`.
    """
    check_supported(contests)
    called = {contest.id for contest in contests if reader.read_bool()}
    votes: dict[str, tuple[str, ...]] = {}
    write_ins: dict[str, tuple[str, ...]] = {}
    for contest in contests:
        chosen: tuple[str, ...] = ()
        names: tuple[str, ...] = ()
        if contest.id in called:
            if contest.kind == "yesno":
                chosen = (contest.options[0 if reader.read_bool() else 1].id,)
            else:
                chosen = tuple(option.id for option in contest.options if reader.read_bool())
                seats_left = contest.seats - len(chosen)
                if contest.allow_write_ins and seats_left > 0:
                    names = tuple(_read_name(reader) for _ in range(reader.read_uint(dyn_bits(seats_left))))
            if not chosen and not names:
                raise DefinitionError("invalidVotes", f"contest {contest.id!a} is called without a vote")
        _check_votes(contest, chosen, names)
        votes[contest.id] = chosen
        if names:
            write_ins[contest.id] = names
    return votes, write_ins


def _check_votes(contest: Contest, chosen: Sequence[str], names: Sequence[str]) -> None:
    if not set(chosen) <= {option.id for option in contest.options} or len(set(chosen)) != len(chosen):
        raise DefinitionError("invalidVotes", f"contest {contest.id!a} has an unknown or doubled option")
    if names and not contest.allow_write_ins:
        raise DefinitionError("invalidVotes", f"contest {contest.id!a} allows no write-ins")
    if len(chosen) + len(names) > contest.seats:
        raise DefinitionError("invalidVotes", f"{len(chosen) + len(names)} votes for {contest.seats} in contest {contest.id!a}")


def _write_name(writer: BitWriter, name: str) -> None:
    if not 1 <= len(name) <= MAX_WRITE_IN_LENGTH:
        raise DefinitionError("invalidWriteIn", f"{len(name)} characters instead of 1..{MAX_WRITE_IN_LENGTH}")
    writer.write_uint(len(name), _LENGTH_BITS)
    for character in name:
        code = WRITE_IN_CHARACTERS.find(character)
        if code < 0:
            raise DefinitionError("invalidWriteIn", f"no code for {character!a}")
        writer.write_uint(code, _CHARACTER_BITS)


def _read_name(reader: BitReader) -> str:
    length = reader.read_uint(_LENGTH_BITS)
    if not 1 <= length <= MAX_WRITE_IN_LENGTH:
        raise DefinitionError("invalidWriteIn", f"{length} characters instead of 1..{MAX_WRITE_IN_LENGTH}")
    return "".join(WRITE_IN_CHARACTERS[reader.read_uint(_CHARACTER_BITS)] for _ in range(length))
