# shellcheck shell=bash
# Functions shared by the scripts of this folder: where the servers' programs are, and how the two servers are
# started and stopped. To be sourced, never run.

ROOT=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.." && pwd)
TOOLS="$ROOT/.tools"

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

note() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
}

# Prints the folder of PostgreSQL's programs: PG_BIN, else the newest one of Debian, else whatever pg_config names.
pg_bin() {
    if [[ -n ${PG_BIN:-} ]]; then
        [[ -x $PG_BIN/initdb ]] || die "PG_BIN is set to $PG_BIN, but there is no initdb in it; correct or unset it"
        printf '%s\n' "$PG_BIN"
        return
    fi
    local found
    found=$(find /usr/lib/postgresql -maxdepth 3 -path '*/bin/initdb' 2>/dev/null | sort -V | tail -n 1)
    if [[ -n $found ]]; then
        dirname -- "$found"
    elif command -v pg_config >/dev/null && [[ -x $(pg_config --bindir)/initdb ]]; then
        pg_config --bindir
    else
        return 1
    fi
}

# Prints the path of nats-server: NATS_SERVER, else the one that install.sh put into .tools.
# A nats-server of the system is not taken: Debian 12 has 2.9, and JetStream as we use it needs 2.10.
nats_server() {
    if [[ -n ${NATS_SERVER:-} ]]; then
        [[ -x $NATS_SERVER ]] || die "NATS_SERVER is set to $NATS_SERVER, which is no program; correct or unset it"
        printf '%s\n' "$NATS_SERVER"
    elif [[ -x $TOOLS/venv/bin/nats-server ]]; then
        printf '%s\n' "$TOOLS/venv/bin/nats-server"
    else
        return 1
    fi
}

require_servers() {
    PG=$(pg_bin) || die "PostgreSQL is missing: run deploy/dev/install.sh, or set PG_BIN to the folder of its programs"
    NATS=$(nats_server) || die "nats-server is missing: run deploy/dev/install.sh, or set NATS_SERVER to version 2.10 or newer"
}

# Runs a program of PostgreSQL. It refuses to run as root, so root hands over to the user that Debian made for it;
# from / because that user may not be allowed to look at the present folder.
as_pg() {
    if [[ $(id -u) -eq 0 ]]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

# A folder for PostgreSQL, created if need be: the wished one, or, when root's checkout lies where the user postgres
# cannot reach it (under /root, say), one below /var/tmp named after the wished one.
pg_folder() {
    local wished=$1
    mkdir -p -- "$wished"
    if [[ $(id -u) -ne 0 ]]; then
        chmod 700 -- "$wished"
        printf '%s\n' "$wished"
        return
    fi
    getent passwd postgres >/dev/null || die "running as root needs the user postgres: run deploy/dev/install.sh"
    local folder=$wished
    if ! as_pg test -x "$wished" 2>/dev/null; then
        folder="/var/tmp/dudao-$(printf '%s' "$wished" | cksum | cut -d ' ' -f 1)"
        note "the user postgres cannot reach $wished; its data lies in $folder"
    fi
    install -d -o postgres -g postgres -m 700 -- "$folder"
    printf '%s\n' "$folder"
}

port_taken() {
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# A free port below the range that the kernel gives to outgoing connections, so that none of those can take it
# between our look and the server's start.
free_port() {
    local port
    for _ in {1..200}; do
        port=$((20000 + RANDOM % 12000))
        if ! port_taken "$port"; then
            printf '%s\n' "$port"
            return
        fi
    done
    die "no free port found between 20000 and 32000"
}

# pg_start FOLDER PORT: creates the cluster when there is none, and starts it. DURABLE=1 leaves fsync on.
pg_start() {
    local folder=$1 port=$2
    if [[ ! -s $folder/data/PG_VERSION ]] && ! as_pg test -s "$folder/data/PG_VERSION"; then
        as_pg "$PG/initdb" -D "$folder/data" -U postgres --auth=trust -E UTF8 --locale=C.UTF-8 -N >/dev/null ||
            die "initdb failed in $folder/data"
    fi
    local options="-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=600"
    options+=" -c jit=off -c timezone=UTC -c log_timezone=UTC"
    if [[ ${DURABLE:-0} == 1 ]]; then
        # As a province's server would be set up: durable, with room for the write-ahead log of a storm.
        options+=" -c shared_buffers=2GB -c max_wal_size=8GB -c checkpoint_timeout=15min -c wal_buffers=64MB"
        options+=" -c default_toast_compression=lz4"
    else
        options+=" -c shared_buffers=256MB -c fsync=off -c synchronous_commit=off -c full_page_writes=off"
    fi
    if ! as_pg "$PG/pg_ctl" -D "$folder/data" -w -t 60 -s -l "$folder/log" -o "$options" start >/dev/null; then
        as_pg tail -n 20 "$folder/log" >&2
        return 1
    fi
}

pg_running() {
    as_pg "$PG/pg_ctl" -D "$1/data" status >/dev/null 2>&1
}

# fast rolls open transactions back; when even that takes too long, the process is shot by its own pid.
pg_stop() {
    local folder=$1
    pg_running "$folder" || return 0
    as_pg "$PG/pg_ctl" -D "$folder/data" -s -w -t 20 -m fast stop 2>/dev/null ||
        as_pg "$PG/pg_ctl" -D "$folder/data" -s -w -t 10 -m immediate stop ||
        note "PostgreSQL in $folder did not stop"
}

# nats_start FOLDER PORT: starts nats-server with JetStream and waits until it accepts connections.
# In a session of its own, so that a Ctrl-C meant for the command does not take the broker from under it.
nats_start() {
    local folder=$1 port=$2
    mkdir -p -- "$folder"
    setsid "$NATS" -a 127.0.0.1 -p "$port" -js -sd "$folder/data" -P "$folder/pid" -l "$folder/log" \
        </dev/null >/dev/null 2>&1 &
    disown
    for _ in {1..200}; do
        if nats_running "$folder" && port_taken "$port"; then
            return 0
        fi
        sleep 0.05
    done
    tail -n 20 "$folder/log" >&2 || true
    return 1
}

nats_running() {
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) && [[ -n $pid ]] && [[ $(ps -p "$pid" -o comm= 2>/dev/null) == nats-server* ]]
}

nats_stop() {
    local pid
    nats_running "$1" || return 0
    pid=$(cat "$1/pid")
    kill "$pid" 2>/dev/null || return 0
    for _ in {1..100}; do
        kill -0 "$pid" 2>/dev/null || return 0
        sleep 0.05
    done
    kill -9 "$pid" 2>/dev/null || true
}
