"""The witness forgets nothing that it has cosigned, and no log contradicts itself before it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from edge.audit import witness as module
from edge.audit.witness import Seen, Witness, WitnessError, WitnessResult, tlog_proof
from edge.evidence.keys.key_folder import KeyFolder
from edge.evidence.tlog.checkpoint import Checkpoint
from edge.evidence.tlog.cosignature import cosignatures_of
from edge.evidence.tlog.merkle import leaf_hash, root_of
from edge.evidence.tlog.note import Ed25519Signer, NoteError, VerifierKey, add_signature, open_note, parse_note, sign_note
from edge.evidence.tlog.proof import check_proof, parse_proof

ORIGIN = "scan.example.org/0001/3a5f00112233445566aa"
LOG = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"log").digest()))
REKEYED = Ed25519Signer(ORIGIN, Ed25519PrivateKey.from_private_bytes(hashlib.sha256(b"new log").digest()))
OTHER = Ed25519Signer("scan.example.org/0002/3a5f00112233445566aa", LOG.private)
NOW = 1_924_992_000
STATE = hashlib.sha256(ORIGIN.encode()).hexdigest() + ".state"
COPY = hashlib.sha256(ORIGIN.encode()).hexdigest() + ".note"


def leaves(size: int, history: bytes = b"entry") -> list[bytes]:
    return [leaf_hash(b"%s %d" % (history, number)) for number in range(size)]


def note(hashes: list[bytes], signer: Ed25519Signer = LOG, *extensions: str) -> bytes:
    return sign_note(Checkpoint(signer.name, len(hashes), root_of(hashes), extensions).text, signer)


def shown(witness: Witness, hashes: list[bytes], signer: Ed25519Signer = LOG, now_s: int = NOW) -> WitnessResult:
    return witness.remember(note(hashes, signer), signer.verifier, hashes, now_s)


def code_of(caught: pytest.ExceptionInfo[WitnessError]) -> str:
    return caught.value.code


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "above" / "witness"


@pytest.fixture
def witness(folder: Path) -> Witness:
    return Witness(folder)


def test_a_log_is_seen_for_the_first_time_then_again_then_longer(witness: Witness) -> None:
    first = shown(witness, leaves(5))
    assert (first.seen, first.old_size, first.kept) == (Seen.FIRST_TIME, None, None)
    again = shown(witness, leaves(5), now_s=NOW + 60)
    assert (again.seen, again.old_size, again.cosigned) == (Seen.SAME, 5, first.cosigned)
    longer = shown(witness, leaves(9), now_s=NOW + 90)
    assert (longer.seen, longer.old_size, longer.kept) == (Seen.CONSISTENT, 5, first.cosigned)
    assert "5 entries" in longer.detail
    assert "9" in longer.detail
    assert witness.kept(ORIGIN) == longer.cosigned


def test_the_cosignature_is_of_the_witness_and_of_the_time(witness: Witness) -> None:
    cosigned = shown(witness, leaves(3)).cosigned
    assert cosigned is not None
    opened = open_note(cosigned, [LOG.verifier, witness.verifier])
    assert opened.verified_by == (LOG.verifier, witness.verifier)
    assert cosignatures_of(opened) == ((witness.verifier, NOW),)
    assert witness.verifier.algorithm == 0x04


@pytest.mark.parametrize("size", [0, 1, 2, 7, 8, 63])
def test_every_size_can_grow_into_every_other(folder: Path, size: int) -> None:
    for larger in (size + 1, size + 2, 2 * size + 3, 100):
        witness = Witness(folder.parent / f"{size}-{larger}")
        assert shown(witness, leaves(size)).seen is Seen.FIRST_TIME
        result = shown(witness, leaves(larger))
        assert result.seen is Seen.CONSISTENT


def test_an_older_log_is_told_and_changes_nothing(witness: Witness) -> None:
    newest = shown(witness, leaves(9)).cosigned
    older = shown(witness, leaves(5))
    assert (older.seen, older.old_size, older.kept, older.cosigned) == (Seen.OLDER, 9, newest, None)
    assert "9 entries" in older.detail
    assert "5" in older.detail
    assert witness.kept(ORIGIN) == newest


@pytest.mark.parametrize("size", [9, 10, 40])
def test_a_log_that_was_written_anew_contradicts_and_is_not_learnt(witness: Witness, size: int) -> None:
    old = shown(witness, leaves(9)).cosigned
    forged = [*leaves(4), *leaves(size, b"other")[4:]]
    result = shown(witness, forged)
    assert (result.seen, result.old_size, result.kept, result.cosigned) == (Seen.CONTRADICTION, 9, old, None)
    assert witness.kept(ORIGIN) == old
    assert shown(witness, leaves(12)).seen is Seen.CONSISTENT


def test_another_key_under_the_same_name_contradicts(witness: Witness) -> None:
    shown(witness, leaves(3))
    result = shown(witness, leaves(4), REKEYED)
    assert result.seen is Seen.CONTRADICTION
    assert REKEYED.verifier.key_id.hex() in result.detail
    assert LOG.verifier.key_id.hex() in result.detail


def test_every_log_is_remembered_for_itself(witness: Witness) -> None:
    shown(witness, leaves(5))
    assert shown(witness, leaves(2, b"other"), OTHER).seen is Seen.FIRST_TIME
    assert shown(witness, leaves(6)).seen is Seen.CONSISTENT
    assert shown(witness, leaves(3, b"other"), OTHER).seen is Seen.CONSISTENT


def test_a_note_that_the_key_has_not_signed_is_refused(witness: Witness) -> None:
    with pytest.raises(NoteError) as caught:
        witness.remember(note(leaves(3), REKEYED), LOG.verifier, leaves(3), NOW)
    assert caught.value.code == "noteUnsigned"
    assert witness.kept(ORIGIN) is None


@pytest.mark.parametrize("wrong", [leaves(2), leaves(4), leaves(3, b"other")])
def test_leaves_of_another_log_are_refused(witness: Witness, wrong: list[bytes]) -> None:
    with pytest.raises(ValueError, match="not those of the checkpoint"):
        witness.remember(note(leaves(3)), LOG.verifier, wrong, NOW)
    assert witness.kept(ORIGIN) is None


def test_foreign_lines_are_not_kept(witness: Witness) -> None:
    raw = add_signature(note(leaves(3)), "stranger.example.org", b"abcd", b"\0" * 64)
    cosigned = witness.remember(raw, LOG.verifier, leaves(3), NOW).cosigned
    assert cosigned is not None
    assert [line.name for line in parse_note(cosigned).signatures] == [ORIGIN, witness.name]


def test_another_text_of_the_same_size_and_root_is_cosigned_too(witness: Witness) -> None:
    shown(witness, leaves(3))
    raw = note(leaves(3), LOG, "an extension")
    result = witness.remember(raw, LOG.verifier, leaves(3), NOW + 5)
    assert (result.seen, result.old_size) == (Seen.SAME, 3)
    assert result.cosigned is not None
    assert "an extension" in parse_note(result.cosigned).text
    assert witness.kept(ORIGIN) == result.cosigned


def test_a_checkpoint_too_long_to_keep_is_refused(witness: Witness) -> None:
    raw = note(leaves(3), LOG, "x" * 20_000)
    with pytest.raises(NoteError, match="too long"):
        witness.remember(raw, LOG.verifier, leaves(3), NOW)


def test_what_was_seen_outlives_the_process(folder: Path) -> None:
    first = Witness(folder)
    shown(first, leaves(5))
    second = Witness(folder)
    assert (second.name, second.verifier) == (first.name, first.verifier)
    assert shown(second, leaves(4)).seen is Seen.OLDER


def test_folder_and_files_are_for_their_owner_alone(witness: Witness, folder: Path) -> None:
    shown(witness, leaves(5))
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {path.name for path in folder.iterdir()} == {"witness.key", "witness.vkey", "witness.lock", STATE, COPY}
    assert all(stat.S_IMODE(path.stat().st_mode) == 0o600 for path in folder.iterdir())
    assert VerifierKey.parse((folder / "witness.vkey").read_text().strip()) == witness.verifier
    assert (folder / COPY).read_bytes() == witness.kept(ORIGIN)


def test_a_witness_has_a_random_name_or_the_given_one(tmp_path: Path) -> None:
    names = {Witness(tmp_path / str(number)).name for number in range(3)}
    assert len(names) == 3
    assert all(name.startswith("witness.") and len(name) == 24 for name in names)
    named = Witness(tmp_path / "named", "laptop.example.org")
    assert named.name == Witness(tmp_path / "named").name == "laptop.example.org"
    with pytest.raises(WitnessError, match=r"named laptop\.example\.org") as caught:
        Witness(tmp_path / "named", "another.example.org")
    assert code_of(caught) == "witnessUnavailable"


@pytest.mark.parametrize("name", ["", "two words", "a+b", "line\nbreak", "bell\x07"])
def test_a_name_that_no_key_can_have_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(WitnessError) as caught:
        Witness(tmp_path / "witness", name)
    assert code_of(caught) == "witnessUnavailable"


def test_nothing_shows_the_key(witness: Witness, folder: Path) -> None:
    secret = (folder / "witness.key").read_text().splitlines()[2]
    assert secret not in repr(witness)
    assert secret not in str(vars(witness))


def test_the_state_is_on_the_medium_before_the_cosignature_is_given(witness: Witness, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(_folder: KeyFolder, name: str, _content: bytes) -> None:
        raise OSError(28, f"no space for {name}")

    shown(witness, leaves(5))
    with monkeypatch.context() as patched:
        patched.setattr(KeyFolder, "replace", fails)
        with pytest.raises(WitnessError) as caught:
            shown(witness, leaves(6))
    assert code_of(caught) == "witnessUnavailable"
    assert shown(witness, leaves(5)).seen is Seen.SAME


def test_a_cut_after_the_state_leaves_only_the_copy_behind(witness: Witness, folder: Path) -> None:
    shown(witness, leaves(5))
    before = (folder / COPY).read_bytes()
    longer = shown(witness, leaves(6)).cosigned
    (folder / COPY).write_bytes(before)
    assert shown(witness, leaves(6)).cosigned == longer
    assert (folder / COPY).read_bytes() == longer


def flipped(content: bytes) -> list[bytes]:
    changed = []
    for place in range(len(content)):
        copy = bytearray(content)
        copy[place] ^= 1 << (place % 8)
        changed.append(bytes(copy))
    return changed


def test_a_state_with_a_changed_bit_is_never_believed(witness: Witness, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown(witness, leaves(5))
    content = (folder / STATE).read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _descriptor: None)
    for changed in flipped(content):
        (folder / STATE).write_bytes(changed)
        with pytest.raises(WitnessError) as caught:
            witness.kept(ORIGIN)
        assert code_of(caught) == "witnessCorrupt"


@given(st.binary(max_size=300))
def test_other_bytes_are_no_state(raw: bytes) -> None:
    witness = Witness.__new__(Witness)
    witness._folder = _Only(raw)
    with pytest.raises(WitnessError) as caught:
        witness._load(ORIGIN)
    assert code_of(caught) == "witnessCorrupt"


class _Only(KeyFolder):
    """A folder in which every file has the same content."""

    def __init__(self, content: bytes) -> None:
        super().__init__(Path("made-up"))
        self._content = content

    def read(self, name: str) -> bytes:
        del name
        return self._content


@pytest.mark.parametrize(
    "content",
    ["[]", "{}", "null", '{"log":1,"checkpoint":2,"version":1}', "[" * 50_000, '{"log":"\\ud800","checkpoint":"\\ud800"}'],
)
def test_other_json_is_no_state(witness: Witness, folder: Path, content: str) -> None:
    shown(witness, leaves(5))
    (folder / STATE).write_text(content)
    with pytest.raises(WitnessError) as caught:
        shown(witness, leaves(6))
    assert code_of(caught) == "witnessCorrupt"


def test_a_state_that_the_log_alone_has_signed_is_not_believed(witness: Witness, folder: Path) -> None:
    shown(witness, leaves(5))
    (folder / STATE).write_bytes(module._state(LOG.verifier, note(leaves(2))))
    with pytest.raises(WitnessError) as caught:
        witness.kept(ORIGIN)
    assert code_of(caught) == "witnessCorrupt"


def test_the_state_of_another_log_is_not_believed(witness: Witness, folder: Path) -> None:
    shown(witness, leaves(5))
    shown(witness, leaves(2), OTHER)
    other = hashlib.sha256(OTHER.name.encode()).hexdigest() + ".state"
    shutil.copy(folder / other, folder / STATE)
    with pytest.raises(WitnessError) as caught:
        witness.kept(ORIGIN)
    assert code_of(caught) == "witnessCorrupt"


def test_the_state_of_another_witness_is_not_believed(witness: Witness, folder: Path, tmp_path: Path) -> None:
    shown(witness, leaves(5))
    shown(Witness(tmp_path / "other"), leaves(4))
    shutil.copy(tmp_path / "other" / STATE, folder / STATE)
    with pytest.raises(WitnessError) as caught:
        shown(witness, leaves(6))
    assert code_of(caught) == "witnessCorrupt"


def test_a_state_that_is_gone_is_missed(witness: Witness, folder: Path) -> None:
    shown(witness, leaves(5))
    (folder / STATE).unlink()
    with pytest.raises(WitnessError, match="is gone") as caught:
        shown(witness, leaves(2))
    assert code_of(caught) == "witnessCorrupt"


def test_a_key_that_is_gone_is_missed(witness: Witness, folder: Path) -> None:
    shown(witness, leaves(5))
    (folder / "witness.key").unlink()
    with pytest.raises(WitnessError, match="its key is gone") as caught:
        Witness(folder)
    assert code_of(caught) == "witnessCorrupt"


def test_a_key_with_a_changed_bit_is_refused(witness: Witness, folder: Path) -> None:
    content = (folder / "witness.key").read_bytes()
    for changed in flipped(content):
        (folder / "witness.key").write_bytes(changed)
        with pytest.raises(WitnessError) as caught:
            Witness(folder)
        assert code_of(caught) == "witnessCorrupt"
    assert witness.name


@pytest.mark.parametrize("content", [b"", b"x" * 70_000])
def test_an_empty_or_huge_state_is_corrupt(witness: Witness, folder: Path, content: bytes) -> None:
    shown(witness, leaves(5))
    (folder / STATE).write_bytes(content)
    with pytest.raises(WitnessError) as caught:
        witness.kept(ORIGIN)
    assert code_of(caught) == "witnessCorrupt"


def test_a_folder_that_others_can_read_is_refused(witness: Witness, folder: Path) -> None:
    folder.chmod(0o755)
    with pytest.raises(WitnessError) as caught:
        shown(witness, leaves(5))
    assert code_of(caught) == "witnessUnavailable"


@pytest.mark.parametrize("kind", ["file", "link", "below a file"])
def test_what_is_no_folder_is_unavailable(tmp_path: Path, kind: str) -> None:
    place = tmp_path / "place"
    if kind == "link":
        (tmp_path / "real").mkdir(mode=0o700)
        place.symlink_to(tmp_path / "real")
    else:
        place.write_text("something")
    with pytest.raises(WitnessError) as caught:
        Witness(place / "witness" if kind == "below a file" else place)
    assert code_of(caught) == "witnessUnavailable"


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_lock_that_is_not_ours_is_refused(witness: Witness, folder: Path, kind: str) -> None:
    lock = folder / "witness.lock"
    lock.unlink()
    if kind == "link":
        lock.symlink_to(folder.parent / "elsewhere")
    else:
        os.mkfifo(lock)
    with pytest.raises(WitnessError) as caught:
        shown(witness, leaves(5))
    assert code_of(caught) == "witnessUnavailable"
    assert not (folder.parent / "elsewhere").exists()


def test_a_lock_that_is_never_released_is_a_named_error(witness: Witness, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PATIENCE_S", 0.1)
    with (folder / "witness.lock").open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(WitnessError, match="another process") as caught:
            shown(witness, leaves(5))
    assert code_of(caught) == "witnessUnavailable"
    assert shown(witness, leaves(5)).seen is Seen.FIRST_TIME


_CHILD = """
import sys
from pathlib import Path
from tests.audit.test_witness import leaves, shown
from edge.audit.witness import Witness
witness = Witness(Path(sys.argv[1]))
for size in map(int, sys.argv[2:]):
    print(size, shown(witness, leaves(size)).seen, witness.name, flush=True)
"""


def test_two_processes_make_one_key_and_one_history(folder: Path) -> None:
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", _CHILD, str(folder), *map(str, range(start, 60, 2))],
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).parents[2],
        )
        for start in (1, 2)
    ]
    lines = []
    for run in runs:
        output, _ = run.communicate(timeout=120)
        assert run.returncode == 0
        lines += [line.split() for line in output.splitlines()]
    assert len(lines) == 59
    assert len({name for _, _, name in lines}) == 1
    assert [seen for _, seen, _ in lines].count("firstTime") == 1
    assert {seen for _, seen, _ in lines} <= {"firstTime", "consistent", "older"}
    assert shown(Witness(folder), leaves(59)).seen is Seen.SAME


def test_a_proof_of_one_entry_stands_alone(witness: Witness) -> None:
    hashes = leaves(11)
    cosigned = shown(witness, hashes).cosigned
    assert cosigned is not None
    for index in range(11):
        proof = parse_proof(tlog_proof(hashes, index, cosigned, b"entry %d" % index))
        assert proof.extra is not None
        state = check_proof(proof, leaf_hash(proof.extra), [LOG.verifier, witness.verifier])
        assert (state.origin, state.size) == (ORIGIN, 11)
    with pytest.raises(NoteError):
        tlog_proof(hashes, 11, cosigned)
    with pytest.raises(NoteError):
        tlog_proof(leaves(11, b"other"), 3, cosigned)
