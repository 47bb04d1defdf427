"""What this machine's witness knew of the log before, and what it knows from now on."""

from __future__ import annotations

import time

from edge.audit.checks.log_check import SeenLog
from edge.audit.checks.question import Question
from edge.audit.layout import CHECKPOINT
from edge.audit.verification import Check
from edge.audit.witness import Seen, Witness, WitnessError
from edge.evidence.tlog.note import NoteError, VerifierKey

_CODES = {Seen.OLDER: "olderThanSeen", Seen.CONTRADICTION: "contradictsSeen"}


def check_witness(witness: Witness | None, log: SeenLog, keys: tuple[VerifierKey, ...]) -> tuple[Check, str]:
    """Hold the log against what the witness has seen, and let it learn.

    Args:
        witness: The witness; None if none is to be asked.
        log: The log; the witness is shown nothing that is not proven.
        keys: The log's key of the trust list.

    Returns:
        The check, and in words what the witness had seen before; empty if that was nothing.
    """
    question = Question("witness")
    if witness is None:
        return question.unanswered("No witness was asked whether this log was seen before, and how long it was then."), ""
    if not log.proven or not keys:
        return question.unanswered("The witness was not asked: nothing proves that the log is what the device wrote."), ""
    try:
        result = witness.remember(log.note, keys[0], log.leaves, int(time.time()))
    except (WitnessError, NoteError) as error:
        return question.unanswered(f"The witness could not say anything: {error.code}: {error.detail}."), ""
    if result.seen in _CODES:
        question.wrong(_CODES[result.seen], CHECKPOINT, result.detail)
        return question.failed(f"The witness {witness.name} knows this log otherwise."), ""
    known = "" if result.seen is Seen.FIRST_TIME else f"the witness {witness.name} says: {result.detail}"
    return question.answered(f"The witness {witness.name} says: {result.detail}."), known
