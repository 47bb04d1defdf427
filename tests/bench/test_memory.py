"""How much memory a sheet takes beyond its two images, on a board that has little."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.ballot.sheets import blank_sheet, definition, filled

ROOT = Path(__file__).resolve().parents[2]
MOST_MEGABYTES = 60

# The libraries are loaded and used once on a small sheet before measuring, and the images of the real one are already in memory.
# The most that was ever in use is compared with what was in use just before; an older peak can only make the difference larger.
# (getrusage would tell the peak of the process that started this one.)
PROGRAM = """
import sys
from pathlib import Path
import numpy as np
from edge.ballot.interpret import ScannedSheet, interpret
from edge.definition.election import load_election
from edge.definition.settings import SystemSettings

def kilobytes(name):
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name + ":")).split()[1])

election = load_election(Path(sys.argv[1]).read_bytes())
front, back = (np.load(path) for path in sys.argv[2:])
small = np.zeros((220, 170), np.uint8)
small[10:-10, 10:-10] = 255
interpret(ScannedSheet(small, small), election, SystemSettings())
in_use = kilobytes("VmRSS")
reading = interpret(ScannedSheet(front, back), election, SystemSettings())
assert reading.kind == "handMarked" and reading.votes
print(kilobytes("VmHWM") - in_use)
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory in use is read from /proc")
def test_a_letter_sheet_takes_little_memory_beyond_its_images(tmp_path: Path) -> None:
    marked = filled(blank_sheet())
    paths = [tmp_path / f"{side}.npy" for side in ("front", "back")]
    for path, pixels in zip(paths, (marked.front, marked.back), strict=True):
        np.save(path, pixels)
    election = tmp_path / "election.json"
    election.write_bytes(definition())
    command = [sys.executable, "-c", PROGRAM, str(election), *map(str, paths)]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) <= MOST_MEGABYTES * 1000
