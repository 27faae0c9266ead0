#!/usr/bin/env bash
# with-servers.sh COMMAND [ARGUMENT…]: runs the command with a PostgreSQL and a nats-server of its own, in a fresh
# temporary folder on free ports, in DATABASE_URL and NATS_URL; both are gone afterwards, whatever happened.
# The exit code is the command's. DURABLE=1 leaves PostgreSQL's fsync on (tests do not need it, measurements do).
# Functions are called by traps here, which shellcheck does not see. A trap runs inside whatever function was
# interrupted and sees its local variables: what the traps use is therefore in capitals.
# shellcheck disable=SC2329
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

[[ $# -gt 0 ]] || die "usage: with-servers.sh COMMAND [ARGUMENT…]"
require_servers

SERVERS=$(mktemp -d "${TMPDIR:-/tmp}/dudao-servers.XXXXXX")
# The user postgres has to pass through it; what lies below is closed to others.
chmod 711 -- "$SERVERS"
PG_FOLDER=''
COMMAND_PID=''
GUARD_PID=''

# Idempotent, because the end and the guard below may both come to it.
clean_up() {
    [[ -z $PG_FOLDER ]] || pg_stop "$PG_FOLDER"
    nats_stop "$SERVERS/nats"
    # An initdb that a signal interrupted may still be tidying up in there.
    for _ in {1..50}; do
        rm -rf -- "$SERVERS" ${PG_FOLDER:+"$PG_FOLDER"} 2>/dev/null && return
        sleep 0.1
    done
    note "could not remove $SERVERS"
}

finish() {
    local code=$?
    trap '' INT TERM HUP
    if [[ -n $COMMAND_PID ]]; then
        kill -TERM -- "-$COMMAND_PID" 2>/dev/null || true
    fi
    clean_up
    [[ -z $GUARD_PID ]] || kill "$GUARD_PID" 2>/dev/null || true
    exit "$code"
}
trap finish EXIT
# While the servers start there is no command to pass a signal on to.
trap 'exit 130' INT
trap 'exit 143' TERM HUP

PG_FOLDER=$(pg_folder "$SERVERS/pg")
started=no
for _ in 1 2 3; do
    pg_port=$(free_port)
    if pg_start "$PG_FOLDER" "$pg_port"; then
        started=yes
        break
    fi
done
[[ $started == yes ]] || die "PostgreSQL did not start; its log is above"
started=no
for _ in 1 2 3; do
    nats_port=$(free_port)
    if nats_start "$SERVERS/nats" "$nats_port"; then
        started=yes
        break
    fi
done
[[ $started == yes ]] || die "nats-server did not start; its log is above"

export DATABASE_URL="postgres://postgres@127.0.0.1:$pg_port/postgres"
export NATS_URL="nats://127.0.0.1:$nats_port"

# When this script itself is shot (kill -9), nobody would stop the servers: the guard outlives it and does.
main=$$
# shellcheck disable=SC2016 # The guard expands its own arguments.
setsid bash -c 'tail --pid="$1" -s 0.5 -f /dev/null; source "$2"; require_servers
    pg_stop "$3"; nats_stop "$4/nats"; rm -rf -- "$4" "$3"' \
    guard "$main" "$ROOT/deploy/dev/lib.sh" "$PG_FOLDER" "$SERVERS" </dev/null >/dev/null 2>&1 &
GUARD_PID=$!
disown "$GUARD_PID"

# The command gets a process group of its own (set -m), so that signals can be passed on to all of it.
pass_on() {
    [[ -z $COMMAND_PID ]] || kill -s "$1" -- "-$COMMAND_PID" 2>/dev/null || true
}
trap 'pass_on INT' INT
trap 'pass_on TERM' TERM HUP
set -m
if [[ -t 0 ]]; then
    # A group in the background must not read from the terminal: it would be stopped.
    "$@" </dev/null &
else
    "$@" &
fi
COMMAND_PID=$!
set +m

# wait returns early when a signal comes in; the command's own answer to it is what counts.
code=0
while true; do
    code=0
    wait "$COMMAND_PID" || code=$?
    kill -0 "$COMMAND_PID" 2>/dev/null || break
done
COMMAND_PID=''
exit "$code"
