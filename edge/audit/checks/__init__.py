"""What an auditor asks of an export, one subject a file.

Comes in: an opened folder and what earlier checks found in it. Goes out: `Check`s, each with an answer and its findings. No check
believes a file because of what another file of the export says; what stands at the root is the trust list. When one check fails
the others go on as far as they can.
"""
