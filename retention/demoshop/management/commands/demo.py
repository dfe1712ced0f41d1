"""`manage.py demo`: a living shop in one terminal, ready to be looked at."""

import fcntl
import os
import shutil
import signal
import time
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError, connections

from retention import clock, embedded
from retention.demoshop import staff, stage
from retention.doors.roles import ROLES
from retention.embedded.places import Place, data_folder, make_data_folder, open_lock, outbox_folder
from retention.work.models import Watermark

#: The mark of a first start that came to its end.
FIRST_RUN = "demoshop:first_run"


class Command(BaseCommand):
    help = (
        "Prepares the demo shop (servers, tables, 23,570 real purchase histories, one run of every due job) and serves "
        "it until Ctrl-C. The second start keeps everything."
    )

    def add_arguments(self, parser):
        parser.add_argument("--host", default="127.0.0.1", help="Address to listen on (%(default)s).")
        parser.add_argument("--prepare-only", action="store_true", help="Prepare, but do not serve.")

    def handle(self, *args, **options):
        make_data_folder()
        mark = str(data_folder())
        with self._only_one(), self._servers():
            leftovers = stage.clear_leftovers(mark)
            if leftovers:
                self.stdout.write(f"Stopped {leftovers} processes that an earlier demo had left behind.")
            if not options["prepare_only"] and not stage.is_port_free(options["host"], settings.PORT):
                raise CommandError(f"Port {settings.PORT} is in use. Take another one: PORT=8001 make demo")
            with heard_interrupts() as check:
                self._prepare(check)
            connections.close_all()
            if options["prepare_only"]:
                return
            code = stage.serve(
                stage.commands(host=options["host"], port=settings.PORT),
                url=f"http://{self._reachable(options['host'])}:{settings.PORT}/admin/login/",
                mark=mark,
                banner=self._banner(),
            )
        self.stdout.write("Stopped. Your data are kept: `make demo` goes on from here.")
        if code:
            raise CommandError("A process of the demo ended by itself; its last words are above.", returncode=code)

    @contextmanager
    def _only_one(self):
        with open_lock(data_folder() / "demo.lock") as lock:
            try:
                # This process's alone (`flock` would pass to the watchers that honcho forks, and outlive us with them).
                fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise CommandError(f"A demo of this checkout runs already ({lock.read()}).") from None
            lock.truncate(0)
            lock.write(settings.BASE_URL)
            lock.flush()
            yield

    @contextmanager
    def _servers(self):
        try:
            yield
        finally:
            connections.close_all()
            embedded.leave("demo", wait_seconds=30)

    def _prepare(self, check):
        try:
            connections["default"].ensure_connection()
        except OperationalError as error:
            reason = str(error).strip().splitlines()[-1]
            raise CommandError(f"The database of DATABASE_URL cannot be used: {reason}") from None
        with self._step("Preparing the database"):
            call_command("migrate", verbosity=0, interactive=False)
        check()
        print_of_static = stage.print_of_static_files()
        stamp = settings.STATIC_ROOT / "made-from"
        if not stamp.exists() or stamp.read_text() != print_of_static:
            with self._step("Collecting styles and scripts"):
                call_command("collectstatic", verbosity=0, interactive=False, clear=True)
                stamp.write_text(print_of_static)
        check()
        # It does what is missing, and little more than a look where nothing is.
        call_command("load_demo")
        check()
        if not Watermark.objects.filter(key=FIRST_RUN).exists():
            # Later starts leave it to beat, which catches up with whatever became due meanwhile.
            self.stdout.write("\nRunning every due job once:")
            try:
                call_command("run_jobs")
            except SystemExit:
                self.stdout.write("A job failed (see above); the console's page of jobs says more, beat tries again.")
            Watermark.objects.create(key=FIRST_RUN, at=clock.now())
        check()

    @contextmanager
    def _step(self, text):
        start = time.monotonic()
        self.stdout.write(f"{text} …", ending=" ")
        self.stdout.flush()
        yield
        self.stdout.write(f"{time.monotonic() - start:.1f} s")

    @staticmethod
    def _reachable(host):
        return "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104

    def _banner(self):
        url = settings.BASE_URL
        lines = [
            f"Console        {url}/admin/",
            f"API            {url}/api/v1/docs   (keys: manage.py create_api_key NAME --scopes …)",
            f"Mail           {self._mail()}",
            "",
            f"{'Log in as':<15}{'who is':<18}with the password {staff.PASSWORD}",
            *(f"  {person.username:<13}{ROLES[letter][1]}" for letter, person in staff.PEOPLE.items()),
            "",
            "Ctrl-C stops everything; your data are kept.",
        ]
        if os.environ.get("CLOCK_OFFSET"):
            lines.insert(3, f"Time           {clock.now():%Y-%m-%d %H:%M} UTC, moved by {os.environ['CLOCK_OFFSET']}")
        width = min(shutil.get_terminal_size().columns, 90)
        return "\n".join(["─" * width, *lines, "─" * width])

    @staticmethod
    def _mail():
        url = os.environ["EMAIL_URL"]
        servers = (Place.of("demo").read_state() or {}).get("servers", {})
        if url.startswith("filemail:") or url == servers.get("email_url", {}).get("url"):
            return f"{outbox_folder()} keeps every message as a file; the console shows them under Deliveries"
        return f"leaves by {settings.EMAIL_HOST}:{settings.EMAIL_PORT}"


@contextmanager
def heard_interrupts():
    """Ctrl-C that is not lost, with a function that raises it once more.

    Python drops an exception that comes while an object is being finalised, this one too; and a demo that was told to
    stop would go on.
    """
    before = signal.getsignal(signal.SIGINT)
    heard = False

    def hear(number, frame):
        nonlocal heard
        heard = True
        signal.default_int_handler(number, frame)

    def check():
        if heard:
            raise KeyboardInterrupt

    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, hear)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)
