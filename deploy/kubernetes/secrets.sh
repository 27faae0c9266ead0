#!/usr/bin/env bash
# secrets.sh [NAMESPACE]: makes the Secrets and the ConfigMaps that the chart refers to, those that are missing; nothing that exists is
# changed. For installations without a vault (with one: external-secrets.yaml). Needs kubectl and the tool `dudao`; keys are made in
# a folder that only the caller can read and that is removed at the end. KEY_ID names the token key (registry-2026), as
# tokenKeys.current does in the values.
#
# The private journal keys are also what later proves the audit chain. Keep a copy where the province keeps its seals.
set -euo pipefail

namespace=${1:-dudao}
key_id=${KEY_ID:-registry-2026}
with_database=(registry tasks deadlines reporting notifications publication exchange)
folder=$(mktemp -d)
trap 'rm -rf -- "$folder"' EXIT
umask 077

exists() {
    [[ -n $(kubectl --namespace "$namespace" get "$1" "$2" --ignore-not-found --output name) ]]
}

# password [LENGTH]: letters and digits.
password() {
    local length=${1:-32} text
    text=$(LC_ALL=C tr -dc 'A-Za-z0-9' < <(head -c 4096 /dev/urandom))
    printf '%s' "${text:0:length}"
}

# secret NAME [OPTION…]: makes it unless it is there.
secret() {
    local name=$1
    shift
    if exists secret "$name"; then
        echo "Secret $name is there already"
    else
        kubectl --namespace "$namespace" create secret generic "$name" "$@"
    fi
}

for service in "${with_database[@]}"; do
    name=dudao-$service
    secret "$name-database" --type=kubernetes.io/basic-auth \
        --from-literal=username="$service" --from-literal=password="$(password)"
    # So that CloudNativePG takes over a password that is changed here.
    kubectl --namespace "$namespace" label --overwrite secret "$name-database" cnpg.io/reload=true
    if exists secret "$name"; then
        echo "Secret $name is there already"
        continue
    fi
    dudao key new "$folder/$service-journal" >&2
    options=(--from-file=journal-key="$folder/$service-journal")
    case $service in
    registry)
        dudao key new --purpose token "$folder/$key_id.pem" >&2
        options+=(--from-file=token-key="$folder/$key_id.pem" --from-literal=bootstrap-password="$(password 20)")
        if exists configmap dudao-token-keys; then
            echo "ConfigMap dudao-token-keys is there already; add $key_id.pem to it by hand:" >&2
            cat -- "$folder/$key_id.pem.pub" >&2
        else
            kubectl --namespace "$namespace" create configmap dudao-token-keys --from-file="$key_id.pem=$folder/$key_id.pem.pub"
        fi
        ;;
    notifications) options+=(--from-literal=receipt-links="$(password 48)") ;;
    exchange)
        dudao key new "$folder/platform-key" >&2
        options+=(--from-file=platform-key="$folder/platform-key")
        echo "The national platform has to know this public key of the province: $(<"$folder/platform-key.pub")"
        ;;
    esac
    secret "$name" "${options[@]}"
done
if exists secret dudao-documents; then
    echo "Secret dudao-documents is there already"
else
    dudao key new "$folder/rendition-key" >&2
    secret dudao-documents --from-file=rendition-key="$folder/rendition-key"
    echo "services.publication.config.portal.rendition_keys has to have this key: $(<"$folder/rendition-key.pub")"
fi
# NATS lets nobody in but this user: the password for the services, and the server's own file (nats-values.yaml).
broker=$(password)
secret dudao-nats --from-literal=password="$broker" \
    --from-literal=users.conf="authorization: {users: [{user: dudao, password: \"$broker\"}]}"
secret dudao-console --from-literal=cookie-key="$(password 48)"
# What proves the journals is public: `dudao verify` reads it in the cluster (value tool.journalKeys). Read off the Secrets, so that it
# can also be made for those that a vault has brought.
if exists configmap dudao-journal-keys; then
    echo "ConfigMap dudao-journal-keys is there already"
else
    options=()
    for service in "${with_database[@]}"; do
        kubectl --namespace "$namespace" get secret "dudao-$service" --output jsonpath='{.data.journal-key}' |
            base64 -d | dudao key public > "$folder/$service.pub"
        options+=(--from-file="$folder/$service.pub")
    done
    kubectl --namespace "$namespace" create configmap dudao-journal-keys "${options[@]}"
fi
