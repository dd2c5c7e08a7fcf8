"""The resident executor: one process that keeps engine and pose detector in memory and does one job at a time.

``client`` is what others import (standard library only); the rest is ``python -m studio serve``. docs/executor.md is
the contract.
"""
