"""What each state and each reason code of the station says to the technician; docs/scanner.md says what to do."""

from __future__ import annotations

from edge.definition.settings import AdjudicationReason
from edge.sentences import RETURN_SENTENCES
from edge.station.state import StateName, Station, StationReason
from edge.tally.decide import HoldCode
from edge.tally_sheet import FormCode

STATE_SENTENCES: dict[StateName, str] = {
    StateName.STARTING: "The station reads its evidence, looks for the scanner and asks where paper is.",
    StateName.DISCONNECTED: "There is no scanner; it is looked for again and again.",
    StateName.COVER_OPEN: "The scanner's cover is open.",
    StateName.CLOSED: "The polls are closed; no sheet is taken.",
    StateName.WAITING: "The station waits for the next sheet.",
    StateName.SCANNING: "A sheet is being scanned.",
    StateName.INTERPRETING: "A sheet is being read.",
    StateName.HOLDING: "A sheet is held until a person decides.",
    StateName.ACCEPTING: "A sheet is moving into the box.",
    StateName.RETURNING: "A sheet is moving back to the front.",
    StateName.RETURNED: "A sheet lies at the front and must be taken.",
    StateName.JAMMED: "Paper blocks the way.",
    StateName.FAULT: "Something happened that the station does not understand; it starts over by itself.",
}

SCANNER_SENTENCES: dict[str, str] = {
    "scannerNotFound": "No scanner is plugged in and switched on.",
    "scannerBusy": "Another program holds the scanner.",
    "scannerForbidden": "The station may not use the scanner; the system's device rule is missing.",
    "scannerDisconnected": "The cable to the scanner was pulled, or the scanner lost power.",
    "scannerSilent": "The scanner does not answer.",
    "scannerConfused": "The scanner answers something that no document describes.",
    "scannerNotAllowed": "A scanner is there, but its serial number is not in the list.",
    "scannerFeeding": "The station and the scanner disagree whether paper is being taken.",
    "usbUnavailable": "The system's USB library is missing.",
    "noImage": "The scan ended without an image.",
    "imageTruncated": "A part of the image is missing.",
    "imageOverflow": "The image came faster than it could be taken.",
    "scanUnreadable": "The image is not one that this scanner can send.",
}

REASON_SENTENCES: dict[str, str] = {
    StationReason.COVER_OPENED: "The cover was opened while a sheet was inside.",
    StationReason.DOUBLE_FEED: "Two sheets went in at once.",
    StationReason.SCAN_JAM: "The sheet got stuck while it was scanned.",
    StationReason.SCAN_TIMED_OUT: "The scan did not end.",
    StationReason.SHEET_WITHDRAWN: "The sheet was pulled out.",
    StationReason.INTERPRETER_FAILED: "The interpreter failed; report this.",
    StationReason.INTERPRETER_TIMED_OUT: "The interpreter took too long; report this.",
    StationReason.PERSON_DECIDES: "Press cast to accept the sheet as it is, or return to get it back.",
    StationReason.PERSON_RETURNED: "A person pressed return.",
    StationReason.HOLD_TIMED_OUT: "Nobody decided in time.",
    StationReason.SHEET_WHEREABOUTS: "Where did the sheet go? Press cast if it is in the box, return if it is in your hand.",
    StationReason.FRONT_BLOCKED: "Paper at the front keeps the sheet from moving on.",
    StationReason.PAPER_INSIDE: "Paper was found inside the scanner.",
    StationReason.PAPER_IN_FRONT: "Paper was found at the front of the scanner.",
    StationReason.POLLS_CLOSED: "The polls were closed while the sheet went in.",
    StationReason.POLLS_CLOSED_FOR_GOOD: "The polls of this election were closed for good; no sheet is ever taken again.",
    StationReason.BOX_FULL: "The evidence has no room for another sheet.",
    StationReason.EVIDENCE_FAILED: "The evidence cannot be written or read; no sheet is accepted.",
    StationReason.EVIDENCE_SILENT: "The medium of the evidence does not answer; no sheet is accepted.",
    StationReason.JAM: "The scanner reports a jam.",
    StationReason.OUTFEED_BLOCKED: "Paper sticks at the way into the box; the last sheet is counted if it was signalled.",
    StationReason.ACCEPT_TIMED_OUT: "The sheet did not reach the box in time.",
    StationReason.RETURN_TIMED_OUT: "The sheet did not reach the front in time.",
    StationReason.SENSORS_SILENT: "The scanner does not say where paper is.",
    StationReason.UNEXPECTED_EVENT: "The scanner reported something that cannot happen here.",
}

_HELD_SENTENCES: dict[str, str] = {
    AdjudicationReason.OVERVOTE: "More votes than seats in a contest.",
    AdjudicationReason.UNDERVOTE: "Fewer votes than seats in a contest.",
    AdjudicationReason.MARGINAL_MARK: "A mark may or may not be a vote.",
    AdjudicationReason.BLANK_BALLOT: "No vote was found.",
    AdjudicationReason.UNMARKED_WRITE_IN: "A name is written beside an empty oval.",
    AdjudicationReason.CROSSOVER_VOTING: "Votes in the contests of more than one party.",
    "missingPaper": "Paper is missing where a mark could be.",
    "bubbleNotFound": "An oval was not found.",
}

TALLY_SENTENCES: dict[str, str] = {
    FormCode.NOT_FOUND: "Neither side is a form that this station reads.",
    FormCode.AMBIGUOUS: "A form fits on the paper in two ways.",
    FormCode.INCOMPLETE: "A form is on the paper, but too many of its printed frames are not.",
    FormCode.SEVERAL: "Several sheets of a form lie on one another.",
    FormCode.UNSURE: "More than one form is found on the sheet.",
    HoldCode.SHEET_INCOMPLETE: "A part of the form is missing.",
    HoldCode.FRAMES_MISSING: "Some printed frames of the form are not where they should be.",
    HoldCode.REGION_DISAGREES: "Seen as a whole, the picture does not show the form where its numbers were read.",
    HoldCode.FIELD_UNREAD: "A number on the form cannot be read for certain.",
    HoldCode.READERS_DISAGREE: "The two readers of digits read a number differently.",
    HoldCode.FOREIGN_INK: "Ink that is no digit lies over a number.",
    HoldCode.BARCODE_MISSING: "The form's barcode cannot be read.",
    HoldCode.CODES_DIFFER: "Barcodes and print say different codes.",
    HoldCode.TOTAL_BLANK: "A total was left blank.",
    HoldCode.RULE_BROKEN: "The numbers do not add up.",
    HoldCode.RULE_UNCHECKED: "A rule of the form was not checked; report this.",
}
"""What the codes of a returned or held tally sheet say."""


def reason_sentence(code: str) -> str:
    """What a reason code means; a code that has no sentence stands for itself."""
    for sentences in (REASON_SENTENCES, SCANNER_SENTENCES, RETURN_SENTENCES, _HELD_SENTENCES, TALLY_SENTENCES):
        if code in sentences:
            return sentences[code]
    return f"({code})"


def sentence(station: Station) -> str:
    """State, reason and detail as one text of one or more sentences."""
    parts = [STATE_SENTENCES[station.name]]
    if station.reason is not None:
        parts.append(reason_sentence(station.reason))
    if station.detail:
        parts.append(f"({station.detail.strip()})")
    return " ".join(parts)
