"""The edge service: from scanned images of paper to votes, and to evidence a stranger can verify.

Comes in: a scanned sheet, an election definition, settings. Goes out: an interpretation, what to do with the sheet, and signed
records. The rooms and what each may import are described in docs/overview.md; a room imports only from the floors beneath it.
"""
