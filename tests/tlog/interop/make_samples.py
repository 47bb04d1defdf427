"""Writes logs with everything that goes with them into a folder, for verifiers that others have written.

`python -m tests.tlog.interop.make_samples FOLDER` makes FOLDER/<size>/ with checkpoint, tiles, log.vkey, witness.vkey, cosigned,
proofs/<index>.tlog-proof and consistency/<old size>. How to check them is in main.go.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from edge.evidence.tlog import canonical_base64
from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.cosignature import add_cosignature, cosigner_key
from edge.evidence.tlog.merkle import consistency_proof, leaf_hash, root_of
from edge.evidence.tlog.note import sign_note
from edge.evidence.tlog.proof import make_proof
from edge.evidence.tlog.tiles import MOST_ENTRY_BYTES, tile_files
from tests.tlog.samples import LOG, ORIGIN, TIME_S, WITNESS, WITNESS_KEY

SIZES = (1, 2, 5, 255, 256, 257, 300, 511, 512, 65_536, 70_000)
MOST_PROOFS = 20


def sample_entries(size: int) -> list[bytes]:
    """Entries of lengths from 1 byte up; the second is as long as an entry may be."""
    entries = [b'{"number":%d}' % number + b"x" * (number % 7) for number in range(size)]
    entries[0] = b"0"
    if size > 1:
        entries[1] = b"y" * MOST_ENTRY_BYTES
    return entries


def sample_files(size: int) -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the log of `size` entries."""
    entries = sample_entries(size)
    leaves = [leaf_hash(entry) for entry in entries]
    checkpoint = sign_note(Checkpoint(ORIGIN, size, root_of(leaves)).text, LOG)
    cosigned = add_cosignature(checkpoint, WITNESS_KEY, WITNESS, TIME_S)
    yield "checkpoint", checkpoint
    yield "cosigned", cosigned
    yield "log.vkey", LOG.verifier.text.encode()
    yield "witness.vkey", cosigner_key(WITNESS, WITNESS_KEY).text.encode()
    yield from tile_files(entries, leaves)
    for index in sorted({size * step // MOST_PROOFS for step in range(MOST_PROOFS)} | {size - 1}):
        extra = b"for %d" % index if index % 2 else None
        yield f"proofs/{index}.tlog-proof", make_proof(leaves, index, cosigned, extra).content
    for old in sorted({max(1, size * step // MOST_PROOFS) for step in range(MOST_PROOFS)} | {size}):
        lines = [root_of(leaves[:old]), *consistency_proof(leaves, old, size)]
        yield f"consistency/{old}", "".join(f"{canonical_base64.encode(line)}\n" for line in lines).encode()


def main(folder: Path) -> None:
    """Write every sample under `folder`."""
    for size in SIZES:
        for name, content in sample_files(size):
            file = folder / str(size) / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
