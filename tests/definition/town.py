"""A made-up town's election in both published schemas, small enough to read and rich enough to go wrong."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from typing import Any

from edge.definition.election import Election, load_election

VECTOR_HASH = bytes.fromhex("00112233445566778899")
"""The ballot hash of the published payload vectors."""

Json = dict[str, Any]


def _position(column: float, row: float, contest_id: str, **option: object) -> Json:
    kind = "write-in" if "writeInIndex" in option else "option"
    place = {"type": kind, "sheetNumber": 1, "side": "front", "column": column, "row": row, "contestId": contest_id}
    return place | option


_DOCUMENT: Json = {
    "title": "Mock Town Vote",
    "date": "2026-11-03",
    "seal": {"ignored": [1.5, None]},
    "ballotLayout": {"paperSize": "letter", "metadataEncoding": "qr-code"},
    "precincts": [{"id": f"p-{n}", "name": f"Precinct {n}"} for n in range(5)],
    "parties": [{"id": "hare", "name": "Hare"}, {"id": "fox", "name": "Fox"}],
    "ballotStyles": [
        {"id": "s0", "groupId": "g0", "precincts": ["p-0", "p-1"], "districts": ["d1"], "languages": ["en"]},
        {"id": "s1", "precincts": ["p-2"], "districts": ["d1", "d2"]},
        {"id": "s2", "precincts": ["p-3"], "districts": ["d3"]},
        {"id": "s3", "precincts": ["p-4"], "districts": ["d1"], "partyId": "hare"},
        {"id": "s4", "precincts": ["p-4"], "districts": ["d4"]},
        {"id": "s5", "precincts": ["p-4"], "districts": ["d5"]},
    ],
    "contests": [
        {
            "id": "dog",
            "type": "candidate",
            "districtId": "d1",
            "title": "Town Dog",
            "seats": 1,
            "allowWriteIns": True,
            "candidates": [{"id": "rex", "name": "Rex"}, {"id": "ada", "name": "Ada", "partyIds": ["fox"]}],
        },
        {
            "id": "park",
            "type": "yesno",
            "districtId": "d1",
            "title": "New Park",
            "yesOption": {"id": "park-y", "label": "Yes"},
            "noOption": {"id": "park-n", "label": "No"},
        },
        {
            "id": "board",
            "type": "candidate",
            "districtId": "d2",
            "title": "Board",
            "seats": 3,
            "allowWriteIns": True,
            "candidates": [{"id": f"b{n}", "name": f"B {n}"} for n in range(5)],
        },
        {
            "id": "clerk",
            "type": "candidate",
            "districtId": "d1",
            "partyId": "hare",
            "title": "Clerk",
            "seats": 1,
            "allowWriteIns": False,
            "candidates": [{"id": "pat", "name": "Pat"}],
        },
        {
            "id": "a",
            "type": "candidate",
            "districtId": "d3",
            "title": "A",
            "seats": 1,
            "allowWriteIns": True,
            "candidates": [{"id": f"a{n}", "name": f"A {n}"} for n in range(3)],
        },
        {
            "id": "b",
            "type": "yesno",
            "districtId": "d3",
            "title": "B",
            "options": [{"id": "b-y", "label": "Yes"}, {"id": "b-n", "label": "No"}],
        },
        {"id": "c", "type": "yesno", "districtId": "d3", "title": "C"},
        {"id": "slate", "type": "straight-party", "districtId": "d4", "title": "Slate", "optionIds": ["fox", "hare"]},
        {
            "id": "colour",
            "type": "yesno",
            "districtId": "d5",
            "title": "Colour",
            "options": [{"id": name, "label": name} for name in ("red", "green", "blue")],
        },
    ],
}

_GRID_LAYOUT: Json = {
    "ballotStyleId": "s0",
    "optionBoundsFromTargetMark": {"top": 0.8, "right": 9, "bottom": 0.8, "left": 1},
    "gridPositions": [
        _position(2, 9.25, "dog", optionId="rex"),
        _position(2, 10.75, "dog", optionId="ada"),
        _position(12, 10.75, "dog", optionId="ada"),
        _position(2, 12.5, "dog", writeInIndex=0, writeInArea={"x": 3, "y": 12.1, "width": 7, "height": 0.9}),
        _position(2, 6, "park", optionId="park-y") | {"side": "back"},
        _position(2, 7.5, "park", optionId="park-n") | {"side": "back"},
    ],
}


def _box(column: float, row: float) -> Json:
    return {"column": column - 1, "row": round(row - 0.8, 4), "width": 10, "height": 1.6}


def _option(column: float, row: float, option_id: str) -> Json:
    centre = {"row": row, "column": column}
    return {"type": "option", "bubbleCenter": centre, "bounds": _box(column, row), "optionId": option_id}


_BALLOT_POSITIONS: list[Any] = [
    [
        [
            {
                "contestId": "dog",
                "bounds": {"row": 8, "column": 1, "width": 20, "height": 6},
                "options": [
                    _option(2, 9.25, "rex"),
                    _option(2, 10.75, "ada"),
                    _option(12, 10.75, "ada"),
                    {
                        "type": "write-in",
                        "bubbleCenter": {"row": 12.5, "column": 2},
                        "bounds": _box(2, 12.5),
                        "writeInIndex": 0,
                        "writeInArea": {"row": 12.1, "column": 3, "width": 7, "height": 0.9},
                    },
                ],
            },
        ],
        [{"contestId": "park", "options": [_option(2, 6, "park-y"), _option(2, 7.5, "park-n")]}],
    ],
]


def machine_marked_document() -> Json:
    """No layout at all."""
    document = copy.deepcopy(_DOCUMENT)
    del document["ballotLayout"]
    return document


def old_document() -> Json:
    """Layout of style `s0` as `gridLayouts`."""
    return copy.deepcopy(_DOCUMENT | {"gridLayouts": [_GRID_LAYOUT]})


def new_document() -> Json:
    """The same layout as `ballotPositions`."""
    document = copy.deepcopy(_DOCUMENT)
    document["ballotStyles"][0]["ballotPositions"] = copy.deepcopy(_BALLOT_POSITIONS)
    return document


def raw(document: object) -> bytes:
    """The file's bytes."""
    return json.dumps(document).encode()


def load(document: object) -> Election:
    """The election of a document."""
    return load_election(raw(document))


def vector_election() -> Election:
    """The town with the ballot hash of the published vectors."""
    return replace(load(old_document()), ballot_hash=VECTOR_HASH)
