"""`scrutineer-models ingest SOURCE... --out DIR`: bring images together, from folders and addresses, checked and remembered.

DIR gets `images/`, the images; `manifest.jsonl`, a line an address; and, while it works, `.unfinished/`, what has come of them.
A second run checks the images that are there against their checksums and gets only what is missing or damaged.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import queue
import random
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from edge.commands.error import CommandError
from models.commands.arguments import Commands, seconds, whole
from models.ingest.addresses import Source, read_sources, request_of
from models.ingest.content import Content, ContentError, checked
from models.ingest.manifest import Entry, Manifest, is_whole
from models.ingest.names import key_of, planned_stems, unique_stem
from models.ingest.schedule import Job, Schedule, backoff_s
from models.ingest.transfer import Copy, Limits, PartFile, Transfer, TransferError
from models.progress import Progress
from models.sums import sha256_of

EXIT_ALL, EXIT_NOT_ALL = 0, 1
IMAGES, UNFINISHED = "images", ".unfinished"
_LOCK = ".lock"
_MOST_CONTENT_TRIES = 2
"""What came whole and is no image may have been a passing message of the server; it is asked for once more."""
_TOLD = 20
"""Failures that are told one by one; the manifest has all."""
_TICK_S = 0.1
_LAST_WORDS_S = 2.0


def add_parser(commands: Commands) -> None:
    """Add the sub-command."""
    parser = commands.add_parser(
        "ingest",
        help="bring images together from folders and addresses",
        description="Copy or download images into DIR/images, check them, and note each in DIR/manifest.jsonl. "
        "Started again, it goes on where it stopped, and checks what is there.",
        epilog="exit status: 0 all are there, 1 some could not be had, 2 wrong use, 130 interrupted",
        allow_abbrev=False,
    )
    parser.add_argument(
        "sources",
        metavar="SOURCE",
        nargs="+",
        help="a folder, a text or .csv file with addresses, an address, or - for standard input",
    )
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help="where to; made if it is not there")
    parser.add_argument(
        "--names", choices=("original", "sha256"), default="original", help="what the images are called (original)"
    )
    parser.add_argument("--connections", metavar="N", type=whole(1, 64), default=8, help="at a time (8)")
    parser.add_argument("--per-host", metavar="N", type=whole(1, 64), default=2, help="connections to one host at a time (2)")
    parser.add_argument("--delay", metavar="S", type=seconds(0, 3600), default=0.2, help="between requests to one host (0.2)")
    parser.add_argument("--tries", metavar="N", type=whole(1, 100), default=5, help="for each image (5)")
    parser.add_argument(
        "--first-wait", metavar="S", type=seconds(0, 60), default=1.0, help="after a failed try, then doubled (1)"
    )
    parser.add_argument(
        "--longest-wait", metavar="S", type=seconds(0, 86400), default=120.0, help="that a server may ask for (120)"
    )
    parser.add_argument("--connect-timeout", metavar="S", type=seconds(0.01, 600), default=10.0, help="for a connection (10)")
    parser.add_argument("--read-timeout", metavar="S", type=seconds(0.01, 3600), default=30.0, help="without a byte (30)")
    parser.add_argument("--try-timeout", metavar="S", type=seconds(0.01, 86400), default=600.0, help="for one try in all (600)")
    parser.add_argument("--most-mib", metavar="N", type=whole(1, 64), default=64, help="of one image (64)")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Bring the images together and say how it went.

    Returns:
        0 when every image is there; 1 when some could not be had.

    Raises:
        CommandError: something that was given cannot be used.
    """
    out: Path = arguments.out
    _refuse_nested(arguments.sources, out)
    sources = read_sources(arguments.sources, sys.stdin.buffer)
    with _held(out):
        manifest = Manifest(out)
        if manifest.torn:
            sys.stderr.write(
                f"scrutineer-models: {manifest.torn} lines of the manifest are torn; their images are checked anew\n"
            )
        with Progress(sys.stderr) as progress:
            missing = _missing(sources, manifest, out / IMAGES, progress)
            kept = len(sources) - len(missing)
            _Fetching(arguments, manifest, missing).run(progress)
        manifest.close(source.address for source in sources)
    return _report(sources, manifest, kept)


def _missing(sources: Sequence[Source], manifest: Manifest, images: Path, progress: Progress) -> list[Source]:
    """The sources whose image is not there as it should be."""
    missing = []
    progress.begin("checking", len(sources), "images")
    for number, source in enumerate(sources, 1):
        entry = manifest.entries.get(source.address)
        if not _is_there(source, entry, images):
            missing.append(source)
        progress.show(number)
    return missing


def _is_there(source: Source, entry: Entry | None, images: Path) -> bool:
    if entry is None or entry.file is None or source.problem is not None:
        return False
    path = images / entry.file
    try:
        return source.sha256 in {None, entry.sha256} and is_whole(path) and sha256_of(path) == entry.sha256
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a thread has to say of a try; `error` is what it failed of."""

    job: Job
    part: PartFile
    content: Content | None = None
    error: TransferError | ContentError | CommandError | None = None


class _Fetching:
    """Threads that fetch, and the one that gives them work, names the files and keeps the manifest."""

    def __init__(self, arguments: argparse.Namespace, manifest: Manifest, missing: Sequence[Source]) -> None:
        self._arguments = arguments
        self._manifest = manifest
        self._missing = missing
        self._images: Path = arguments.out / IMAGES
        self._owners = {
            key_of(Path(entry.file).stem): entry.address for entry in manifest.entries.values() if entry.file is not None
        }
        self._limits = Limits(arguments.connect_timeout, arguments.read_timeout, arguments.try_timeout, arguments.most_mib << 20)
        self._chance = random.Random()  # spreads tries in time; nothing that is kept depends on it
        self._changed = threading.Condition()
        self._outcomes: queue.SimpleQueue[_Outcome] = queue.SimpleQueue()
        self._active: dict[int, Transfer | Copy] = {}
        self._stopped = False
        self._bytes = 0
        possible = [source for source in missing if source.problem is None]
        stems = planned_stems(((source.address, source.name) for source in possible), self._owners)
        jobs = [Job(source, stems[source.address], _host(source)) for source in possible]
        self._schedule = Schedule(jobs, arguments.per_host, arguments.delay)

    def run(self, progress: Progress) -> None:
        """Fetch all that is missing."""
        progress.begin("fetching", len(self._missing), "images")
        done = failed = 0
        for source in self._missing:
            if source.problem is not None:
                self._fail(source, 0, source.problem.code, source.problem.detail)
                done, failed = done + 1, failed + 1
        # Daemons: a thread that waits for a name server must not keep the command from ending.
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._arguments.connections)]
        try:
            for thread in threads:
                thread.start()
            while done < len(self._missing):
                outcome = self._next()
                if outcome is not None:
                    failed += not self._settled(outcome)
                    done += 1
                progress.show(done, self._note(failed))
        finally:
            self._stop(threads)

    def _next(self) -> _Outcome | None:
        """What a thread has to say, or nothing for a moment. Tries whose time is up are stopped here."""
        now = time.monotonic()
        for transfer in list(self._active.values()):
            if transfer.overdue(now):
                transfer.stop()
        try:
            return self._outcomes.get(timeout=_TICK_S)
        except queue.Empty:
            return None

    def _note(self, failed: int) -> str:
        received = self._bytes + sum(transfer.received for transfer in list(self._active.values()))
        return f"{received / 1e6:.1f} MB" + (f", {failed} failed" if failed else "")

    def _stop(self, threads: Sequence[threading.Thread]) -> None:
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for transfer in list(self._active.values()):
            transfer.stop()
        until = time.monotonic() + _LAST_WORDS_S
        for thread in threads:
            if thread.is_alive():
                thread.join(max(0.0, until - time.monotonic()))

    def _work(self) -> None:
        """What each thread does: one job after the other, telling of those that are done with."""
        while (job := self._take()) is not None:
            part = PartFile(self._arguments.out / UNFINISHED, job.source.address)
            transfer = (Transfer if job.source.path is None else Copy)(job.source, part, self._limits)
            self._active[threading.get_ident()] = transfer
            outcome = _tried(job, part, transfer)
            wait = self._wait_s(job, outcome.error)
            # Before anybody takes another job: a host that asks to be left alone is left alone from now on.
            with self._changed:
                del self._active[threading.get_ident()]
                self._bytes += transfer.received
                if wait is None:
                    self._schedule.ended(job)
                else:
                    asked = isinstance(outcome.error, TransferError) and outcome.error.wait_s is not None
                    self._schedule.again(job, time.monotonic() + wait, asked=asked)
                self._changed.notify_all()
            if wait is None:
                self._outcomes.put(outcome)

    def _take(self) -> Job | None:
        with self._changed:
            while not self._stopped:
                found = self._schedule.take(time.monotonic())
                if isinstance(found, Job):
                    found.tries += 1
                    return found
                if found is None:
                    return None
                self._changed.wait(found)
        return None

    def _settled(self, outcome: _Outcome) -> bool:
        """Name and note what came, or note why nothing did; whether the image is there.

        Raises:
            CommandError: our own disk cannot be written.
        """
        job, error = outcome.job, outcome.error
        if isinstance(error, CommandError):
            raise error
        if error is not None:
            self._fail(job.source, job.tries, error.code, error.detail)
        elif outcome.content is not None:
            self._place(job, outcome.part, outcome.content)
        return error is None

    def _wait_s(self, job: Job, error: TransferError | ContentError | CommandError | None) -> float | None:
        """Seconds until the next try; None if there is none."""
        if error is None or isinstance(error, CommandError) or job.tries >= self._arguments.tries:
            return None
        wait = backoff_s(job.tries, self._arguments.first_wait, self._chance)
        if isinstance(error, ContentError):
            return wait if job.source.path is None and job.tries < _MOST_CONTENT_TRIES else None
        if not error.again or (error.wait_s or 0) > self._arguments.longest_wait:
            return None
        return max(wait, error.wait_s or 0)

    def _place(self, job: Job, part: PartFile, content: Content) -> None:
        """Give the image its name and note it. Another file that has the name is never written over."""
        address = job.source.address
        stem = content.sha256 if self._arguments.names == "sha256" else job.stem
        earlier = self._manifest.entries.get(address)
        path = self._images / f"{stem}{content.suffix}"
        is_ours = self._arguments.names == "sha256" or (earlier is not None and earlier.file == path.name)
        if not is_ours and os.path.lexists(path) and not (is_whole(path) and sha256_of(path) == content.sha256):
            self._owners[key_of(stem)] = ""
            path = path.with_stem(unique_stem(stem, address, self._owners))
        if earlier is not None and earlier.file not in {None, path.name}:
            self._set_aside(earlier)
        try:
            part.path.replace(path)
        except OSError as error:
            raise CommandError("fileUnwritable", f"{str(path)!r}: {error.strerror or error}") from error
        part.placed()
        self._owners[key_of(path.stem)] = address
        self._manifest.add(Entry(address, path.name, content.sha256, content.size, content.media_type, _now(), job.tries))

    def _set_aside(self, earlier: Entry) -> None:
        """Take a file out of the images that the manifest will no longer name, unless another address has the same."""
        sharing = [entry for entry in self._manifest.entries.values() if entry.file == earlier.file]
        path = self._images / str(earlier.file)
        if len(sharing) > 1 or not is_whole(path):
            return
        try:
            path.replace(self._arguments.out / UNFINISHED / f"{path.name}.old")
        except OSError as error:
            raise CommandError("fileUnwritable", f"{str(path)!r}: {error.strerror or error}") from error

    def _fail(self, source: Source, tries: int, code: str, detail: str) -> None:
        earlier = self._manifest.entries.get(source.address)
        if earlier is not None and earlier.file is not None:
            self._set_aside(earlier)
        self._manifest.add(Entry(source.address, None, None, None, None, _now(), tries, code, detail))


def _tried(job: Job, part: PartFile, transfer: Transfer | Copy) -> _Outcome:
    """Fetch and look at what came. What is no image is not kept."""
    try:
        transfer.fetch()
        return _Outcome(job, part, content=checked(part.path, job.source.sha256))
    except ContentError as error:
        part.drop()
        return _Outcome(job, part, error=error)
    except (TransferError, CommandError) as error:
        return _Outcome(job, part, error=error)
    except Exception as error:  # noqa: BLE001  a mistake of ours over one image must not leave the others waiting for it
        return _Outcome(job, part, error=TransferError("fetchingFailed", f"{type(error).__name__}: {error}"))


def _report(sources: Sequence[Source], manifest: Manifest, kept: int) -> int:
    """Say how it went, on standard output."""
    entries = [manifest.entries[source.address] for source in sources]
    there = [entry for entry in entries if entry.file is not None]
    failed = [entry for entry in entries if entry.file is None]
    print(f"{len(entries)} images: {len(there)} are there ({kept} were before, {len(there) - kept} came), {len(failed)} are not")
    again = len(there) - len({entry.sha256 for entry in there})
    if again:
        print(f"{again} of them have the same bytes as another")
    for code, count in sorted(Counter(entry.error for entry in failed).items(), key=str):
        print(f"  {count} {code}")
    for entry in failed[:_TOLD]:
        print(f"{entry.error}: {entry.address!r}: {entry.detail}")
    if len(failed) > _TOLD:
        print(f"{len(failed) - _TOLD} more failures are in {str(manifest.path)!r}")
    return EXIT_NOT_ALL if failed else EXIT_ALL


def _host(source: Source) -> str:
    if source.path is not None:
        return ""
    request = request_of(source.address)
    return f"{request.host}:{request.port}"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _refuse_nested(given: Sequence[str], out: Path) -> None:
    """A folder that is read must not be the one that is written."""
    target = out.absolute().resolve()
    for one in given:
        folder = Path(one)
        if folder.is_dir() and (target.is_relative_to(folder.resolve()) or folder.resolve().is_relative_to(target)):
            raise CommandError("badUse", f"--out {str(out)!r} and the source {one!r} lie in one another")


@contextmanager
def _held(out: Path) -> Iterator[None]:
    """The folder, made and held for us alone.

    Raises:
        CommandError: `fileUnwritable` or `outBusy`.
    """
    try:
        for folder in (out / IMAGES, out / UNFINISHED):
            folder.mkdir(parents=True, exist_ok=True)
        lock = (out / _LOCK).open("ab")
    except (OSError, ValueError) as error:
        raise CommandError("fileUnwritable", f"{str(out)!r}: {getattr(error, 'strerror', None) or error}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise CommandError("outBusy", f"another ingest is writing {str(out)!r}") from error
        yield
