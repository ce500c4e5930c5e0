"""Sends the message `welcome` to a new user: welcome.py USER_ID ADDRESS FIRST_NAME

The user is the idempotency key: whoever runs this again for the same user sends nothing.
"""

import os
import sys

from sendonce import Sendonce, SendonceError


def main(user, address, first_name):
    sendonce = Sendonce(os.environ["SENDONCE_URL"], os.environ["SENDONCE_KEY"])
    message = sendonce.send_message("welcome", address, {"first_name": first_name}, f"welcome-{user}")
    print(message["key"], message["status"])


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except SendonceError as error:
        sys.exit(str(error))
