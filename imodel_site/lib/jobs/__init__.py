"""Jobs: the row is the truth, django-q2 carries wake-ups (docs/jobs.md)."""
