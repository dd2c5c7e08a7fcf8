"""``manage.py worker``: keeps clusters, executors and the sweep of this machine going (docs/jobs.md)."""
