#!/usr/bin/env bash
# Brings the image of this bundle into the bureau's registry, or onto this node, and says what to write into the values.
#   load.sh registry.edu.local:5000    pushes with skopeo, podman or docker, the first that is there; sign in with it before
#   load.sh --node                     imports into containerd of this node (ctr), for a cluster without a registry: on every node
#   load.sh --check                    only compares the bundle with its checksums
# 将本包中的镜像送入教育局镜像仓库或本节点，并给出应写入参数文件的内容；--check 只校验本包。
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"

die() {
    printf '%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

have() {
    command -v "$1" >/dev/null 2>&1
}

target=${1:-}
[[ -n $target && $# -eq 1 ]] || die "usage: load.sh REGISTRY | --node | --check 用法：load.sh 仓库地址 | --node | --check"

sha256sum --check --quiet --strict SHA256SUMS ||
    die "the bundle is damaged, carry it in again 本包已损坏，请重新拷入"

archives=(images/dudao-*.oci.tar)
archive=${archives[0]}
version=${archive#images/dudao-}
version=${version%.oci.tar}
digest=$(<"${archive%.oci.tar}.digest")

case $target in
--check)
    printf '%s dudao:%s\n' "$digest" "$version"
    exit
    ;;
--node)
    have ctr || die "ctr is missing: run this on a node with containerd 缺少 ctr：请在装有 containerd 的节点上运行"
    ctr --namespace k8s.io images import "$archive"
    printf 'image: {repository: dudao, tag: "%s", pullPolicy: Never}\n' "$version"
    exit
    ;;
-*) die "unknown option $target 未知选项 $target" ;;
esac

name=$target/dudao:$version
if have skopeo; then
    skopeo copy --preserve-digests "oci-archive:$archive" "docker://$name"
elif have podman; then
    podman load --input "$archive"
    podman tag "docker.io/library/dudao:$version" "$name"
    # It compresses anew, and so may give the image another digest.
    podman push --digestfile .digest "$name"
    digest=$(<.digest)
    rm -f -- .digest
elif have docker; then
    docker load --input "$archive"
    docker tag "dudao:$version" "$name"
    docker push "$name"
    digest=$(docker inspect --format '{{index .RepoDigests 0}}' "$name")
    digest=${digest#*@}
else
    die "skopeo, podman or docker is needed 需要 skopeo、podman 或 docker 之一"
fi
printf 'image:\n  registry: %s\n  repository: dudao\n  digest: %s\n' "$target" "$digest"
