"""``manage.py backup`` and ``restore``: rows and files of the whole installation (docs/backup.md)."""
