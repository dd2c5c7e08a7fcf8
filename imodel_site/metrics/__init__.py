"""Numbers for Prometheus (docs/metrics.md): what processes count themselves, and what rows and this machine say."""
