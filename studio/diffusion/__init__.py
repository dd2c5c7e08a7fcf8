"""Pictures from text, pictures and masks: one engine interface, the real diffusers pipelines behind it.

``types`` is cheap to import and says what goes in and out; ``engine.load_engine`` gives an engine. See docs/engines.md.
"""
