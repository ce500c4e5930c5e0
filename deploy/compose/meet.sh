#!/bin/sh
# Makes a Redis Cluster of the hosts that are named, in that order, each a master of as many slots as the others. May run again,
# at any state of it: slots that are given away stay where they are, and nodes whose addresses have changed find each other.
# Not `redis-cli --cluster create`, which does the first and refuses to do the second.
set -eu

of() { host=$1; shift; redis-cli -h "$host" "$@"; }
address() { getent hosts "$1" | { read -r ip _; echo "$ip"; }; }

first=$1
from=0 number=0
for host in "$@"; do
  number=$((number + 1))
  to=$((16384 * number / $# - 1))
  # Only for a node that has met nobody: a busy slot, or one that was moved, is not ours to give.
  if of "$host" cluster info | grep -q 'cluster_slots_assigned:0'; then
    of "$host" cluster addslotsrange "$from" "$to" >/dev/null
  fi
  from=$((to + 1))
done
for host in "$@"; do
  [ "$host" = "$first" ] || of "$first" cluster meet "$(address "$host")" 6379 >/dev/null
done

tries=0
for host in "$@"; do
  until of "$host" cluster info | grep -q 'cluster_state:ok' &&
    of "$host" cluster info | grep -q "cluster_known_nodes:$#" ; do
    tries=$((tries + 1))
    [ "$tries" -lt 120 ] || { of "$host" cluster info; of "$host" cluster nodes; exit 1; }
    sleep 0.5
  done
done
echo "a cluster of $#: $*"
