"""The programs: built in the profile `image`, with the list of their crates inside (cargo-auditable)."""

import json
import os
import pathlib
import subprocess
import sys
import zlib

from commit import PROFILE, PROGRAMS, ROOT, run, said

# The file of eight services and the tool, and the one with the typesetter.
FILES = ["programs", "documents"]
# Where the tree is while it is built.
PLACE = "/mnt"


def cargo_home():
    return pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))


def build():
    """Builds both files, so that nothing in them depends on where: panics name their sources as /dudao/… and /crates/…

    Names alone do not do it: Cargo puts the path of the wrapper (cargo-auditable) into every symbol of the workspace. So the tree
    is mounted at one place, which nobody else sees, and built there.
    """
    names = {PLACE: "/dudao"} | dict.fromkeys(sorted((cargo_home() / "registry/src").glob("*")), "/crates")
    flags = [f"--remap-path-prefix={folder}={name}" for folder, name in names.items()]
    # Relative relocations packed: 3 MB less, and the C library in the image knows them.
    flags.append("-Clink-arg=-Wl,-z,pack-relative-relocs")
    environment = os.environ | {
        "PATH": f"{PLACE}/.tools/image/bin:{os.environ['PATH']}",
        # Not the commit's: programs whose sources did not change stay as they are, and need not be built again.
        "SOURCE_DATE_EPOCH": "0",
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join(flags),
        "CFLAGS": f"-ffile-prefix-map={PLACE}=/dudao -ffile-prefix-map={cargo_home()}=/cargo",
        "CARGO_INCREMENTAL": "0",
        "CARGO_TARGET_DIR": f"{PLACE}/target",
        "LC_ALL": "C.UTF-8",
        "TZ": "UTC",
    }
    # Together, so that crates which both need are compiled once.
    packages = ["--package", "programs", "--package", "documents-room"]
    command = ["cargo", "auditable", "build", "--locked", "--profile", PROFILE, *packages, "--bins"]
    mounted = f'mount --bind "$1" {PLACE}; cd {PLACE}; shift; exec "$@"'
    place = ["unshare", "--mount", "bash", "-euc", mounted, "build", ROOT]
    if subprocess.run([*place, *command], env=environment, check=False).returncode != 0:
        sys.exit("the programs could not be built")
    toolchain = said("rustc", "--print=sysroot")
    for name in FILES:
        data = (PROGRAMS / name).read_bytes()
        for folder in (ROOT, cargo_home(), toolchain):
            if str(folder).encode() in data:
                sys.exit(f"{name} holds the path {folder} of this machine, so it would differ on another one")


def names():
    """Name → file, for everything that can be started."""
    listed = said(PROGRAMS / "programs", "--list").splitlines()
    return {name: "programs" for name in listed} | {"documents": "documents"}


def crates(name):
    """The crates in a program, read from the program itself."""
    flags = ["--output-target=binary", "--only-section=.dep-v0", "--set-section-flags=.dep-v0=alloc"]
    section = run("objcopy", *flags, PROGRAMS / name, "/dev/stdout")
    if not section:
        sys.exit(f"{name} has no list of its crates; was it built by cargo auditable?")
    return json.loads(zlib.decompress(section))["packages"]
