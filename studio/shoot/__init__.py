"""The flow of a shoot: a garment photo in, finished pictures with report and recipe out.

``types`` and ``presets`` are cheap to import; ``flow`` carries an order out; docs/shoot.md says how, step by step.
"""
