"""The int8 models at work: a `.tflite` file read with care, executed in exact integers, and read a second time by TFLite.

In: the bytes of a released model and the small pictures of cells. Out: the int8 scores of both readers, and who they were. The
recorded answer is the one of the fixed-point interpreter, the same on every machine; TFLite is the independent second reader.
"""
