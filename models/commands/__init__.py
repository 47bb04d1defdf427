"""The sub-commands of `scrutineer-models`, one file each: the arguments it takes and what it does with them."""
