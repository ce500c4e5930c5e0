import datetime

from accounts.welcome import send_welcome
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from sendonce import Sendonce, SendonceError


class Command(BaseCommand):
    help = "Asks for the welcome of everybody who is new. For cron: who has had one gets no second one."

    def add_arguments(self, parser):
        # Less than Sendonce remembers keys (LEDGER_RETENTION_DAYS, 90), so that no welcome is sent to an old user.
        parser.add_argument("--days", type=int, default=2, help="how long somebody is new; default: 2")

    def handle(self, *_, days, **__):
        sendonce = Sendonce(settings.SENDONCE_URL, settings.SENDONCE_KEY)
        since = timezone.now() - datetime.timedelta(days=days)
        new = get_user_model().objects.filter(date_joined__gte=since).exclude(email="")
        for user in new.iterator():
            try:
                send_welcome(user, sendonce)
            except SendonceError as error:
                # What is about this user, as an address that can't be used, must not keep the others from their welcome.
                if error.type != "unfit-message":
                    raise CommandError(str(error)) from error
                self.stderr.write(f"user {user.pk}: {error}")
