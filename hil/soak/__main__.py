"""`./dev soak`: thousands of sheets through the real daemon, with mishaps; after each the count must be the box.

Exit status 1 when the books ever differ from the box, when acceptance was signalled before it was written down, when the station
does not come back, or when the process grows.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from hil.soak.measures import Measure, Meter
from hil.soak.mishaps import KINDS
from hil.soak.soak import Mismatch, Tally, soak


def main(argv: list[str] | None = None) -> int:
    """Run the soak."""
    parser = argparse.ArgumentParser(prog="./dev soak", description=__doc__)
    parser.add_argument("--sheets", type=int, default=1_000, help="how many sheets (1000)")
    parser.add_argument("--seed", type=int, default=1, help="which sheets and which mishaps (1)")
    parser.add_argument("--rate", type=float, default=5.0, help="mishaps in percent of sheets (5)")
    parser.add_argument("--usbip", action="store_true", help="reach the scanner over USB/IP on the loopback interface")
    parser.add_argument("--folder", type=Path, help="an empty folder for the books; by default a temporary one")
    options = parser.parse_args(argv)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="soak-") as scratch:
        try:
            tally, meter = soak(
                options.folder or Path(scratch),
                sheets=options.sheets,
                seed=options.seed,
                rate=options.rate / 100,
                usbip=options.usbip,
                progress=_show,
            )
        except Mismatch as story:
            print(f"MISMATCH after {time.monotonic() - begun:.0f} s\n{story}", file=sys.stderr)
            return 1
    return _report(tally, meter)


def _show(measure: Measure, mishaps: int) -> None:
    end, start = ("", "\r") if sys.stdout.isatty() else ("\n", "")
    print(
        f"{start}{measure.sheets:6} sheets  {mishaps:4} mishaps  {measure.sheets / measure.seconds:5.1f} sheets/s  "
        f"{measure.rss_kb // 1024:4} MB  {measure.objects:6} objects  {measure.threads:2} threads  "
        f"{measure.descriptors:2} descriptors",
        end=end,
        flush=True,
    )


def _report(tally: Tally, meter: Meter) -> int:
    last = meter.measures[-1]
    print(f"\n{tally.sheets} sheets in {last.seconds:.0f} s; {tally.unsignalled} were counted and could not be signalled")
    print("\nmishap            times  impossible")
    for kind in KINDS:
        print(f"{kind:16} {tally.mishaps[kind]:6} {tally.impossible[kind]:11}")
    print("\nballot    its place at the end   sheets")
    for (kind, place), times in sorted(tally.ends.items()):
        print(f"{kind:9} {place:20} {times:8}")
    print("\nstate          reason                    times")
    for (state, reason), times in sorted(tally.states.items()):
        print(f"{state:14} {reason or '-':22} {times:8}")
    leaks = meter.leaks()
    for leak in leaks:
        print(f"LEAK: {leak}")
    print(f"\nthe count was the box after each of {tally.sheets} sheets" + ("" if leaks else "; nothing has grown"))
    return 1 if leaks else 0


if __name__ == "__main__":
    sys.exit(main())
