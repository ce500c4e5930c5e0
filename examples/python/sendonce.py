"""Sendonce's HTTP API with nothing but the standard library (Python 3.9). Copy this file; it is a whole client.

Every request may be repeated, and this repeats it, with the same idempotency key: when no answer came, after 429 (as
Retry-After says) and after 503. Anything else that is refused is refused again, and raised at once.
"""

import http.client
import json
import random
import time
import urllib.error
import urllib.parse
import urllib.request

FIRST_WAIT_S = 0.5
LONGEST_WAIT_S = 8
# The API counts requests a minute: it never asks for more.
LONGEST_RETRY_AFTER_S = 60


class SendonceError(Exception):
    """The API refused, or did not answer. Neither the key nor an address is in its text, so that it can be logged."""

    def __init__(self, what, status, problem=None, retry_after_s=0.0):
        self.status = status  # 0: no answer came
        self.problem = problem or {}
        self.type = self.problem.get("type", "about:blank").split("#")[-1]
        self.retry_after_s = retry_after_s
        errors = [f"{e.get('pointer') or e.get('parameter')}: {e['detail']}" for e in self.problem.get("errors", [])]
        words = [self.problem.get("title", "No answer of the API."), self.problem.get("detail"), *errors]
        super().__init__(f"{what}: {' '.join(filter(None, words))} ({status or 'no answer'})")


class Sendonce:
    """One for the whole process: it keeps nothing but its settings."""

    def __init__(self, url, key, timeout_s=10, retries=5):
        if not key.isascii() or not key.isprintable() or " " in key or not key:
            # Found out here, because http.client repeats a header that it can't send in its error.
            raise ValueError("The key has to be an API key (so_…), without spaces and line breaks.")
        self._base = url.rstrip("/") + "/api/v1"
        self._key = key
        self._timeout_s = timeout_s
        self._retries = retries

    def start_run(self, campaign, idempotency_key, scheduled_at=None):
        """Starts a run, which begins at once; the same key is the same run. `scheduled_at` is an aware datetime."""
        body = {"scheduled_at": scheduled_at.isoformat()} if scheduled_at else {}
        return self._ask("start run", "POST", ["campaigns", campaign, "runs"], body, idempotency_key)

    def run(self, run):
        return self._ask("get run", "GET", ["runs", run])

    def send_message(self, template, to, data, idempotency_key):
        """Sends one mail to one person; the same key is the same mail. When this returns it is durable."""
        body = {"template": template, "to": to, "data": data}
        return self._ask("send message", "POST", ["messages"], body, idempotency_key)

    def message(self, idempotency_key):
        return self._ask("get message", "GET", ["messages", idempotency_key])

    def _ask(self, what, method, path, body=None, idempotency_key=None):
        attempt = 0
        while True:
            attempt += 1
            try:
                return self._attempt(what, method, path, body, idempotency_key)
            except SendonceError as error:
                if not _is_repeated(error) or attempt > self._retries:
                    raise
                # Full jitter, so that clients that failed together don't come back together.
                longest = min(LONGEST_WAIT_S, FIRST_WAIT_S * 2 ** (attempt - 1))
                time.sleep(error.retry_after_s + random.uniform(0, longest))

    def _attempt(self, what, method, path, body, idempotency_key):
        request = urllib.request.Request(
            self._base + "".join("/" + urllib.parse.quote(part, safe="") for part in path),
            data=None if body is None else json.dumps(body).encode(),
            method=method,
            headers={"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"},
        )
        if idempotency_key is not None:
            request.add_header("Idempotency-Key", idempotency_key)
        try:
            with _opener.open(request, timeout=self._timeout_s) as response:
                answer = response.read()
        except urllib.error.HTTPError as error:
            with error:
                raise _refusal(what, error) from None
        except (OSError, http.client.HTTPException) as error:
            raise SendonceError(what, 0) from error
        try:
            return json.loads(answer)
        except ValueError:
            raise SendonceError(what, response.status) from None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """urllib would give the key to wherever the answer leads."""

    def redirect_request(self, *_):
        return None


_opener = urllib.request.build_opener(_NoRedirects)


def _is_repeated(error):
    return error.status in (0, 429, 502, 503, 504) and error.retry_after_s <= LONGEST_RETRY_AFTER_S


def _refusal(what, response):
    is_problem = (response.headers.get("Content-Type") or "").startswith("application/problem+json")
    try:
        problem = json.load(response) if is_problem else None
    except (OSError, http.client.HTTPException, ValueError):
        problem = None
    retry_after = response.headers.get("Retry-After") or ""
    return SendonceError(what, response.code, problem, float(retry_after) if retry_after.isdigit() else 0.0)
