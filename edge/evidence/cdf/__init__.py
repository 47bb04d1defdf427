"""What the evidence says, in the formats that election offices exchange: the common data formats of NIST.

Comes in: records of sheets, entries of the log, the election. Goes out: documents of SP 1500-103 (cast vote records), SP 1500-101
(event log) and SP 1500-100 (results). Every document is a function of its arguments and of nothing else; the caller writes it as
canonical JSON.
"""
