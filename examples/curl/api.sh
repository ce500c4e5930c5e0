# To be sourced. `api METHOD PATH [IDEMPOTENCY_KEY [JSON]]` prints the API's answer, and fails on what is none. Needs curl 7.71.

: "${SENDONCE_URL:?where the dashboard is, as https://sendonce.example.com}"
: "${SENDONCE_KEY:?as printed by: npm run sendonce -- api-key NAME --scopes read,runs,messages}"

api_files=$(umask 077 && mktemp -d)
trap 'rm -rf "$api_files"' EXIT
trap 'exit 1' HUP INT TERM

api() {
  # By files and standard input, since everybody on the machine sees arguments.
  printf '%s' "${4:-}" >"$api_files/body"
  # Repeated when no answer came, after 429 (as Retry-After says) and 503; not after another 4xx, which is no error to curl as
  # long as it is not told to --fail. The answer goes to a file, since what has been printed of a failed attempt stays.
  status=$(
    printf 'Authorization: Bearer %s\n' "$SENDONCE_KEY" |
      curl -sS -X "$1" -H @- -H "Idempotency-Key: ${3:-}" -H 'Content-Type: application/json' \
        ${4:+--data-binary "@$api_files/body"} --max-time 10 --retry 5 --retry-all-errors --retry-max-time 60 \
        -o "$api_files/answer" -w '%{http_code}' "${SENDONCE_URL%/}/api/v1$2"
  ) || return
  case $status in
    2??) cat "$api_files/answer" && echo ;;
    *) echo "sendonce: $status $(cat "$api_files/answer")" >&2 && return 1 ;;
  esac
}

# A text as JSON has it.
json() {
  printf '%s' "$1" | tr -d '\000-\037' | sed 's/[\\"]/\\&/g; s/^/"/; s/$/"/'
}
