"""The README.txt of an export: for an auditor with a laptop that has never seen the device."""

from __future__ import annotations

from edge.evidence.tlog.note import VerifierKey

_BEGINNING = """\
This folder is the evidence of one ballot scanning station.

Log:      {origin}
Entries:  {size}
Kind:     {kind}

Do not trust this folder, this text included: check it. The key that you need for that must have reached you by another way than
this medium, in the trust list that the election authority has signed or on paper. The key in log/vkey only tells you what to ask
for. Copy the folder before you look at it, and change nothing in it.


HOW TO CHECK IT

1. With the station's own software (Python, runs anywhere, knows nothing but this folder and the keys):

       scrutineer verify FOLDER --trust trust.list --authority AUTHORITY-KEY

   It checks every signature, every file, the log, the counts, and reads the pictures of every sheet again. FOLDER is this folder.

2. Without it. Each step uses a tool that is not ours. KEY is the station's minisign key from the authority, never from here.

   The list of files, signed by the station:

       minisign -Vm MANIFEST.json -P KEY

   Every file against the list, in this folder (jq and sha256sum):

       jq -r '.files[] | .sha256 + "  " + .name' MANIFEST.json | sha256sum --check --quiet

   No file may be here that the list does not have, but for MANIFEST.json and MANIFEST.json.minisig.

   The log (fsck of transparency-dev/tessera; VKEY is a file that holds the log's key). It always exits with 0: only the line
   "Successfully fsck'd log" with the size and the root of log/checkpoint is good:

       timeout 120 fsck --ui=false --N=64 --storage_url=file://$PWD/log/ --public_key=VKEY

   The first three lines of log/checkpoint are the log's name, its number of entries and its root. Compare them with what the poll
   workers signed on paper, and with what the authority has from other days.


WHAT THE FILES ARE

MANIFEST.json              every other file with its size and SHA-256; canonical JSON (RFC 8785)
MANIFEST.json.minisig      its signature by the station's key (minisign)
log/checkpoint             the log's state, signed (C2SP tlog-checkpoint)
log/checkpoints/N          what was signed when the log had N entries
log/tile/...               the log (C2SP tlog-tiles); the entries are in log/tile/entries
log/vkey                   the log's key, as the station says
events.json                a copy of the log's entries (NIST SP 1500-101)
event-documentation.json   what each kind of event means
package/election.json      the election definition with which the sheets were read
package/settings.json      the settings; where it is missing, the published defaults
package/package.json       whether these are trials, and the hash that the ballots carry if the definition was revised
"""

_INTERIM = """\

The polls were not closed for good when this was made: the log is all there is. Sheets and totals follow with an export after the
close.
"""

_CLOSED = """\
cvr-set                    over all cast sheets: a name, their number and a root, signed; the log has the same root
returned-set               the same over the kept sheets that went back to their voters
sheets/ID/                 a cast sheet. ID is random and says nothing of when it was cast:
  scan-a.png, scan-b.png     both sides, black and white, as scanned
  scan-a-kept-1.png, ...     pieces in grey that the reading needed; scan-a-grey.png the whole side, where that was configured
  pages.json                 what a second reading needs beside the pixels
  record.json                the reading, canonical JSON: every measurement, the votes, and what was decided
  cvr.json                   the votes as a cast vote record (NIST SP 1500-103)
returned/ID/               a sheet that went back; it counts nowhere
results/totals.json        the totals over all cast sheets
results/err.json           the same as an election results report (NIST SP 1500-100)

The root of a set: the leaf of a sheet is SHA-256 over a zero byte and the canonical JSON (RFC 8785) of
{"files": [{"name": ..., "sha256": ..., "size": ...}, ...], "id": ID}, names without the folder and in order; the leaves, in the
order of the IDs, make the tree of RFC 6962. The entry pollsClosed of the log holds both roots in base64.
"""

_FORMS = """\
package/forms/NAME.toml    a form of tally sheets with its rules. Without package/election.json no ballots were read
"""

_TALLY = """\

tally-set                  over all tally sheets, as cvr-set; the entry tallySetClosed of the log has the same root
tally/ID/                  a tally sheet. It carries no voter; an entry tallySheetAccepted of the log has the hash of its record:
  scan-a-grey.png, ...       both sides in grey, as scanned
  pages.json                 their sizes
  record.json                the reading, canonical JSON: every cell, field and rule, and what was decided
"""

_END = """\

All files and folders bear the date of the election instead of the time at which they were written. That is meant.


WHAT NO FOLDER CAN SHOW

That the paper in the box is what was scanned: compare a random sample of paper with these records. That the station ran the
software that it names, that its key was not stolen, and that there is no second log by the same key: compare with what others
have seen.
"""


def readme_text(verifier: VerifierKey, size: int, *, closed: bool, forms: bool = False) -> str:
    """The text, ASCII as far as the log's name is.

    Args:
        verifier: The log's key, whose name is the log's.
        size: Entries of the log.
        closed: Whether the polls were closed for good.
        forms: Whether tally sheets are read.
    """
    kind = "closed (the polls were closed for good)" if closed else "interim (the polls were not closed for good)"
    beginning = _BEGINNING.format(origin=verifier.name, size=size, kind=kind)
    beginning += _FORMS if forms else ""
    return beginning + (_CLOSED if closed else _INTERIM) + (_TALLY if closed and forms else "") + _END
