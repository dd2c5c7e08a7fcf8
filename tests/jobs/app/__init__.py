"""A tiny app with jobs to test the machinery with."""
