#!/usr/bin/env bash
# tool.sh [WORD…]: runs `dudao WORD…` inside the cluster, by default `dudao check` (doctor, prove and verify), as a Job of the suspended
# CronJob `dudao-tool`; prints what it says and ends with its exit code: 0 well, 1 something is wrong, 2 it could not be done. The
# option --stack is given already: the chart knows the installation.
#
#   deploy/kubernetes/tool.sh
#   deploy/kubernetes/tool.sh replay all
#   deploy/kubernetes/tool.sh explain 019b0000-0000-7000-8000-000000000000
#   deploy/kubernetes/tool.sh rehearse --days 90 --rules /usr/share/dudao/rulebook
#
# The Job stays, and its log with it: kubectl -n dudao logs job/NAME. NAMESPACE and CRONJOB name others than dudao and dudao-tool.
# Needs kubectl and jq.
set -euo pipefail

namespace=${NAMESPACE:-dudao}
cronjob=${CRONJOB:-dudao-tool}
[[ $# -gt 0 ]] || set -- check
name=$cronjob-$1-$(date -u +%Y%m%d-%H%M%S)

in_namespace() {
    kubectl --namespace "$namespace" "$@"
}

# pod FIELD: of the Job's one pod; nothing while there is none.
pod() {
    in_namespace get pods --selector "job-name=$name" --output jsonpath="{.items[*].$1}"
}

# The last argument is the description of the installation; it stays.
in_namespace create job "$name" --from="cronjob/$cronjob" --dry-run=client --output json |
    jq '.spec.template.spec.containers[0].args |= $ARGS.positional + .[-1:]' --args -- "$@" |
    in_namespace create --filename - >&2

# A log can only be followed once the program has started.
until [[ $(pod status.phase) =~ Running|Succeeded|Failed ]]; do
    if [[ $(in_namespace get job "$name" --output jsonpath='{.status.conditions[?(@.type=="Failed")].reason}') ]]; then
        echo "The Job $name has failed before its program started: kubectl -n $namespace describe job/$name" >&2
        exit 2
    fi
    sleep 1
done
in_namespace logs --follow "job/$name" || {
    echo "The log of the Job $name cannot be read" >&2
    exit 2
}
until code=$(pod 'status.containerStatuses[0].state.terminated.exitCode') && [[ $code ]]; do
    # What ran into its limit of time is taken away with its pod.
    [[ $(pod metadata.name) ]] || exit 2
    sleep 1
done
echo "kubectl -n $namespace logs job/$name shows it again" >&2
exit "$code"
