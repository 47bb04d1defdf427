"""Form templates: the shipped ones are whole, and whatever is wrong with one is refused."""

from __future__ import annotations

import hashlib
import itertools
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.definition.box import Box
from edge.definition.errors import DefinitionError
from edge.definition.form import (
    MAX_FORM_BYTES,
    Form,
    FormField,
    form_sha256,
    load_form,
    rule_fields,
    shipped_form,
    shipped_forms,
)

FORM = b"""
format = "scrutineer-form-1"
name = "small"
title = "A small form"
size = [20000, 20000]

[colours]
pen = ["blue", "black"]
print = ["red", "grey"]

[registration]
frames = [[500, 1000, 400, 900]]
brackets = [[0, 0, 300, 300]]

[[groups]]
name = "votes"
title = "Votes"
x = 1000
width = 3000
height = 900
cells = 3
rows = [{ name = "a", label = "A", y = 1000 }, { name = "sum", label = "Sum", y = 3000 }]

[[fields]]
name = "voters"
label = "Voters"
written = "print"
boxes = [[9000, 1000, 3001, 900]]
cells = 3

[[fields]]
name = "closed"
label = "Closed"
kind = "time"
boxes = [[9000, 5000, 2000, 900], [12000, 5000, 2000, 900]]
cells = 2

[[codes]]
name = "station"
label = "Station"
digits = [4, 8]
barcodes = ["code128"]
print = [[9000, 9000, 2000, 900]]

[[extents]]
name = "table"
groups = ["votes"]

[[rules]]
kind = "sum"
name = "total"
addends = ["votes.a"]
total = "votes.sum"

[[rules]]
kind = "at-most"
name = "bound"
fields = ["votes.sum"]
bound = "voters"
"""


def refusal(raw: bytes) -> str:
    with pytest.raises(DefinitionError) as caught:
        load_form(raw)
    assert caught.value.code == "invalidForm"
    assert caught.value.detail
    return caught.value.detail


@pytest.fixture(scope="module", params=shipped_forms())
def shipped(request: pytest.FixtureRequest) -> Form:
    return load_form(shipped_form(request.param))


def test_two_forms_are_shipped_at_least() -> None:
    assert set(shipped_forms()) >= {"bo-2019-a1", "lumen-harbour"}


def test_a_shipped_form_is_called_as_its_file(shipped: Form) -> None:
    assert shipped.name in shipped_forms()
    assert shipped.sha256 == form_sha256(shipped_form(shipped.name)) == hashlib.sha256(shipped_form(shipped.name)).hexdigest()


def test_a_shipped_form_can_be_found_read_and_checked(shipped: Form) -> None:
    assert shipped.registration.frames
    assert shipped.rules
    assert shipped.codes
    assert shipped.extents
    for extent in shipped.extents:
        assert any(set(rule_fields(rule)) <= shipped.names_on(extent.name) for rule in shipped.rules)


def test_the_bolivian_form_has_the_rows_and_rules_of_its_law() -> None:
    form = load_form(shipped_form("bo-2019-a1"))
    rows = ["CC", "FPV", "MTS", "UCS", "MAS-IPSP", "21F", "PDC", "MNR", "PAN-BOL", "validos", "blancos", "nulos"]
    assert list(form.by_name) == [
        *(f"{group}.{row}" for group in ("presidente", "diputado") for row in rows),
        *("apertura", "cierre", "habilitados", "papeletas_en_anfora", "emitieron_voto"),
    ]
    rules = {rule.name: rule_fields(rule) for rule in form.rules}
    for group in ("presidente", "diputado"):
        assert rules[f"{group}-validos"] == tuple(f"{group}.{row}" for row in rows[:10])
        assert rules[f"{group}-papeletas"] == (*(f"{group}.{row}" for row in rows[9:]), "papeletas_en_anfora")
    counts = [name for name, field in form.by_name.items() if field.kind == "count"]
    assert sorted(rules["habilitados"]) == sorted(counts)
    assert form.by_name["habilitados"].written == "print"
    assert form.names_on("table") == set(list(form.by_name)[:24])


def test_a_form_is_what_its_file_says() -> None:
    form = load_form(FORM)
    assert list(form.by_name) == ["votes.a", "votes.sum", "voters", "closed"]
    assert form.by_name["votes.sum"] == FormField(name="votes.sum", label="Sum", boxes=(Box(1000, 3000, 3000, 900),), cells=3)
    assert form.names_on("sheet") == {"votes.a", "votes.sum", "voters", "closed", "station"}
    assert form.names_on("table") == {"votes.a", "votes.sum"}
    with pytest.raises(KeyError):
        form.names_on("margin")
    assert form.colours.channels == (0, 1)
    assert form.sha256 == hashlib.sha256(FORM).hexdigest()
    again = pickle.loads(pickle.dumps(form))  # noqa: S301  our own bytes: forms go to other processes
    assert (again, again.sha256) == (form, form.sha256)


def test_cells_are_of_even_width_in_reading_order() -> None:
    form = load_form(FORM)
    assert form.by_name["voters"].cell_boxes() == (
        Box(9000, 1000, 1000, 900),
        Box(10000, 1000, 1000, 900),
        Box(11000, 1000, 1001, 900),
    )
    lefts = [box.x for box in form.by_name["closed"].cell_boxes()]
    assert lefts == [9000, 10000, 12000, 13000]


@given(x=st.integers(0, 9000), width=st.integers(12, 9000), cells=st.integers(1, 12))
def test_cells_fill_their_box(x: int, width: int, cells: int) -> None:
    boxes = FormField(name="f", label="", boxes=(Box(x, 0, width, 5),), cells=cells).cell_boxes()
    assert (boxes[0].x, boxes[-1].x + boxes[-1].width) == (x, x + width)
    assert all(one.x + one.width == other.x for one, other in itertools.pairwise(boxes))
    assert max(box.width for box in boxes) - min(box.width for box in boxes) <= 1


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (b'format = "scrutineer-form-1"', b'format = "scrutineer-form-2"', "format"),
        (b'title = "A small form"\n', b"", "title"),
        (b'title = "A small form"', b'title = "A small form"\ntitel = "A"', "titel"),
        (b"addends =", b'adends = ["votes.a"]\naddends =', "adends"),
        (b'label = "A", y', b'lable = "A", label = "A", y', "lable"),
        (b"size = [20000, 20000]", b"size = [20000.0, 20000]", "size"),
        (b"size = [20000, 20000]", b"size = [900, 20000]", "size"),
        (b"size = [20000, 20000]", b"size = [10000, 20000]", "outside the sheet"),
        (b"cells = 3", b"cells = true", "cells"),
        (b"cells = 3", b"cells = 0", "cells"),
        (b'pen = ["blue", "black"]', b"pen = []", "pen"),
        (b'pen = ["blue", "black"]', b'pen = ["pink"]', "pen"),
        (b'pen = ["blue", "black"]', b'pen = ["blue", "red", "green"]', "no colour channel"),
        (b'print = ["red", "grey"]', b'print = ["blue"]', "blue print cannot be told from the pens"),
        (b"[9000, 1000, 3001, 900]", b"[9000, 1000, 3001, true]", "whole numbers"),
        (b"[9000, 1000, 3001, 900]", b"[9000, 1000, 3001]", "whole numbers"),
        (b"[9000, 1000, 3001, 900]", b"[9000, -1, 3001, 900]", "has a size"),
        (b"[9000, 1000, 3001, 900]", b"[9000, 1000, 0, 900]", "has a size"),
        (b"[9000, 1000, 3001, 900]", b"[3999, 1000, 3001, 900]", "overlap"),
        (b"y = 3000", b"y = 1899", "overlap"),
        (b"[500, 1000, 400, 900]", b"[500, 1000, 501, 900]", "overlap"),
        (b'name = "voters"', b'name = "closed"', "'closed' is there twice"),
        (b'name = "station"', b'name = "voters"', "'voters' is there twice"),
        (b'name = "sum", label', b'name = "a", label', "'votes.a' is there twice"),
        (b'name = "total"', b'name = "bound"', "'bound' is there twice"),
        (b'name = "table"', b'name = "sheet"', "'sheet' is there twice"),
        (b'name = "votes"', b'name = "the.votes"', "name"),
        (b'name = "votes"', b'name = "votes\\n"', "name"),
        (b'name = "small"', b'name = "../small"', "name"),
        (b'groups = ["votes"]', b'groups = ["notes"]', "extent table"),
        (b'groups = ["votes"]', b"", "extent table"),
        (b'groups = ["votes"]', b'fields = ["nowhere"]', "extent table"),
        (b'addends = ["votes.a"]', b'addends = ["votes.b"]', "rule total: 'votes.b' is no count"),
        (b'addends = ["votes.a"]', b'addends = ["closed"]', "rule total: 'closed' is no count"),
        (b'addends = ["votes.a"]', b'addends = ["station"]', "rule total: 'station' is no count"),
        (b'addends = ["votes.a"]', b'addends = ["votes.a", "votes.a"]', "rule total: field 'votes.a' is there twice"),
        (b'total = "votes.sum"', b'total = "votes.a"', "rule total: field 'votes.a' is there twice"),
        (b'addends = ["votes.a"]', b"addends = []", "addends"),
        (b'kind = "sum"', b'kind = "difference"', "rules"),
        (b'kind = "time"', b'kind = "date"', "kind"),
        (b"[12000, 5000, 2000, 900]]\ncells = 2", b"[12000, 5000, 2000, 900]]\ncells = 3", "four cells"),
        (b"digits = [4, 8]", b"digits = [8, 4]", "digits"),
        (b'barcodes = ["code128"]\nprint = [[9000, 9000, 2000, 900]]', b"", "printed somehow"),
        (b'barcodes = ["code128"]', b'barcodes = ["qr"]', "barcodes"),
        (b"[[rules]]", b"[[rules", "line"),
        (b"A small form", b"A sm\xe4ll form", "utf-8"),
    ],
)
def test_what_is_wrong_is_refused_and_told(old: bytes, new: bytes, said: str) -> None:
    assert FORM.count(old) >= 1
    assert said in refusal(FORM.replace(old, new, 1))


def test_a_form_without_fields_is_refused() -> None:
    head = FORM[: FORM.index(b"[registration]")]
    assert "fields" in refusal(head)


def test_boxes_may_share_an_edge() -> None:
    load_form(FORM.replace(b"[9000, 1000, 3001, 900]", b"[4000, 1000, 3001, 900]"))
    load_form(FORM.replace(b"y = 3000", b"y = 1900"))


def test_a_huge_file_is_refused() -> None:
    assert "larger than" in refusal(FORM + b"#" * MAX_FORM_BYTES)


def test_deep_nesting_is_refused() -> None:
    refusal(b"a = " + b"[" * 50_000)


@pytest.mark.parametrize("name", ["nowhere", "../errors", "bo-2019-a1.toml", "", "a" * 300, "bo-2019-a1\n"])
def test_a_form_that_is_not_shipped_is_refused(name: str) -> None:
    with pytest.raises(DefinitionError) as caught:
        shipped_form(name)
    assert caught.value.code == "unknownForm"
    assert "bo-2019-a1" in caught.value.detail


@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_are_refused_in_good_order(raw: bytes) -> None:
    refusal(raw)


@given(start=st.integers(0, len(FORM)), length=st.integers(0, 40), new=st.binary(max_size=8))
def test_a_damaged_form_is_refused_or_still_a_form(start: int, length: int, new: bytes) -> None:
    try:
        form = load_form(FORM[:start] + new + FORM[start + length :])
    except DefinitionError:
        return
    assert all(set(rule_fields(rule)) <= set(form.by_name) for rule in form.rules)
