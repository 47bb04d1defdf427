"""File names made of what strangers call their files."""

from __future__ import annotations

import re
import string
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ingest.names import MOST_STEM_BYTES, key_of, planned_stems, safe_stem, unique_stem


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("acta-10205.jpg", "acta-10205"),
        ("a.b.JPEG", "a_b"),
        ("a.gif", "a_gif"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.png", "boot"),
        (".png", "image"),
        ("..", "image"),
        ("", "image"),
        ("--help", "help"),
        ("a\0b\n.png", "a_b"),
        ("aux.PNG", "aux_"),
        ("n\u0303.png", "ñ"),
        ("मतपत्र.png", "मतपत्र"),
        ("\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe.png", "gnp_exe"),
        ("\ud800.png", "image"),
    ],
)
def test_a_stem_is_recognisable_and_safe(name: str, stem: str) -> None:
    assert safe_stem(name) == stem


@given(st.text(st.characters()) | st.text(string.ascii_letters + "./\\-_\0:*?ñ", max_size=300))
def test_every_stem_is_a_name_everywhere(name: str) -> None:
    stem = safe_stem(name)
    assert stem
    assert len(stem.encode("utf-8")) <= MOST_STEM_BYTES + 1
    assert PurePosixPath(stem).parts == PureWindowsPath(stem).parts == (stem,)
    assert not re.fullmatch(r"(?i)con|prn|aux|nul|(com|lpt)\d", stem)
    assert stem[0] not in ".-_"
    assert stem.isprintable()
    assert not set(stem) & set(" ./\\:*?\"'<>|&%$;")


@given(
    st.lists(
        st.tuples(st.text(), st.sampled_from(["a.png", "A.jpg", "a", "b", "B.TIF", "ﬁ", "fi"])), unique_by=lambda one: one[0]
    )
)
def test_no_two_share_a_stem(named: list[tuple[str, str]]) -> None:
    stems = planned_stems(named, {})
    assert len({key_of(stem) for stem in stems.values()}) == len(named)
    assert planned_stems(named, {}) == stems


@given(st.lists(st.integers(0, 99), unique=True), st.sets(st.integers(0, 99)))
def test_what_a_stopped_run_named_keeps_its_name(numbers: list[int], done: set[int]) -> None:
    named = [(f"http://a.org/{number}/scan.png", "scan.png") for number in numbers]
    whole = planned_stems(named, {})
    first = {address: stem for (address, stem), number in zip(whole.items(), numbers, strict=True) if number in done}
    taken = {key_of(stem): address for address, stem in first.items()}
    rest = planned_stems([one for one in named if one[0] not in first], taken)
    assert {**first, **rest} == whole


def test_a_stem_that_is_taken_gets_the_owners_digits() -> None:
    assert unique_stem("a", "x", {}) == "a"
    assert unique_stem("a", "x", {key_of("A"): "x"}) == "a"
    assert unique_stem("a", "x", {key_of("A"): "y"}) == "a-2d711642"
    assert len(unique_stem("a", "x", {key_of("A"): "y", key_of("a-2d711642"): "z"})) == 66
