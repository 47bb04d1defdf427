"""The samples for verifiers that others have written are whole: what those check, our own readers take too."""

from __future__ import annotations

from edge.evidence.tlog.checkpoint import open_checkpoint
from edge.evidence.tlog.cosignature import cosignatures_of
from edge.evidence.tlog.merkle import root_of
from edge.evidence.tlog.note import VerifierKey, open_note
from edge.evidence.tlog.proof import check_proof, parse_proof
from edge.evidence.tlog.tiles import read_tiles
from tests.tlog.interop.make_samples import sample_entries, sample_files
from tests.tlog.samples import TIME_S


def test_a_sample_log_is_read_with_everything_that_goes_with_it() -> None:
    files = dict(sample_files(300))
    log, witness = (VerifierKey.parse(files[name].decode()) for name in ("log.vkey", "witness.vkey"))
    state = open_checkpoint(files["checkpoint"], [log])
    entries, leaves = read_tiles(files.__getitem__, state.size)
    assert entries == sample_entries(300)
    assert root_of(leaves) == state.root
    assert cosignatures_of(open_note(files["cosigned"], [log, witness])) == ((witness, TIME_S),)
    proofs = [parse_proof(content) for name, content in files.items() if name.startswith("proofs/")]
    assert all(check_proof(proof, leaves[proof.index], [log]) == state for proof in proofs)
    assert {0, 299} <= {proof.index for proof in proofs}
    assert "consistency/300" in files
