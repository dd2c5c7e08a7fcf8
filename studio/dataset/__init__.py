"""The photos a LoRA is trained on: looked at, cut, captioned, bucketed, kept in folders. Importing it costs nothing."""
