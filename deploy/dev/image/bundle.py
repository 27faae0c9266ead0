"""The bundle for a closed network: one archive with all that is Dudao's, in the same folders as the sources, so that
deploy/README.md reads alike in both.
"""

import hashlib
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile

import context
import oci
from commit import CONTEXT, CREATED, EPOCH, LAYOUT, REVISION, ROOT, VERSION, WORK, run, said
from registry import Registry

FOLDER = ROOT / "target/bundle"
NAME = f"dudao-{VERSION}"


def archive(target, files):
    """Writes an archive of (name, path or bytes), in this order, by nobody and at the commit's time."""
    with tarfile.open(target, "w", format=tarfile.PAX_FORMAT) as tar:
        for name, source in files:
            data = source if isinstance(source, bytes) else None
            member = tarfile.TarInfo(name)
            member.mtime, member.mode = EPOCH, 0o644
            if data is None and source.stat().st_mode & 0o100:
                member.mode = 0o755
            member.size = len(data) if data is not None else source.stat().st_size
            with io.BytesIO(data) if data is not None else source.open("rb") as opened:
                tar.addfile(member, opened)


def image_archive(target):
    """The layout as one file. skopeo reads it as OCI has it, containerd and podman by a name of their own, docker by a list."""
    manifest, index = oci.manifest(LAYOUT), json.loads((LAYOUT / "index.json").read_text())
    index["manifests"][0]["annotations"] = {
        "io.containerd.image.name": f"docker.io/library/{oci.NAME}",
        "org.opencontainers.image.ref.name": VERSION,
    }
    place = lambda digest: f"blobs/{digest.replace(':', '/')}"
    layers = [place(layer["digest"]) for layer in manifest["layers"]]
    docker = [{"Config": place(manifest["config"]["digest"]), "RepoTags": [oci.NAME], "Layers": layers}]
    files = {path.relative_to(LAYOUT).as_posix(): path for path in sorted(LAYOUT.rglob("*")) if path.is_file()}
    files |= {"index.json": json.dumps(index).encode(), "manifest.json": json.dumps(docker).encode()}
    archive(target, files.items())


def chart_archive(folder):
    """The chart as helm packs it, with the commit's time on every file."""
    with tempfile.TemporaryDirectory() as scratch:
        run("helm", "package", ROOT / "helm/dudao", "--destination", scratch)
        [packed] = pathlib.Path(scratch).glob("*.tgz")
        with tarfile.open(packed) as tar:
            members = sorted((member for member in tar if member.isfile()), key=lambda member: member.name)
            files = [(member.name, tar.extractfile(member).read()) for member in members]
        plain = pathlib.Path(scratch) / "plain.tar"
        # Helm wants to read this one first.
        archive(plain, sorted(files, key=lambda file: (not file[0].endswith("/Chart.yaml") or file[0].count("/") > 1, file[0])))
        target = folder / packed.name
        target.write_bytes(run("gzip", "--no-name", "--best", "--stdout", plain))
        run("helm", "lint", "--strict", target)


def tool(bundle):
    """The operator's tool, which makes the keys before there is anything in the cluster: the program and its libraries."""
    for folder in ("bin", "lib"):
        (bundle / folder).mkdir()
    shutil.copy(ROOT / "deploy/bundle/dudao.sh", bundle / "bin/dudao")
    shutil.copy(CONTEXT / "programs/usr/local/bin/programs", bundle / "lib/programs")
    for path in context.libraries():
        shutil.copy(CONTEXT / "system" / path.lstrip("/"), bundle / "lib")


def make():
    shutil.rmtree(FOLDER, ignore_errors=True)
    bundle = FOLDER / NAME
    (bundle / "images").mkdir(parents=True)
    for kept in ("deploy/README.md", "deploy/slo.md", "deploy/kubernetes", "deploy/runbooks", "helm/dudao", "LICENSE"):
        source, target = ROOT / kept, bundle / kept
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copyfile(source, target)
    # Written only once there has been a drill.
    for kept in ROOT.glob("deploy/drills.md"):
        shutil.copyfile(kept, bundle / "deploy" / kept.name)
    chart_archive(bundle / "helm")
    image_archive(bundle / f"images/{NAME}.oci.tar")
    digest = oci.index(LAYOUT)["digest"]
    (bundle / f"images/{NAME}.digest").write_text(digest + "\n")
    shutil.copyfile(CONTEXT / "programs/usr/share/doc/dudao/sbom.cdx.json", bundle / "sbom.cdx.json")
    shutil.copy(ROOT / "deploy/bundle/load.sh", bundle / "load.sh")
    tool(bundle)
    (bundle / "README.md").write_text(
        f"# Dudao {VERSION}\n\n请先阅读 deploy/README.md。 Begin with [deploy/README.md](deploy/README.md).\n\n"
        f"Commit {REVISION}, {CREATED}; image {digest}.\n"
    )
    paths = sorted(path for path in bundle.rglob("*") if path.is_file())
    sums = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(bundle)}\n" for path in paths]
    (bundle / "SHA256SUMS").write_text("".join(sums))
    archive(FOLDER / f"{NAME}.tar", [(f"{NAME}/{path.relative_to(bundle)}", path) for path in [*paths, bundle / "SHA256SUMS"]])
    return FOLDER / f"{NAME}.tar"


def check(tar):
    """The archive, unpacked elsewhere: load.sh brings the image that was tried into a registry, and the tool runs."""
    with tempfile.TemporaryDirectory(dir=WORK) as scratch, Registry(scratch) as registry:
        run("tar", "--extract", "--file", tar, "--directory", scratch)
        folder = pathlib.Path(scratch) / NAME
        run(folder / "bin/dudao", "key", "new", f"{scratch}/key")
        words = said(folder / "load.sh", registry.address, env=os.environ | {"SSL_CERT_FILE": str(registry.certificate)})
        digest, manifest = oci.index(LAYOUT)["digest"], oci.manifest(LAYOUT)
        blobs = {layer["digest"] for layer in [manifest["config"], *manifest["layers"]]}
        if registry.manifests != {VERSION: digest} or registry.blobs.keys() - registry.kinds.keys() != blobs or f"digest: {digest}" not in words:
            sys.exit(f"load.sh pushed {registry.manifests}, not {digest}: {words}")
        run("skopeo", "copy", "--quiet", f"docker-archive:{folder}/images/{NAME}.oci.tar", f"dir:{scratch}/docker")
        damaged = folder / "helm/dudao/values.yaml"
        damaged.write_text(damaged.read_text() + "\n")
        if subprocess.run([folder / "load.sh", "--check"], capture_output=True, check=False).returncode == 0:
            sys.exit("load.sh accepts a damaged bundle")
