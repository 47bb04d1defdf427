"""Made-up tally sheets of any form template: printed, filled in by hand, worn, scanned, and the exact truth about them.

In comes a `Form` and a seed; out comes an RGB image as a scanner would deliver it and what stands on the paper, field by field
(`sheet.render_sheet`). A made-up result (`story`) obeys the form's rules unless a person's mistake is asked for; the form is
printed (`print_form`), written on (`handwriting`, with strokes of our own in `glyphs` or real digits in `real_digits`), worn and
scanned (`scan`). Lengths on paper are hundredths of a millimetre as in the template.
"""
