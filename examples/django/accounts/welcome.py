"""Every new user gets one welcome, however they came to be: by the form, an import, a shell.

The user's key is the idempotency key. So it is asked for in `on_commit`, when the user is certain to be, and again by the
command `send_welcomes`, for whoever was missed because Sendonce was away or the process died in between. Asking twice sends
once.
"""

import logging

from django.conf import settings
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.models.signals import post_save
from django.dispatch import receiver
from sendonce import Sendonce, SendonceError

logger = logging.getLogger(__name__)

# Somebody waits for the page: one repetition, and the command does the rest.
_sendonce = Sendonce(settings.SENDONCE_URL, settings.SENDONCE_KEY, timeout_s=3, retries=1)


@receiver(post_save, sender=get_user_model())
def welcome_when_committed(instance, created, raw, **_):
    if created and not raw and instance.email:
        transaction.on_commit(lambda: _try_to_welcome(instance))


def _try_to_welcome(user):
    """The user is registered, whatever becomes of the mail: an error here would be shown for a registration that worked."""
    try:
        send_welcome(user, _sendonce)
    except SendonceError as error:
        logger.error("No welcome for user %s yet: %s", user.pk, error)


def send_welcome(user, sendonce):
    try:
        sendonce.send_message(
            "welcome",
            to=user.email,
            data={"first_name": user.first_name},
            idempotency_key=f"welcome-{user.pk}",
        )
    except SendonceError as error:
        # They had it, before they changed their name or address.
        if error.type != "other-message":
            raise
