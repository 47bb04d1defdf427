"""Made-up pictures with tally sheets in them: photographs, scans and crops of any size, and where every point of the forms lies.

In come flat sheets (`paper.Sheet`, from what `hil.paper.forms` renders, with more print by `overprint`; or `decoys`), a seed
and `knobs.PhotoKnobs`; out comes a `paper.Photo` from `photo.take_photo`. The paper is bent (`surface`), laid on a table and
seen by a camera (`camera`), between made-up surroundings (`backgrounds`, `things`), in some light and through some lens
(`light`). One mapping, `Shown.place`, is both the truth and what the pixels are drawn by. Positions in pictures are pixels, x
to the right and y down, pixel i covering i to i + 1.
"""
