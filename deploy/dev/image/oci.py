"""Building the image out of the context, and reading what came out."""

import gzip
import hashlib
import io
import json
import shutil
import tarfile

from commit import CONTEXT, CREATED, EPOCH, REVISION, ROOT, VERSION, WORK, run

NAME = f"dudao:{VERSION}"
# Limit of what is carried and pulled, in bytes: the packed layers, by which registries give an image's size.
LIMIT = 120_000_000


def build(layout):
    """Builds into a folder (OCI layout), with a store of its own that is gone afterwards; gives back the image's digest."""
    store = WORK / "store"
    shutil.rmtree(store, ignore_errors=True)
    shutil.rmtree(layout, ignore_errors=True)
    buildah = ["buildah", "--root", store / "root", "--runroot", store / "run", "--storage-driver", "vfs"]
    facts = {"VERSION": VERSION, "REVISION": REVISION, "CREATED": CREATED}
    run(
        *buildah, "build", "--isolation", "chroot", "--format", "oci", "--layers", "--timestamp", EPOCH, "--identity-label=false",
        *[f"--build-arg={name}={value}" for name, value in facts.items()],
        "--file", ROOT / "deploy/Containerfile", "--tag", NAME, CONTEXT,
    )
    run(*buildah, "push", NAME, f"oci:{layout}:{NAME}")
    shutil.rmtree(store)
    return index(layout)["digest"]


def index(layout):
    [entry] = json.loads((layout / "index.json").read_text())["manifests"]
    return entry


def blob(layout, digest):
    path = layout / "blobs" / digest.replace(":", "/")
    data = path.read_bytes()
    if f"sha256:{hashlib.sha256(data).hexdigest()}" != digest:
        raise ValueError(f"{path} is not what its name says")
    return data


def manifest(layout):
    return json.loads(blob(layout, index(layout)["digest"]))


def configuration(layout):
    return json.loads(blob(layout, manifest(layout)["config"]["digest"]))


def layers(layout):
    """The layers as archives, the lowest first."""
    for layer in manifest(layout)["layers"]:
        yield tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob(layout, layer["digest"]))))


def sizes(layout):
    """Bytes over the network, and bytes of the files on a node."""
    packed = sum(layer["size"] for layer in manifest(layout)["layers"])
    return packed, sum(member.size for layer in layers(layout) for member in layer if member.isfile())
