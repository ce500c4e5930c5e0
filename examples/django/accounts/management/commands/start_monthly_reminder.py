from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from sendonce import Sendonce, SendonceError


class Command(BaseCommand):
    help = "Starts the month's run of the campaign monthly-reminder. For cron, as often as you like: it is one run a month."

    def add_arguments(self, parser):
        parser.add_argument("--month", help="YYYY-MM; default: this one")

    def handle(self, *_, month=None, **__):
        month = month or f"{timezone.localdate():%Y-%m}"
        sendonce = Sendonce(settings.SENDONCE_URL, settings.SENDONCE_KEY)
        try:
            run = sendonce.start_run("monthly-reminder", idempotency_key=f"monthly-reminder-{month}")
        except SendonceError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(f"{run['run']} {run['status']}")
