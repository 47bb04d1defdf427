"""Data sets and models: what is fetched, marked with boxes, exported, trained and judged on a workstation.

In come images, from folders or addresses; out go data sets (annotations, Pascal VOC, COCO, TFRecord), int8 flatbuffers and what
was measured about them. `python -m models` (or `scrutineer-models`) is the way in. It uses the product, `edge`; the product
never imports it and takes from here nothing but `released/`, by hash.
"""
