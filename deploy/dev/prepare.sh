#!/usr/bin/env bash
# prepare.sh [--check] [CRATE…]: regenerates the .sqlx folders, the record of what PostgreSQL said about every checked
# query, from which all other builds work without a database. Without names: every crate with a migrations folder.
# --check writes nothing into the tree and fails when a .sqlx folder is not what it should be.
# Uses the server of DATABASE_URL, else the developers' servers (started if need be); there it drops and creates one
# database dev_<crate> for each crate.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"
cd -- "$ROOT"

check=no
names=()
for argument in "$@"; do
    case $argument in
    --check) check=yes ;;
    -*) die "usage: prepare.sh [--check] [CRATE…]" ;;
    *) names+=("$argument") ;;
    esac
done

folder_of() {
    local parent
    for parent in crates services; do
        if [[ -d $parent/$1/migrations ]]; then
            printf '%s\n' "$parent/$1"
            return
        fi
    done
    return 1
}

whole=no
if [[ ${#names[@]} -eq 0 ]]; then
    whole=yes
    # messaging comes first: the services build on it.
    [[ ! -d crates/messaging/migrations ]] || names+=(messaging)
    for folder in services/*/migrations; do
        [[ -d $folder ]] || continue
        folder=${folder%/migrations}
        names+=("${folder##*/}")
    done
fi
[[ ${#names[@]} -gt 0 ]] || die "no crate has a migrations folder"

PG=$(pg_bin) || die "PostgreSQL is missing: run deploy/dev/install.sh"
if [[ -z ${DATABASE_URL:-} ]]; then
    "$ROOT/deploy/dev/dev-servers.sh" start
    eval "$("$ROOT/deploy/dev/dev-servers.sh" env)"
fi
# It would win over the file that prepare() writes beside the crate.
if grep -qsE '^(export )?(DATABASE_URL|SQLX_OFFLINE)' "$ROOT/.env"; then
    die "take DATABASE_URL and SQLX_OFFLINE out of $ROOT/.env first (the variables of the environment do no harm)"
fi
server=${DATABASE_URL%%\?*}
server=${server%/*}
unset DATABASE_URL

scratch=$(mktemp -d)
environment_files=()
finish() {
    rm -rf -- "$scratch" "${environment_files[@]}"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

sql() {
    PGOPTIONS="-c client_min_messages=warning" "$PG/psql" -X -q -v ON_ERROR_STOP=1 "$@" >/dev/null
}

migrate() {
    local url=$1 folder=$2 file
    for file in "$folder"/*.sql; do
        [[ -e $file && $file != *.down.sql ]] || continue
        # As sqlx does it: each file in one transaction, unless its first line says otherwise.
        if [[ $(head -n 1 -- "$file") == '-- no-transaction'* ]]; then
            sql -d "$url" -f "$file" || die "$file failed"
        else
            sql -d "$url" -1 -f "$file" || die "$file failed"
        fi
    done
}

# Cargo does not see that the database changed; a source newer than its last build makes it look again.
touch_sources() {
    find "$1" -name '*.rs' -printf '%T@ %p\n' >>"$scratch/times"
    find "$1" -name '*.rs' -exec touch -r "$scratch/touched" -- {} +
}

# After a mere check the sources get their times back, so that the other builds need not do everything again; except
# those that somebody wrote meanwhile.
untouch_sources() {
    local time file
    while read -r time file; do
        if [[ ! $file -nt $scratch/touched && ! $file -ot $scratch/touched ]]; then
            touch -d "@$time" -- "$file"
        fi
    done <"$scratch/times"
}

# A fresh database with the crate's tables, and its address in a file .env beside the crate, not in the environment: so
# the macros of each crate ask their own database and write into their own folder, all in one build.
arrange() {
    local name=$1 folder=$2 database="dev_${1//-/_}"
    local url="$server/$database"
    note "$name: database $database"
    sql -d "$server/postgres" -c "drop database if exists \"$database\" with (force)" -c "create database \"$database\"" ||
        die "cannot create $database on the server of DATABASE_URL"
    if [[ $name != messaging && -d crates/messaging/migrations ]]; then
        migrate "$url" crates/messaging/migrations
    fi
    migrate "$url" "$folder/migrations"
    mkdir -p -- "$scratch/$name"
    environment_files+=("$ROOT/$folder/.env")
    (umask 077 && printf 'DATABASE_URL=%s\nSQLX_OFFLINE_DIR=%s\n' "$url" "$scratch/$name" >"$ROOT/$folder/.env")
    touch_sources "$folder"
}

stale=()
compare() {
    local name=$1 folder=$2 record
    record="$ROOT/$folder/.sqlx"
    [[ -d $record ]] || record=$(mktemp -d -p "$scratch")
    diff -r -q -- "$record" "$scratch/$name" >&2 || stale+=("$name")
}

record() {
    local name=$1 folder=$2
    rm -rf -- "${ROOT:?}/$folder/.sqlx"
    if [[ -n $(find "$scratch/$name" -name '*.json' -print -quit) ]]; then
        cp -r -- "$scratch/$name" "$folder/.sqlx"
    fi
    note "$name: $(find "$scratch/$name" -name '*.json' | wc -l) queries"
}

run() {
    local name folder built=yes packages=(--workspace)
    touch -- "$scratch/touched"
    for name in "${names[@]}"; do
        folder=$(folder_of "$name") || die "there is no crates/$name/migrations and no services/$name/migrations"
        arrange "$name" "$folder"
    done
    # The whole workspace in one build has the features of every other build of the workspace; named crates alone would
    # have their dependencies compiled anew.
    if [[ $whole == no ]]; then
        packages=()
        for name in "${names[@]}"; do packages+=(-p "$name"); done
    fi
    SQLX_OFFLINE=false cargo check --quiet "${packages[@]}" --all-targets || built=no
    rm -f -- "${environment_files[@]}"
    [[ $check == no ]] || untouch_sources
    [[ $built == yes ]] || die "the queries do not compile against their databases; the .sqlx folders are as they were"
    for name in "${names[@]}"; do
        folder=$(folder_of "$name")
        if [[ $check == yes ]]; then compare "$name" "$folder"; else record "$name" "$folder"; fi
    done
}

mkdir -p -- "$ROOT/.run"
exec 9>"$ROOT/.run/prepare.lock"
flock 9
run 9>&-
[[ ${#stale[@]} -eq 0 ]] || die "stale .sqlx folder of: ${stale[*]}; run deploy/dev/prepare.sh ${stale[*]}"
