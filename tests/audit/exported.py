"""Exports for the tests of the verifier: written quickly, with the trust list that goes with them, and changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from edge.audit.content import export_files
from edge.audit.layout import MANIFEST, MANIFEST_SIGNATURE
from edge.audit.manifest import FileFacts, Kind, Manifest, build_manifest, parse_manifest
from edge.audit.verification import Check, Outcome, Verification
from edge.evidence.keys.trust import TrustList
from edge.evidence.tlog import minisign
from edge.evidence.tlog.note import Ed25519Signer, VerifierKey
from tests.audit.archive_fake import FakeArchive, signer

AUTHORITY: VerifierKey = signer("authority.example.org", "key").verifier
Files = Mapping[str, bytes]


def trust_list(*made: FakeArchive, packages: bool = True) -> TrustList:
    """The list with the logs of some archives, signed by an authority."""
    logs = {one.origin: one.verifier for one in made}
    hashes = sorted({one.package.sha256() for one in made}) if packages else []
    return TrustList(
        ballot_hash=made[0].package.definition().ballot_hash.hex(),
        title="a made-up election",
        packages=tuple(hashes),
        logs=tuple(logs[name] for name in sorted(logs)),
        signed_by=(AUTHORITY,),
        names=(AUTHORITY.name,),
        checked=True,
    )


def exported(made: FakeArchive) -> dict[str, bytes]:
    """Every file of an export."""
    return signed_files(dict(export_files(made)), made)


def signed_files(files: Files, made: FakeArchive, kind: Kind | None = None) -> dict[str, bytes]:
    """The files with a manifest that the log's key has signed, whatever is in them: what a dishonest device could make."""
    contents = {name: content for name, content in files.items() if name not in {MANIFEST, MANIFEST_SIGNATURE}}
    facts = [FileFacts.of(name, content) for name, content in contents.items()]
    size = len(made.entries)
    manifest = build_manifest(made.origin, kind or ("closed" if made.closed else "interim"), size, made.checkpoints[size], facts)
    raw = manifest.to_bytes()
    return {**contents, MANIFEST: raw, MANIFEST_SIGNATURE: made.sign_manifest(raw)}


def relisted(files: Files, stranger: Ed25519Signer | None = None) -> dict[str, bytes]:
    """The files with a manifest made anew by somebody without the key: the old signature stays, or a stranger signs."""
    old = parse_manifest(files[MANIFEST])
    contents = {name: content for name, content in files.items() if name not in {MANIFEST, MANIFEST_SIGNATURE}}
    facts = sorted((FileFacts.of(name, content) for name, content in contents.items()), key=lambda one: one.name.encode())
    raw = Manifest(old.origin, old.kind, old.size, old.checkpoint, tuple(facts)).to_bytes()
    signature = files[MANIFEST_SIGNATURE] if stranger is None else minisign.sign(raw, stranger.private, "trust me")
    return {**contents, MANIFEST: raw, MANIFEST_SIGNATURE: signature}


def write(files: Files, folder: Path) -> Path:
    """Write files into a new folder."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return folder


def outcomes(verification: Verification) -> dict[str, Outcome]:
    """How each check ended."""
    return {check.id: check.outcome for check in verification.checks}


def check_of(verification: Verification, name: str) -> Check:
    """One check."""
    return next(check for check in verification.checks if check.id == name)


def found(verification: Verification) -> set[tuple[str, str]]:
    """Code and file of everything that is wrong."""
    return {(finding.code, finding.file) for finding in verification.findings}


def codes(verification: Verification, name: str) -> set[str]:
    """The codes of one check."""
    return {finding.code for finding in check_of(verification, name).findings}


def failed(verification: Verification) -> set[str]:
    """The checks that failed."""
    return {check.id for check in verification.checks if check.outcome is Outcome.FAILED}
