"""The int8 models at work: a `.tflite` file read with care, executed in exact integers, and read a second time by TFLite.

In: the bytes of a released model, and pictures: of cells, whose digits are read, or of anything, in which forms are found. Out:
the int8 scores of both readers of a digit, the corners of the forms, and who said so. The recorded answer is the one of the
fixed-point interpreter, the same on every machine. Digits have TFLite as an independent second reader; what is found of a form
(`regions`) needs none, because it only says where to measure.
"""
