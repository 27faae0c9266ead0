#!/usr/bin/env bash
# The operator's tool on a machine outside of the cluster, with the C library of the image: whatever the machine has.
set -euo pipefail
lib=$(cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")/../lib" && pwd)
exec "$lib"/ld-linux-*.so.* --argv0 dudao --library-path "$lib" "$lib/programs" "$@"
