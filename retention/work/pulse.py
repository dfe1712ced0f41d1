"""A worker's sign of life, from its main process, so that a worker whose every child is busy is still alive."""

import logging

from celery import bootsteps
from django.db import close_old_connections, connection

from retention import clock
from retention.work import operations

log = logging.getLogger(__name__)

EVERY = 30.0


class Pulse(bootsteps.StartStopStep):
    """Twice a minute: this worker is there, these queues are read; and is beat silent?"""

    requires = {"celery.worker.components:Timer"}

    def start(self, worker):
        self.timer = worker.timer.call_repeatedly(EVERY, self.pulse, (worker,))
        self.pulse(worker)

    def stop(self, worker):
        self.timer.cancel()

    @staticmethod
    def pulse(worker):
        try:
            close_old_connections()
            queues = [f"queue:{name}" for name in worker.app.amqp.queues.consume_from]
            operations.beat([f"worker:{worker.hostname}"[:60], *queues])
            operations.watch(now=clock.now())
        except Exception as error:  # the database may be away; the worker lives on and says so later
            log.warning("no pulse: %s", type(error).__name__)
        finally:
            connection.close()  # children are forked from here, and must not inherit it
