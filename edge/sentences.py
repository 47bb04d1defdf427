"""What the codes of a returned sheet say to a person; docs/reasons.md says what to do about each."""

from __future__ import annotations

from edge.decision import ReturnCode

RETURN_SENTENCES: dict[str, str] = {
    "blankSheet": "Neither side looks like a ballot.",
    "bmdBallotScanningDisabled": "This is a machine-marked ballot, and this station does not take them.",
    "borderInsetNotFound": "No edge of the paper can be seen.",
    "bubblesNotFound": "The ovals are not where this ballot style has them.",
    "gridPositionOutsideTimingMarkGrid": "An oval of this ballot style lies outside the paper.",
    "invalidBallotHash": "The ballot belongs to another election.",
    "invalidCardMetadata": "Both sides say that they are the same side.",
    "invalidQrCodeMetadata": "The QR code cannot be read.",
    "invalidScale": "The ballot is printed too small.",
    "invalidTimingMarkMetadata": "The code in the bottom row of marks cannot be read.",
    "lowContrast": "The paper is blank, or its print is too pale.",
    "mismatchedBallotCardGeometries": "The two sides are of different lengths.",
    "mismatchedBallotMetadata": "The two sides belong to different ballots.",
    "missingGridLayout": "The election has no layout for this ballot style.",
    "missingTimingMarks": "The marks along the edges cannot be found or are too incomplete.",
    "noisyImage": "Specks all over the image hide what is on the ballot.",
    "stretchedSheet": "The sheet was stretched or slipped in the rollers.",
    "unexpectedDimensions": "The sheet has no ballot's size.",
    "verticalStreaksDetected": "Dirt on the scanner's glass draws a line over the ballot.",
    ReturnCode.INVALID_TEST_MODE: "This is not the kind of ballot (test or official) that is being cast now.",
    ReturnCode.INVALID_PRECINCT: "The ballot belongs to another precinct.",
}
