#!/bin/sh
# Makes what compose.production.yml takes from ./secrets, where it is missing: run it again whenever you like, nothing that is
# there is changed. Needs openssl.
set -eu

dir=${1:-secrets}
umask 077
mkdir -p "$dir"
cd "$dir"

# From standard input, into a file that is not there yet.
keep() { if [ -e "$1" ]; then cat >/dev/null; else cat >"$1"; fi; }

[ -e redis-password ] || openssl rand -hex 32 >redis-password
password=$(cat redis-password)
# Everybody needs the password; only for being asked whether it is alive, nobody does. Redis needs no more than its hash.
keep redis-users.acl <<ACL
user default on sanitize-payload #$(printf %s "$password" | openssl dgst -sha256 -r | cut -d' ' -f1) ~* &* +@all
user health on nopass sanitize-payload resetkeys resetchannels -@all +ping
ACL
echo "rediss://:$password@redis:6379" | keep redis-url
openssl rand -base64 48 | keep link-secret
openssl rand -base64 18 | keep dashboard-password
# Empty: no such key, and credentials by the role of the machine.
: | keep link-secret-previous
: | keep api-keys
: | keep aws-credentials

if [ ! -e redis.crt ]; then
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 -keyout ca.key -out redis-ca.crt \
    -subj '/CN=Sendonce Redis CA' -addext 'basicConstraints=critical,CA:TRUE' -addext 'keyUsage=critical,keyCertSign' 2>/dev/null
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout redis.key -out redis.csr -subj '/CN=redis' 2>/dev/null
  printf 'subjectAltName=DNS:redis\nextendedKeyUsage=serverAuth\n' >redis.ext
  openssl x509 -req -in redis.csr -CA redis-ca.crt -CAkey ca.key -CAcreateserial -days 3650 -extfile redis.ext -out redis.crt 2>/dev/null
  rm -f redis.csr redis.ext ca.key redis-ca.srl
fi

# Compose mounts these files as they are, and neither Redis nor Node is root in its container: whoever may not enter the
# folder can't read them here.
chmod 700 .
chmod 444 ./*
