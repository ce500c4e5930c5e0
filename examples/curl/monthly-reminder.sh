#!/bin/sh
# Starts this month's run of the campaign `monthly-reminder`: monthly-reminder.sh [YYYY-MM]
#
# For cron, every day if you like, and on two machines: the month is the idempotency key, so it is one run a month.
set -eu
. "$(dirname "$0")/api.sh"

month=${1:-$(date +%Y-%m)}
api POST /campaigns/monthly-reminder/runs "monthly-reminder-$month"
