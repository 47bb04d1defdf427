"""The leg through the kernel: said once that it is missing, instead of with every test; and how a device is attached."""

from __future__ import annotations

from pathlib import Path

import pytest

from hil.scanner.emulator import EmulatedScanner
from hil.usbip.server import UsbipServer
from tests.contract.legs import LEGS, WITHOUT_KERNEL
from tests.contract.vhci import KernelCable

STATUS = """\
hub port sta spd dev      sockfd local_busid
hs  0000 006 003 00010002 000003 1-1
hs  0001 004 000 00000000 000000 0-0
ss  0008 004 000 00000000 000000 0-0
"""


def test_the_contract_is_kept_by_a_device_that_the_kernel_has() -> None:
    if "kernel" not in LEGS:
        pytest.skip(WITHOUT_KERNEL)


def test_the_kernel_is_given_the_connection_at_the_first_free_port(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS)
    with (
        EmulatedScanner() as scanner,
        UsbipServer({"1-1": scanner}) as server,
        KernelCable(scanner, server.port, "1-1", tmp_path),
    ):
        port, _descriptor, devid, speed = map(int, (tmp_path / "attach").read_text().split())
        assert (port, devid, speed) == (1, 1 << 16 | 2, 3)


def test_without_a_free_port_nothing_is_attached(tmp_path: Path) -> None:
    (tmp_path / "status").write_text(STATUS.replace("004", "006"))
    with (
        EmulatedScanner() as scanner,
        UsbipServer({"1-1": scanner}) as server,
        pytest.raises(OSError, match="no port"),
        KernelCable(scanner, server.port, "1-1", tmp_path),
    ):
        pass
