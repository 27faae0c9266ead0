"""Images of one static program each, as an archive that containerd imports: nothing is pulled."""

import gzip
import hashlib
import io
import json
import tarfile


def archive(files):
    """A tar of (name, bytes, mode)."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data, mode in files:
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(data), mode
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def image(target, name, program):
    """The image `name` with this program as its only file."""
    blobs = {}

    def blob(kind, data):
        digest = hashlib.sha256(data).hexdigest()
        blobs[f"blobs/sha256/{digest}"] = data
        return {"mediaType": f"application/vnd.oci.image.{kind}", "digest": f"sha256:{digest}", "size": len(data)}

    text = lambda value: json.dumps(value).encode()
    layer = archive([(program.name, program.read_bytes(), 0o755)])
    configuration = {
        "architecture": "amd64", "os": "linux", "config": {"Entrypoint": [f"/{program.name}"]},
        "rootfs": {"type": "layers", "diff_ids": [f"sha256:{hashlib.sha256(layer).hexdigest()}"]},
    }
    manifest = blob("manifest.v1+json", text({
        "schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": blob("config.v1+json", text(configuration)),
        "layers": [blob("layer.v1.tar+gzip", gzip.compress(layer, 1))],
    }))
    manifest["annotations"] = {"io.containerd.image.name": name}
    blobs["index.json"] = text({"schemaVersion": 2, "manifests": [manifest]})
    blobs["oci-layout"] = text({"imageLayoutVersion": "1.0.0"})
    target.write_bytes(archive([(path, data, 0o644) for path, data in blobs.items()]))
    return target
