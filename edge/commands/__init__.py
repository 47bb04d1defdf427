"""The sub-commands of `scrutineer`, one file each.

In: the parsed arguments. Out: text or bytes on stdout and the exit status. A command reads files and speaks to the person at the
terminal; what it says about a sheet or a log comes from the rooms beneath. Imported by `edge.cli` only when the command is used.
"""
