"""Are the boxes of a form found where they are? Real sheets, rendered scans and rendered photographs, held against the truth."""
