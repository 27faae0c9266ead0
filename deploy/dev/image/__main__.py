"""Builds the image, tries it, and packs the bundle: `make image`, `make bundle`.

python deploy/dev/image            programs, context, image, trial
python deploy/dev/image bundle     and then the bundle
"""

import os
import subprocess
import sys

import bundle
import context
import oci
import programs
import sbom
from commit import DIRTY, LAYOUT, ROOT, WORK


def image():
    programs.build()
    crates = sbom.Crates()
    context.lay(crates.licence_texts(), lambda: sbom.bill(crates))
    digest = oci.build(LAYOUT)
    # Cheap, and nothing else shows that the packing adds nothing of the hour: twice, from two stores.
    again = WORK / "again"
    if oci.build(again) != digest:
        sys.exit(f"the same context gave two images: compare {LAYOUT} and {again}")
    # In a network of its own, without a way out.
    if subprocess.run(["unshare", "--net", sys.executable, "-B", ROOT / "deploy/dev/image/trial.py"], check=False).returncode != 0:
        sys.exit("the image is not in order")
    return digest


def main():
    if os.geteuid() != 0:
        sys.exit("the trial of the image takes a user, mounts and a network of its own: run this as root")
    if DIRTY:
        print("the work tree differs from its commit: the image is named so, and nobody can build the same one again", file=sys.stderr)
    digest = image()
    print(f"{oci.NAME} {digest} in {LAYOUT.relative_to(ROOT)}")
    if sys.argv[1:] == ["bundle"]:
        tar = bundle.make()
        bundle.check(tar)
        print(f"{tar.relative_to(ROOT)}, {tar.stat().st_size / 1e6:.1f} MB")


main()
