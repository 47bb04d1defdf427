"""What a power cut may leave behind: a recording of every write under real code, and every medium that it may turn into.

Comes in: a program that keeps something on disk, through `os` and through SQLite. Goes out: folders as they may look when the
power failed during it, each with a name, so that a checker can say whether the program keeps its promises in all of them.

`record` wraps the calls in this process (`os_calls`, `sqlite_calls`) and gives a `Recording`: operations in order, with marks
of the program's own ("acknowledged: commit 3") between them. `images` enumerates the cuts, `survey` puts each on disk and
checks it.

The model, and why:

* Operations happen in the order of the recording. A cut falls into one of them or right after it.
* What was written to a file is certain from the next fsync of that file on, and with it the file's length. Until then each
  write may be there, missing, or there in part, whatever the others are: the kernel writes pages back in any order, and a
  medium tears at any sector, some at any byte. An earlier write never undoes a later one, since the page cache knows only the
  newest state of a page. Bytes beside a write are not damaged: SQLite counts on the same (powersafe overwrite). Cards that do
  damage them are what a second medium is for.
* A file may also have its new length without its new contents, zeros then: different parts of a file system write lengths and
  contents. Old contents of other files do not appear there: ext4 with `data=ordered` promises that.
* Files are independent of each other. So are folders: the changes to one folder become certain in their order (a journal keeps
  it), and are certain once that folder was synced. Until then any first part of them holds, whatever was synced in the files.
  That an fsync of a new file makes its name certain too, as on ext4, is among the cases and never the only one.
* A rename is atomic, between two folders as well: both sides hold or neither does, as with a journal. FAT has none; do not ask
  this model about sticks.
* Modes are certain as soon as they are set, owners and times are not kept, and symbolic links are refused: none of them is
  evidence.
"""
