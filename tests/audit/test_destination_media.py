"""Real media that are too small, write-protected, lie about their room or are pulled out, in mount namespaces of their own.

The tests start this file as a program under `unshare`: it mounts what it needs, and nothing of that is seen outside. Where the
machine does not allow it, a test is skipped and says what was refused.
"""

from __future__ import annotations

import fcntl
import os
import resource
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.audit.content import export_files
from edge.audit.export import Phase, export
from edge.audit.layout import MANIFEST, MANIFEST_SIGNATURE
from edge.audit.manifest import ExportError, parse_manifest
from tests.audit.archive_fake import FakeArchive, archive

ROOT = Path(__file__).resolve().parents[2]
SKIPPED = 77
MEGABYTE = 1 << 20
SHUT_DOWN, WITHOUT_FLUSH = 0x8004587D, struct.pack("I", 2)
"""Linux's way to let a file system die at once, as if its medium were pulled out."""
PUNCH_HOLE, KEEP_SIZE = 2, 1

Progress = Callable[[int, int, Phase], None]


class RefusedError(Exception):
    """The machine does not allow what a scenario needs."""


def run(*command: str | Path) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout.strip()


def evidence() -> FakeArchive:
    return archive(cast=1, returned=0)


def tmpfs(root: Path, size: int) -> Path:
    stick = root / "tmpfs"
    stick.mkdir()
    run("mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", stick)
    return stick


def disk(root: Path, kind: str = "ext4", size: int = 32 * MEGABYTE) -> tuple[Path, Path]:
    """A file system in a file: the file, and where it is mounted."""
    image, stick = root / "image", root / "stick"
    stick.mkdir()
    with image.open("wb") as file:
        file.truncate(size)
    if kind == "exfat":
        if shutil.which("mkfs.exfat") is None or shutil.which("mount.exfat-fuse") is None:
            raise RefusedError("exfat: this machine has no mkfs.exfat or no mount.exfat-fuse")
        run("mkfs.exfat", image)
        device = run("losetup", "--find", "--show", image)
        try:
            run("mount.exfat-fuse", "-o", "umask=0077", device, stick)
        finally:
            run("losetup", "--detach", device)  # takes effect when it is no longer mounted
        return image, stick
    if kind == "ext4":
        run("mkfs.ext4", "-q", "-F", "-E", "lazy_itable_init=1,lazy_journal_init=1,nodiscard", "-J", "size=1", image)
    else:
        if shutil.which("mkfs.vfat") is None or "vfat" not in Path("/proc/filesystems").read_text("ascii"):
            raise RefusedError("vfat: this machine has no mkfs.vfat, or its kernel does not know vfat")
        run("mkfs.vfat", image)
    run("mount", "-o", "loop", image, stick)
    return image, stick


def outcome(stick: Path, at: Progress = lambda _done, _total, _phase: None, *forbidden: Path) -> str:
    """The code of what went wrong, after a look at what was left; empty when nothing did."""
    code = bare_outcome(stick, at, *forbidden)
    if code:
        assert not list(stick.rglob("MANIFEST*")), code
    else:
        check_whole(stick)
    return code


def bare_outcome(stick: Path, at: Progress, *forbidden: Path) -> str:
    """The code of what went wrong; empty when nothing did."""
    try:
        export(evidence(), stick, at, forbidden=forbidden)
    except ExportError as error:
        return error.code
    return ""


def check_whole(stick: Path) -> None:
    (made,) = stick.glob("scrutineer-*")
    files = {str(path.relative_to(made)): path.read_bytes() for path in made.rglob("*") if path.is_file()}
    assert parse_manifest(files.pop(MANIFEST)).origin == evidence().origin
    assert files.pop(MANIFEST_SIGNATURE)
    assert files == dict(export_files(evidence()))


def half_way(action: Callable[[], object], phase: Phase = Phase.WRITING) -> Progress:
    done_once: list[bool] = []

    def at(done: int, total: int, now: Phase) -> None:
        if now is phase and 2 * done >= total > 0 and not done_once:
            done_once.append(True)
            action()

    return at


# The scenarios, each in a process of its own.


def too_small(root: Path) -> str:
    return outcome(tmpfs(root, MEGABYTE))


def large_enough(root: Path) -> str:
    return outcome(tmpfs(root, 4 * MEGABYTE))


def filled_by_somebody_else(root: Path) -> str:
    stick = tmpfs(root, 4 * MEGABYTE)

    def fill() -> None:
        with (stick / "film").open("wb", buffering=0) as file:
            while file.write(bytes(4096)) == 4096:
                pass

    def fill_until_refused() -> None:
        try:
            fill()
        except OSError:
            return

    return outcome(stick, half_way(fill_until_refused))


def made_read_only(root: Path) -> str:
    stick = tmpfs(root, 4 * MEGABYTE)
    return outcome(stick, half_way(lambda: run("mount", "-o", "remount,ro", stick)))


def read_only(root: Path) -> str:
    (root / "real").mkdir()
    (root / "seen").mkdir()
    run("mount", "--bind", root / "real", root / "seen")
    run("mount", "-o", "remount,bind,ro", root / "seen")
    code = outcome(root / "seen")
    assert not list((root / "real").iterdir())
    return code


def evidence_by_another_way(root: Path) -> str:
    (root / "evidence" / "label").mkdir(parents=True)
    (root / "seen").mkdir()
    run("mount", "--bind", root / "evidence" / "label", root / "seen")
    return outcome(root / "seen", lambda _done, _total, _phase: None, root / "evidence")


def limited(root: Path) -> str:
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, resource.RLIM_INFINITY))
    return outcome(root)


def sound_disk(root: Path) -> str:
    return outcome(disk(root)[1])


def fat(root: Path) -> str:
    return outcome(disk(root, "vfat", 64 * MEGABYTE)[1])


def exfat(root: Path) -> str:
    _, stick = disk(root, "exfat", 64 * MEGABYTE)
    code = outcome(stick)
    times = {path.stat().st_mtime for made in stick.iterdir() for path in (made, *made.rglob("*"))}
    assert len(times) == 1, times
    run("umount", stick)
    return code


def forgets_what_is_written(root: Path) -> str:
    """The blocks of the medium turn to zeros behind the system's back: only reading them again can tell."""
    image, stick = disk(root)
    picture = b"\x89PNG"

    def forget() -> None:
        content = image.read_bytes()
        place = content.find(picture)
        assert place > 0
        with image.open("r+b") as file:
            file.seek(place // 4096 * 4096)
            file.write(bytes(4096))
            os.fsync(file.fileno())

    return outcome(stick, lambda done, _total, phase: forget() if phase is Phase.CHECKING and not done else None)


def less_room_than_it_says(root: Path) -> str:
    """A disk of 32 MB in a file that can grow by 100 kB."""
    store = tmpfs(root, 8 * MEGABYTE)
    image, stick = disk(store)
    os.sync()
    used = image.stat().st_blocks * 512
    run("mount", "-o", f"remount,size={used + 100_000}", store)
    return bare_outcome(stick, lambda _done, _total, _phase: None)


def pulled_out(root: Path) -> str:
    _, stick = disk(root)
    top = os.open(stick, os.O_RDONLY)
    try:
        return bare_outcome(stick, half_way(lambda: fcntl.ioctl(top, SHUT_DOWN, WITHOUT_FLUSH)))
    finally:
        os.close(top)


def pulled_out_at_the_end(root: Path) -> str:
    """The medium is pulled out, without another write, the moment an export is told to be made: it is whole."""
    image, stick = disk(root)
    code = bare_outcome(stick, lambda _done, _total, _phase: None)
    again(image, stick)
    check_whole(stick)
    return code


def pulled_out_again_and_again(root: Path) -> str:
    """Pulled out after every third file that was written, and after the last: where there is a signed manifest, all is there."""
    image, stick = disk(root)
    counted: list[int] = []
    outcome(stick, lambda done, _total, phase: counted.append(done) if phase is Phase.WRITING else None)
    found = 0
    for fatal in (*counted[:-1:3], *counted[-2:]):
        again(image, stick)
        for made in stick.glob("scrutineer-*"):
            shutil.rmtree(made)
        os.sync()
        top = os.open(stick, os.O_RDONLY)

        def at(done: int, _total: int, phase: Phase, fatal: int = fatal, top: int = top) -> None:
            if phase is Phase.WRITING and done == fatal:
                fcntl.ioctl(top, SHUT_DOWN, WITHOUT_FLUSH)

        assert bare_outcome(stick, at), fatal
        os.close(top)
        again(image, stick)
        if list(stick.rglob(MANIFEST_SIGNATURE)):
            found += 1
            check_whole(stick)
    assert found <= 1
    return ""


def again(image: Path, stick: Path) -> None:
    """Let the file system die, and mount it again as it is on the medium."""
    top = os.open(stick, os.O_RDONLY)
    fcntl.ioctl(top, SHUT_DOWN, WITHOUT_FLUSH)
    os.close(top)
    run("umount", stick)
    run("mount", "-o", "loop", image, stick)


SCENARIOS: dict[str, tuple[Callable[[Path], str], str]] = {
    scenario.__name__: (scenario, code)
    for scenario, code in (
        (too_small, "destinationFull"),
        (large_enough, ""),
        (filled_by_somebody_else, "destinationFull"),
        (made_read_only, "destinationReadOnly"),
        (read_only, "destinationReadOnly"),
        (evidence_by_another_way, "destinationIsEvidence"),
        (limited, "destinationFileTooLarge"),
        (sound_disk, ""),
        (fat, ""),
        (exfat, ""),
        (forgets_what_is_written, "destinationUntrue"),
        (less_room_than_it_says, "destinationGone"),
        (pulled_out, "destinationGone"),
        (pulled_out_at_the_end, ""),
        (pulled_out_again_and_again, ""),
    )
}


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_real_medium(tmp_path: Path, name: str) -> None:
    if shutil.which("unshare") is None:
        pytest.skip("there is no unshare on this machine")
    command = ("unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tests.audit.test_destination_media")
    done = subprocess.run([*command, name, tmp_path], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode == SKIPPED or (done.returncode and done.stderr.startswith("unshare:")):
        pytest.skip((done.stdout or done.stderr).strip())
    assert (done.returncode, done.stdout, done.stderr) == (0, SCENARIOS[name][1], "")


def main() -> int:
    """Play the scenario named on the command line in the folder named behind it."""
    try:
        sys.stdout.write(SCENARIOS[sys.argv[1]][0](Path(sys.argv[2])))
    except RefusedError as error:
        sys.stdout.write(f"refused here: {error}")
        return SKIPPED
    return 0


if __name__ == "__main__":
    sys.exit(main())
