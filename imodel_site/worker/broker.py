"""django-q2's ORM broker, which lets the supervisor's probes through and bears a database that is away."""

from __future__ import annotations

import logging
import time
from typing import Any

from django.db import DatabaseError, InterfaceError, connection
from django_q.brokers.orm import ORM
from django_q.conf import Conf
from django_q.humanhash import uuid
from django_q.signing import SignedPackage

from imodel_site.lib.jobs import rundir
from imodel_site.lib.jobs.registry import lane_index
from imodel_site.lib.jobs.waking import TASK

log = logging.getLogger("imodel.worker")


class Probed(ORM):  # type: ignore[misc]  # django-q2 is untyped
    """What the pusher of a cluster pulls from."""

    def dequeue(self) -> Any:
        """The next wake-up.

        A probe comes from a file: from the database any machine's cluster might pull it, and it should tell of this one
        even while the database is away. It takes the same way through the queue to a worker as every wake-up.
        """
        if rundir.take_probe(Conf.CLUSTER_NAME):
            return [(None, SignedPackage.dumps(_probe(Conf.CLUSTER_NAME)))]
        try:
            return super().dequeue()
        except (DatabaseError, InterfaceError) as error:
            # django-q2's pusher would sleep for ten seconds, end, and be born again.
            log.warning("the database is away: %s", error)
            connection.close()
            time.sleep(1.0)
            return None


def _probe(lane: str) -> dict[str, Any]:
    name, identity = uuid()
    return {"id": identity, "name": name, "func": TASK, "args": (lane_index(lane),), "kwargs": {}, "ack_failure": True}
