"""``python -m imodel_site.worker.cluster <lane>``: one django-q2 cluster that does not outlive its supervisor."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from typing import Any

log = logging.getLogger("imodel.worker")
LEASH = "IMODEL_LEASH"  # a pipe whose other end only the supervisor holds


def main() -> None:
    """Run a cluster until it is asked to stop."""
    lane = sys.argv[1]
    os.environ["Q_CLUSTER_NAME"] = lane  # before django-q2 is imported: it reads its settings then
    import django

    django.setup()
    from django.core.management import call_command
    from django_q.conf import Conf
    from django_q.signals import post_spawn

    from imodel_site.metrics import sharing

    sharing.share("worker")
    Conf.BROKER_CLASS = "imodel_site.worker.broker.Probed"
    watch_leash()
    # Threads do not survive the fork into a worker: each watches for itself.
    post_spawn.connect(watch_leash, dispatch_uid="imodel.leash", weak=False)
    call_command("qcluster")


def watch_leash(**kwargs: Any) -> None:
    """End the whole group as soon as the supervisor is gone, however it went."""
    leash = os.environ.get(LEASH)
    if leash is not None:
        threading.Thread(target=_hold, args=(int(leash),), name="leash", daemon=True).start()


def _hold(descriptor: int) -> None:
    try:
        os.read(descriptor, 1)
    except OSError:
        log.exception("the leash broke")
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main()
