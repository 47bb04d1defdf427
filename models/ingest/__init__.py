"""Fetching images: lists of addresses in, checked image files and a manifest out.

`addresses` reads the lists, `schedule` says what may be asked for when, `transfer` makes one try, `names` gives file names,
`content` looks at what came, and `manifest` remembers. `models/commands/ingest.py` puts them together.
"""
