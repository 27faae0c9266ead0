#!/usr/bin/env bash
# dev-servers.sh start|stop|status|env: a PostgreSQL and a nats-server that stay up for developers, on fixed ports,
# with their data in the ignored folder .run/dev. `eval "$(deploy/dev/dev-servers.sh env)"` sets DATABASE_URL and
# NATS_URL, so that `cargo test -p CRATE` can use them.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

PG_PORT=55432
NATS_PORT=54222
RUN="$ROOT/.run/dev"

pg_home() {
    # Asked again on every call: the folder may be the fall-back, and the note about it is not wanted twice.
    pg_folder "$RUN/pg" 2>/dev/null
}

start() {
    require_servers
    mkdir -p -- "$RUN"
    local pg
    pg=$(pg_folder "$RUN/pg")
    # One start at a time: two scripts may come here at the same moment. The servers must not inherit the lock (9>&-).
    (
        flock 9
        if ! pg_running "$pg"; then
            ! port_taken "$PG_PORT" || die "port $PG_PORT is taken by another program; stop it first"
            pg_start "$pg" "$PG_PORT" 9>&- || die "PostgreSQL did not start; its log is above"
        fi
        if ! nats_running "$RUN/nats"; then
            ! port_taken "$NATS_PORT" || die "port $NATS_PORT is taken by another program; stop it first"
            nats_start "$RUN/nats" "$NATS_PORT" 9>&- || die "nats-server did not start; its log is above"
        fi
    ) 9>"$RUN/start.lock"
}

stop() {
    require_servers
    pg_stop "$(pg_home)"
    nats_stop "$RUN/nats"
}

status() {
    require_servers
    local code=0
    if pg_running "$(pg_home)"; then echo "PostgreSQL runs on port $PG_PORT"; else echo "PostgreSQL is stopped" && code=3; fi
    if nats_running "$RUN/nats"; then echo "nats-server runs on port $NATS_PORT"; else echo "nats-server is stopped" && code=3; fi
    return "$code"
}

case ${1:-} in
start) start ;;
stop) stop ;;
status) status ;;
env)
    printf 'export DATABASE_URL=postgres://postgres@127.0.0.1:%s/postgres\n' "$PG_PORT"
    printf 'export NATS_URL=nats://127.0.0.1:%s\n' "$NATS_PORT"
    ;;
*) die "usage: dev-servers.sh start|stop|status|env" ;;
esac
