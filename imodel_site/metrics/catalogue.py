"""Every metric there is: its name, kind, labels and meaning. Dashboard, alerts and docs are checked against it.

No label holds a merchant, a person, an id or a path: each would be a series of its own for ever, and nobody's business.
"""

from __future__ import annotations

from dataclasses import dataclass

# Seconds. A page is quick or it is not; a shoot takes from seconds to minutes.
REQUEST_BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
JOB_BUCKETS = (0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 20.0, 40.0, 80.0, 160.0, 600.0, 1800.0)


@dataclass(frozen=True)
class Family:
    """One metric, under the name that queries use (a histogram's is completed by _bucket, _sum and _count)."""

    name: str
    kind: str
    labels: tuple[str, ...]
    says: str
    buckets: tuple[float, ...] = ()


# --- counted by the processes themselves: what no row remembers -----------------------------------------------------
REQUESTS = Family(
    "imodel_http_requests_total", "counter", ("route", "method", "status"), "requests answered, by route, never by path"
)
REQUEST_SECONDS = Family(
    "imodel_http_request_seconds", "histogram", ("route", "method"), "time to the answer", REQUEST_BUCKETS
)
JOBS_ENDED = Family("imodel_jobs_ended_total", "counter", ("lane", "job", "status", "code"), "ends of jobs, by error")
JOB_LOSSES = Family("imodel_job_losses_total", "counter", ("lane", "job"), "workers lost, executors gone, breakdowns")
JOB_WAIT = Family("imodel_job_wait_seconds", "histogram", ("lane", "job"), "from queued to claimed", JOB_BUCKETS)
JOB_RUN = Family(
    "imodel_job_run_seconds", "histogram", ("lane", "job"), "from claimed to the end of a run", JOB_BUCKETS
)
JOB_STAGE = Family("imodel_job_stage_seconds", "histogram", ("lane", "job", "stage"), "one stage of a run", JOB_BUCKETS)
WEBHOOK_ATTEMPTS = Family("imodel_webhook_attempts_total", "counter", ("outcome",), "tries: delivered, refused, failed")
COUNTED = (REQUESTS, REQUEST_SECONDS, JOBS_ENDED, JOB_LOSSES, JOB_WAIT, JOB_RUN, JOB_STAGE, WEBHOOK_ATTEMPTS)

# --- read from the rows at each scrape: the truth, the same from every machine --------------------------------------
DATABASE_UP = Family("imodel_database_up", "gauge", (), "1 when the database answers; without it no row is told")
JOBS = Family("imodel_jobs", "gauge", ("lane", "job", "status"), "jobs that are queued, paused or running")
JOBS_OLDEST = Family(
    "imodel_jobs_oldest_seconds", "gauge", ("lane", "job"), "how long the oldest one that may start has waited"
)
LEASES_OVER = Family(
    "imodel_job_leases_over", "gauge", ("lane", "job"), "running jobs whose worker is lost and not yet replaced"
)
WEBHOOKS_WAITING = Family("imodel_webhook_deliveries_waiting", "gauge", (), "deliveries that are still to be made")
WEBHOOKS_OLDEST = Family("imodel_webhook_oldest_due_seconds", "gauge", (), "how long the oldest delivery has been due")
ENDPOINTS = Family(
    "imodel_webhook_endpoints", "gauge", ("state",), "addresses that are told: enabled, failing, disabled"
)
CREDITS = Family("imodel_credits", "gauge", ("state",), "credits of all merchants: available, held")
MERCHANTS = Family("imodel_merchants", "gauge", ("status",), "merchants")
STORAGE = Family("imodel_storage_bytes", "gauge", (), "uploads that count against quotas")
CASES = Family("imodel_moderation_open", "gauge", (), "cases that wait for staff")
BACKUP = Family(
    "imodel_backup_last_success_timestamp_seconds", "gauge", (), "when the last backup was whole; 0 for never"
)
ROWS = (
    DATABASE_UP, JOBS, JOBS_OLDEST, LEASES_OVER, WEBHOOKS_WAITING, WEBHOOKS_OLDEST, ENDPOINTS, CREDITS, MERCHANTS,
    STORAGE, CASES, BACKUP,
)  # fmt: skip

# --- read from this machine at each scrape --------------------------------------------------------------------------
BUILD = Family("imodel_build_info", "gauge", ("version", "django", "python"), "always 1")
BEAT_AGE = Family(
    "imodel_lane_beat_age_seconds", "gauge", ("lane",), "since a worker of this machine gave a sign of life"
)
EXECUTOR_UP = Family("imodel_executor_up", "gauge", ("lane", "number"), "1 when the executor answers its pings")
EXECUTOR_MEMORY = Family("imodel_executor_memory_bytes", "gauge", ("lane", "number"), "resident memory of the executor")
GPU_MEMORY = Family(
    "imodel_gpu_memory_bytes",
    "gauge",
    ("lane", "number", "device", "kind"),
    "of an executor's GPU: allocated, reserved, total",
)
DISK_FREE = Family("imodel_disk_free_bytes", "gauge", ("place",), "room left: data, temporary")
MACHINE = (BUILD, BEAT_AGE, EXECUTOR_UP, EXECUTOR_MEMORY, GPU_MEMORY, DISK_FREE)

ALL = {family.name: family for family in (*COUNTED, *ROWS, *MACHINE)}
