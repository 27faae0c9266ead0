"""Installs the chart on a real Kubernetes of two nodes and tries it: `make cluster`.

python deploy/dev/cluster                   the whole trial
python deploy/dev/cluster drain broker      the installation, and these parts (trial.PARTS)
python deploy/dev/cluster up                the installation, then stay, for looking around (Ctrl-C ends it)
"""

import os
import shutil
import signal
import subprocess
import sys
import time

import place
from node import groups

# What a kubelet changes for the whole machine, namespace or not.
SETTINGS = ["vm/overcommit_memory", "vm/panic_on_oom", "kernel/panic", "kernel/panic_on_oops", "kernel/keys/root_maxkeys",
            "kernel/keys/root_maxbytes"]
CAGE = ["unshare", "--net", "--mount", "--pid", "--ipc", "--uts", "--fork", "--kill-child", "--mount-proc", "--propagation", "private",
        # The first process has to bury those whose parents have gone; a shell does.
        "bash", "-c", '"$@"; exit $?', "first"]


def settings():
    return {name: open(f"/proc/sys/{name}").read() for name in SETTINGS}


def sweep():
    """Takes away what namespaces do not take with them: control groups and files."""
    for folder in groups():
        for path, _, _ in os.walk(folder, topdown=False):
            until = time.monotonic() + 10
            while os.path.isdir(path):
                try:
                    os.rmdir(path)
                except OSError:
                    # The last processes of the group are on their way out.
                    if time.monotonic() > until:
                        raise
                    time.sleep(0.1)
    shutil.rmtree(place.BASE, ignore_errors=True)


def main():
    if os.geteuid() != 0:
        sys.exit("a cluster takes namespaces, mounts and control groups: run this as root")
    if sys.argv[1:2] == ["inside"]:
        import trial

        return trial.main(*sys.argv[2:])
    if place.BASE.exists():
        sys.exit(f"{place.BASE} is there: another run, or what is left of one. DUDAO_CLUSTER names another folder")
    # Told to stop, it clears away all the same.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    bundles = sorted((place.ROOT / "target/bundle").glob("dudao-*.tar"))
    bundle = os.environ.get("BUNDLE") or bundles and bundles[-1]
    if not bundle:
        sys.exit("there is no bundle in target/bundle: make bundle, or name one (BUNDLE=…)")
    before = settings()
    place.BASE.mkdir(mode=0o755)
    try:
        # The first process of a process namespace: when it ends, the kernel ends all the others, and the mounts and networks go.
        done = subprocess.run([*CAGE, sys.executable, "-B", place.HERE, "inside", bundle, *sys.argv[1:]], check=False)
    except KeyboardInterrupt:
        return 130
    finally:
        for name, value in before.items():
            with open(f"/proc/sys/{name}", "w") as file:
                file.write(value)
        sweep()
    return done.returncode


sys.exit(main())
