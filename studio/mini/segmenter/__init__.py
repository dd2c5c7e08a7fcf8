"""The bundled small SAM: a light image encoder of ours with SAM's own prompt encoder and mask decoder.

Trained from nothing on what we draw (docs/segmenter.md): ``python -m studio.mini segmenter train|evaluate|export``.
"""
