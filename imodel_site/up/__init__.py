"""`manage.py up`: web and worker of one machine under one supervisor (docs/operations.md)."""
