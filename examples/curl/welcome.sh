#!/bin/sh
# Sends the message `welcome` to a new user: welcome.sh USER_ID ADDRESS FIRST_NAME
#
# The user is the idempotency key: whoever runs this again for the same user sends nothing.
set -eu
. "$(dirname "$0")/api.sh"

user=${1:?a user id} address=${2:?an address} first_name=${3:?a first name}
message=$(printf '{"template": "welcome", "to": %s, "data": {"first_name": %s}}' "$(json "$address")" "$(json "$first_name")")
api POST /messages "welcome-$user" "$message"
