"""Where a scan stands, whatever the order in which things happen."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from firmware_bridge.pagescan6.sheet_scan import Phase, SheetScan
from firmware_bridge.scanner import ScanFailed

PIXELS = memoryview(b"pixels")


def scan(*steps: str) -> SheetScan:
    subject = SheetScan(100)
    for step in steps:
        if step == "pixels":
            subject.add(PIXELS)
        else:
            getattr(subject, step)()
    return subject


def test_pixels_before_the_beginning_belong_to_the_scan() -> None:
    subject = scan("want", "pixels", "begun", "pixels", "ended", "pixels")
    assert subject.hand_over() == b"pixels" * 3
    assert subject.finish() is None
    assert (subject.phase, subject.feeding, subject.streaming) == (Phase.OFF, False, False)


def test_pixels_of_nobody_are_forgotten() -> None:
    assert scan("pixels").hand_over() == b""
    assert scan("want", "pixels", "want").hand_over() == b""
    assert scan("want", "pixels", "abandon").hand_over() == b""


def test_nothing_may_be_sent_from_the_wish_to_the_end() -> None:
    assert not scan().feeding
    for steps in (["want"], ["want", "begun"], ["want", "begun", "ended"]):
        assert scan(*steps).feeding
    for steps in (["want", "abandon"], ["want", "begun", "abandon"], ["begun"], ["begun", "ended"], ["ended"]):
        assert not scan(*steps).feeding


def failure(*steps: str) -> str:
    failed = scan(*steps, "ended").finish()
    assert isinstance(failed, ScanFailed)
    assert failed.code == "scanUnreadable"
    return failed.detail


def test_what_spoils_a_scan() -> None:
    assert failure("want", "begun", "abandon") == "the scan was stopped on the way"
    assert failure("want") == "the end of a scan came without its beginning"
    assert failure() == "the end of a scan came without its beginning"
    assert failure("begun") == "the scanner took a sheet while the feeder was off"
    assert failure("want", "begun", "begun") == "a scan began before the end of the one before it"
    assert failure("want", "begun", "ended", "begun") == "a scan began before the end of the one before it"


def test_stopping_after_the_end_spoils_nothing() -> None:
    assert scan("want", "begun", "ended", "abandon").finish() is None


def test_lost_pixels_count_until_the_scan_is_over() -> None:
    assert not scan().overflowed()
    for steps in (["want"], ["want", "begun"], ["want", "begun", "ended"]):
        subject = scan(*steps)
        assert subject.overflowed()
        failed = subject.finish()
        assert failed is not None
        assert failed.code == "imageOverflow"
        assert subject.finish() is None


def test_memory_is_bounded() -> None:
    subject = scan("want", *["pixels"] * 100)
    assert 100 < len(subject.hand_over()) <= 106


@given(
    st.lists(st.sampled_from(["want", "abandon", "begun", "ended", "pixels", "overflowed", "finish", "hand_over"]), max_size=30)
)
def test_any_order_comes_to_rest(steps: list[str]) -> None:
    subject = scan(*steps)
    subject.ended()
    subject.finish()
    assert (subject.phase, subject.feeding, subject.streaming) == (Phase.OFF, False, False)
    subject.want()
    subject.begun()
    subject.add(PIXELS)
    subject.ended()
    assert subject.hand_over() == b"pixels"
    assert subject.finish() is None
