"""Taking a scanner, losing it, and taking it again."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from firmware_bridge.scanner import Scanner, ScannerError, ScannerLost
from hil.scanner.faults import ANSWERS, COMMANDS, PIXELS, Event, ImageByte, Late, Reboot, Silent, Stall, Transfer, Trigger, Yank
from hil.scanner.knobs import Behaviour
from tests.contract.conftest import SetTable
from tests.contract.table import IMAGE_BYTES, Table, noise

HUNDREDS = 200


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def refuses(driver: Scanner) -> bool:
    with pytest.raises(ScannerError):
        driver.sensors()
    return True


def refused(bench: Table, **changes: Any) -> str:  # noqa: ANN401 -- settings
    with pytest.raises(ScannerError) as error:
        bench.connect(**changes)
    return error.value.code


def test_it_says_who_it_is(bench: Table) -> None:
    identity = bench.connect()[0].identity
    assert (identity.family, identity.product, identity.serial_number) == ("pagescan6", "9072", "00C0FFEE")


def test_only_scanners_on_the_list_are_taken(bench: Table) -> None:
    assert refused(bench, allowed_serial_numbers=("0BADCAFE",)) == "scannerNotAllowed"
    assert bench.connect(allowed_serial_numbers=("0BADCAFE", "00c0ffee"))[0].identity.serial_number == "00C0FFEE"


def test_one_host_at_a_time(bench: Table, tmp_path: Path) -> None:
    first, _ = bench.connect(lock_file=tmp_path / "lock")
    assert refused(bench, lock_file=tmp_path / "lock") == "scannerBusy"
    with pytest.raises(ScannerError) as error:
        bench.connect(host=bench.new_host)
    assert error.value.code == "scannerBusy"
    assert not first.sensors().jammed
    first.close()
    assert not bench.connect(host=bench.new_host)[0].sensors().jammed


def test_a_scanner_that_is_not_there_is_not_found(bench: Table) -> None:
    bench.scanner.unplug()
    assert refused(bench) == "scannerNotFound"
    bench.scanner.plug()
    assert not bench.connect()[0].sensors().feeding


def test_a_scanner_that_is_deaf_until_check_bytes_are_looked_at(set_table: SetTable) -> None:
    driver, _ = set_table(Behaviour(flat_tables=True, answers_before_crc=False)).connect()
    assert not driver.sensors().front


def test_a_scanner_that_says_nothing_is_silent(bench: Table) -> None:
    bench.scanner.inject(Silent(seconds=60))
    assert refused(bench, greet_seconds=0.5) == "scannerSilent"


def test_a_boot_that_would_eject_is_set_to_leave_the_sheet_alone(set_table: SetTable) -> None:
    bench = set_table(Behaviour(flat_tables=True, register_9=0, boot_rear_value=0, path_inches=1.0))
    driver, heard = bench.connect()
    bench.feed(driver, heard, noise("one"))
    bench.scanner.cut_power()
    bench.scanner.restore_power()
    assert bench.until(lambda: bench.scanner.describe().plugged)
    assert bench.scanner.where("one") == "escrow"


def test_a_late_status_is_awaited_and_one_that_is_too_late_is_silence(bench: Table) -> None:
    driver, _ = bench.connect()
    bench.scanner.inject(Late(seconds=0.25, at=Transfer(ANSWERS)))
    assert not driver.sensors().jammed
    bench.scanner.inject(Late(seconds=0.8, at=Transfer(ANSWERS)))
    with pytest.raises(ScannerError) as error:
        driver.sensors()
    assert error.value.code == "scannerSilent"


@pytest.mark.parametrize("endpoint", [COMMANDS, ANSWERS, PIXELS])
def test_a_stall_ends_the_connection_and_the_next_one_is_good(bench: Table, endpoint: int) -> None:
    driver, heard = bench.connect()
    bench.scanner.inject(Stall(endpoint=endpoint))
    if endpoint == COMMANDS:
        # It is noticed by whoever writes first.
        assert refuses(driver)
    assert heard.until(ScannerLost).code == "scannerDisconnected"
    driver.close()
    again, _ = bench.connect()
    assert not again.sensors().jammed


MIDDLE = IMAGE_BYTES // 2


@pytest.mark.parametrize(
    "at",
    [ImageByte(0), ImageByte(1), ImageByte(MIDDLE), ImageByte(MIDDLE + 1), ImageByte(IMAGE_BYTES), Event("30"), Event("31")],
    ids=str,
)
def test_a_cable_that_is_pulled_during_a_scan(bench: Table, at: Trigger) -> None:
    driver, heard = bench.connect()
    driver.start_feeding()
    bench.scanner.inject(Yank(at=at))
    bench.scanner.insert(noise("one"))
    assert heard.until(ScannerLost).code == "scannerDisconnected"
    with pytest.raises(ScannerError, match="scannerDisconnected"):
        driver.sensors()
    bench.scanner.plug()
    again, _ = bench.connect()
    # The scanner went on without a host.
    assert bench.until(lambda: bench.scanner.describe().motion == "still")
    assert again.sensors().sheet_inside
    again.return_sheet()
    assert bench.until(lambda: bench.scanner.where("one") == "front")
    bench.scanner.remove()
    assert not again.sensors().sheet_inside


def test_a_reboot_is_a_loss_and_the_sheet_is_still_there(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.feed(driver, heard, noise("one"))
    bench.scanner.inject(Reboot())
    assert heard.until(ScannerLost).code == "scannerDisconnected"
    assert bench.until(lambda: bench.scanner.describe().plugged)
    again, _ = bench.connect()
    assert again.sensors().rear


def test_a_loss_is_told_once_and_after_close_nothing_is(bench: Table) -> None:
    driver, heard = bench.connect()
    bench.scanner.unplug()
    assert [type(event) for event in heard.rest(0.2)] == [ScannerLost]
    driver.close()
    driver.close()
    bench.scanner.plug()
    again, silent = bench.connect()
    again.close()
    bench.scanner.unplug()
    assert silent.rest(0.1) == []


def test_hundreds_of_connections_leave_nothing_behind(bench: Table) -> None:
    def come_and_go(number: int) -> None:
        driver, heard = bench.connect(idle_read_seconds=0.002)
        assert not driver.sensors().feeding
        if number % 10 == 0:
            bench.scanner.unplug()
            heard.until(ScannerLost)
            bench.scanner.plug()
        driver.close()

    for number in range(5):
        come_and_go(number)
    before = threading.active_count(), descriptors()
    for number in range(HUNDREDS):
        come_and_go(number)
    assert bench.until(lambda: threading.active_count() <= before[0])
    assert descriptors() <= before[1]


def test_an_idle_connection_sends_nothing(bench: Table) -> None:
    driver, heard = bench.connect()
    driver.start_feeding()
    said = bench.scanner.heard()
    assert heard.rest(0.3) == []
    assert bench.scanner.heard() == said
