"""Starts this month's run of the campaign `monthly-reminder`: monthly_reminder.py [YYYY-MM]

For cron, every day if you like, and on two machines: the month is the idempotency key, so it is one run a month.
"""

import datetime
import os
import sys

from sendonce import Sendonce, SendonceError


def main(month):
    sendonce = Sendonce(os.environ["SENDONCE_URL"], os.environ["SENDONCE_KEY"])
    run = sendonce.start_run("monthly-reminder", idempotency_key=f"monthly-reminder-{month}")
    print(run["run"], run["status"])


if __name__ == "__main__":
    try:
        main(sys.argv[1] if len(sys.argv) > 1 else f"{datetime.date.today():%Y-%m}")
    except SendonceError as error:
        sys.exit(str(error))
