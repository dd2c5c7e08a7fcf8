"""The command line: one module for each sub-command.

Every module here but ``main`` is a sub-command of the same name and exposes ``add_parser(subparsers) -> None``, which
adds its parser and sets ``handler=`` to a function ``(argparse.Namespace) -> int`` that returns the exit status. It
must be cheap to import: torch and its like only inside the handler.
"""
