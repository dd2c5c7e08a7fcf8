"""The labels a made picture carries."""
