"""Tries the image as a cluster would run it: its layers laid over each other, a root file system that cannot be written to, user
65532 without any right, no way out of the machine.

What is tried is what the chart renders: each pod's command with its configuration and secrets mounted where the pod has them.
"""

import base64
import fcntl
import http.client
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import ssl
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid

import context
import oci
import sbom
import yaml
from commit import CREATED, LAYOUT, REVISION, ROOT, VERSION, WORK, run, said

BASE = WORK / "trial"
IMAGE = BASE / "root"
# What a pod mounts: the folder on this machine → the place in the image.
CONFIG, KEYS, SECRETS, FILES, SCRATCH = (BASE / name for name in ("config", "keys", "secrets", "files", "scratch"))
MOUNTS = {CONFIG: "/etc/dudao/config", KEYS: "/etc/dudao/keys", SECRETS: "/run/secrets/dudao", FILES: "/var/lib/dudao/files",
          SCRATCH: "/tmp", BASE / "hosts": "/etc/hosts", BASE / "resolv.conf": "/etc/resolv.conf"}
# The pod of a runtime, by util-linux: $1 is the image, then pairs of source and place, then `--` and the command.
POD = """
set -eu
root=$1; shift
mount --bind "$root" "$root"
while [ "$1" != -- ]; do mount --bind "$1" "$root$2"; shift 2; done
shift
mount -o remount,bind,ro,nosuid,nodev "$root"
mount -t proc -o nosuid,noexec,nodev proc "$root/proc"
cd "$root"
exec setpriv --no-new-privs --inh-caps=-all --ambient-caps=-all --bounding-set=-all,+sys_chroot,+setuid,+setgid \\
    chroot --userspec=+65532:+65532 --groups= "$root" "$@"
"""
LIMIT = 30

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


def pod(*command):
    """The words that run a command in the image; they need a network of their own (see `main`)."""
    mounts = [str(word) for pair in MOUNTS.items() for word in pair]
    cage = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--ipc", "--uts"]
    return [*cage, "bash", "-c", POD, "pod", str(IMAGE), *mounts, "--", *command]


def inside(*command):
    environment = {"PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"}
    return subprocess.run(pod(*command), capture_output=True, text=True, check=False, env=environment, timeout=LIMIT)


def unpack():
    """Lays the layers over each other, as a runtime does, and makes what it makes for its own mounts."""
    shutil.rmtree(BASE, ignore_errors=True)
    for folder in (IMAGE, CONFIG, KEYS, SECRETS, FILES, SCRATCH):
        folder.mkdir(parents=True)
    for layer in oci.layers(LAYOUT):
        # As they are, with their rights: newer versions of Python would change them.
        layer.extraction_filter = lambda member, _: member
        layer.extractall(IMAGE)
    for name in ("hosts", "resolv.conf"):
        (IMAGE / "etc" / name).touch()
    (BASE / "hosts").write_text("127.0.0.1 localhost\n")
    (BASE / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:2\n")
    for folder in (FILES, SCRATCH):
        os.chown(folder, context.USER, context.USER)


def check_files():
    allowed = {*context.TEXTS, "etc/os-release", "etc/ssl/certs/ca-certificates.crt"}
    for layer in oci.layers(LAYOUT):
        for member in layer:
            where = f"/{member.name}"
            if (member.uid, member.gid) != (0, 0):
                fault(where, f"belongs to {member.uid}:{member.gid}, not to root")
            if member.mode & 0o6000:
                fault(where, "runs with the rights of its owner")
            if member.mode & 0o002 and not member.issym() and member.name != "tmp":
                fault(where, "can be written by anyone")
            if not (member.isfile() or member.isdir() or member.issym()):
                fault(where, "is neither a file nor a folder nor a link")
            if member.mtime != int(oci.EPOCH):
                fault(where, "has another time than the commit")
            executable = member.isfile() and member.mode & 0o111
            if executable and not re.fullmatch(r"usr/local/bin/(programs|documents)|lib(64)?/.*\.so[.\d]*", member.name):
                fault(where, "can be executed, and is no program of ours")
            if member.name.startswith("etc/") and member.isfile() and member.name not in allowed:
                fault(where, "is not expected in /etc")
    packed, unpacked = oci.sizes(LAYOUT)
    if packed > oci.LIMIT:
        fault("size", f"{packed / 1e6:.1f} MB to carry; the limit is {oci.LIMIT / 1e6:.0f}")
    return packed, unpacked


def check_labels():
    config = oci.configuration(LAYOUT)
    labels = {name.removeprefix("org.opencontainers.image."): value for name, value in config["config"]["Labels"].items()}
    expected = {"title": "dudao", "version": VERSION, "revision": REVISION, "created": CREATED, "licenses": "Apache-2.0"}
    for name, value in expected.items():
        if labels.get(name) != value:
            fault(f"label {name}", f"is {labels.get(name)!r}, not {value!r}")
    for name in config["config"]["Labels"]:
        if not name.startswith("org.opencontainers.image."):
            fault(f"label {name}", "tells of the machine that built the image")
    if config["config"]["User"] != f"{context.USER}:{context.USER}" or config["created"] != CREATED:
        fault("configuration", f"user {config['config']['User']}, created {config['created']}")


def check_bill():
    text = (IMAGE / "usr/share/doc/dudao/sbom.cdx.json").read_text()
    if error := sbom.check(text):
        fault("sbom.cdx.json", str(error))
    names = {component["name"] for component in json.loads(text)["components"]}
    for name in {"tokio", "typst", "sqlx", "libc6", "ca-certificates", *context.FANDOL, *context.OTHER_FONTS} - names:
        fault("sbom.cdx.json", f"{name} is missing")


def rendered():
    """The pods of the chart: (name, command, configuration file, its text, files of secrets)."""
    words = ["helm", "template", "dudao", ROOT / "helm/dudao", "--values", ROOT / "helm/dudao/values-minimal.yaml"]
    objects = [one for one in yaml.safe_load_all(said(*words)) if one]
    configs = {one["metadata"]["name"]: one["data"] for one in objects if one["kind"] == "ConfigMap"}
    for one in objects:
        if one["kind"] not in ("Deployment", "Job", "CronJob"):
            continue
        job = one["spec"]["jobTemplate"] if one["kind"] == "CronJob" else one
        spec = job["spec"]["template"]["spec"]
        [container] = spec["containers"]
        volumes = {volume["name"]: volume for volume in spec["volumes"]}
        sources = volumes["secrets"]["projected"]["sources"]
        files = [item["path"] for source in sources for item in source["secret"]["items"]]
        yield one["metadata"]["name"], container["command"] + container.get("args", []), configs[volumes["config"]["configMap"]["name"]], files


def mount(data, files):
    """Gives the pod's configuration and secrets to the next commands."""
    for folder in (CONFIG, SECRETS):
        for file in folder.iterdir():
            file.unlink()
    for name, text in data.items():
        (CONFIG / name).write_text(text)
        # The tool's pod has the public halves of the journals' keys where others have those of tokens, which pass them over.
        for key in re.findall(r"/etc/dudao/keys/([-\w]+\.pub)", text):
            (KEYS / key).write_text(secrets.token_hex(32) + "\n")
    for name in files:
        kept = BASE / "made" / name
        if not kept.exists():
            kept.parent.mkdir(exist_ok=True)
            if name.endswith(("journal-key", "platform-key", "rendition-key")):
                made = inside("/usr/local/bin/dudao", "key", "new", f"/tmp/{name}")
                if made.returncode != 0:
                    fault("dudao key new", made.stderr)
                    continue
                shutil.copyfile(SCRATCH / name, kept)
            else:
                kept.write_text(secrets.token_hex(32))
        # Kubernetes mounts secrets with the pod's group.
        shutil.copyfile(kept, SECRETS / name)
        os.chown(SECRETS / name, 0, context.USER)
        (SECRETS / name).chmod(0o440)


def check_programs():
    """Everything that is called a program answers, and every pod's own command accepts what the pod mounts."""
    found = sorted(path.name for path in (IMAGE / "usr/local/bin").iterdir() if path.name != "programs")
    for name in found:
        answer = inside(f"/usr/local/bin/{name}", "--help")
        if answer.returncode != 0 or f"Usage: {name}" not in answer.stdout:
            fault(f"{name} --help", answer.stderr or answer.stdout)
    pods = list(rendered())
    for name, command, data, files in pods:
        mount(data, files)
        checked = inside(*[word for word in command if word != "--migrate"], "--check-config")
        if checked.returncode != 0:
            fault(f"{name}, configuration", checked.stderr)
    return found, pods


def check_cage():
    """The cage of the trial is one: else everything above would prove nothing."""
    for place in ("/key", "/usr/local/bin/key", "/usr/share/dudao/key", "/etc/dudao/config/key"):
        if inside("/usr/local/bin/dudao", "key", "new", place).returncode == 0:
            fault(place, "could be written")
    for shell in ("/bin/sh", "/bin/bash", "/usr/bin/env", "/bin/busybox"):
        answer = inside(shell, "-c", "exit 0")
        if answer.returncode != 127:
            fault(shell, f"is there: {answer}")


def check_days():
    """Calendars and time zones are within: no file of the system is needed for them."""
    words = ["due", "2026-09-29", "5wd", "--county", "469028", "--rulebook", "/usr/share/dudao/rulebook"]
    answer = inside("/usr/local/bin/dudao", *words)
    if answer.returncode != 0 or "2026-10-12" not in answer.stdout:
        fault("dudao due", answer.stderr or answer.stdout)


class Names(threading.Thread):
    """A name server that knows every name: this machine."""

    def __init__(self):
        super().__init__(daemon=True)
        self.asked = set()
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 53))

    def run(self):
        while True:
            query, sender = self.socket.recvfrom(512)
            labels, place = [], 12
            while query[place]:
                labels.append(query[place + 1 : place + 1 + query[place]].decode())
                place += 1 + query[place]
            kind, question = struct.unpack("!H", query[place + 1 : place + 3])[0], query[12 : place + 5]
            self.asked.add(".".join(labels))
            answers = b"" if kind != 1 else struct.pack("!HHHIH4s", 0xC00C, 1, 1, 60, 4, socket.inet_aton("127.0.0.1"))
            self.socket.sendto(query[:2] + struct.pack("!HHHHH", 0x8180, 1, 1 if answers else 0, 0, 0) + question + answers, sender)


def listener(port):
    server = socket.create_server(("127.0.0.1", port))
    server.settimeout(LIMIT)
    return server


def check_names(pods, names):
    """The migration of a service finds its database by name, and stops when it is told to."""
    [(_, command, data, files)] = [one for one in pods if one[0].endswith("tasks-migrate")]
    mount(data, files)
    with listener(5432) as database, subprocess.Popen(pod(*command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
        try:
            # A server that does not answer: the service waits for it when it is told to stop.
            connection, _ = database.accept()
        except TimeoutError:
            fault("tasks", f"does not find its database: {stop(process)[1]}")
            return
        with connection:
            code, text = stop(process)
        if code != 0:
            fault("tasks", f"ended with {code} when told to stop: {text}")
    if not any("postgres" in name for name in names.asked):
        fault("tasks", f"asked the name server for {sorted(names.asked)} only")


def stop(process):
    """Asks the pod's first process to end (SIGTERM, as a cluster does), waits, and gives back its exit code and what it said."""
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    for child in children:
        os.kill(int(child), 15)
    try:
        text = process.communicate(timeout=LIMIT)[0].decode(errors="replace")
    except subprocess.TimeoutExpired:
        process.kill()
        return "no end", process.communicate()[0].decode(errors="replace")
    return process.returncode, text


def check_authorities():
    """Servers are trusted by the certificates in the image: one that nobody vouches for is refused for that reason."""
    bundle = IMAGE / "etc/ssl/certs/ca-certificates.crt"
    trusted = len(ssl.create_default_context(cafile=bundle).get_ca_certs())
    delivered = len(context.certificates()[0])
    if trusted != delivered or trusted < 100:
        fault("ca-certificates.crt", f"holds {trusted} authorities, the package {delivered}")
    # No settings of this machine: the certificate is a server's, not an authority's.
    (BASE / "openssl.cnf").write_text("[req]\ndistinguished_name=name\n[name]\n")
    kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    own = ["-subj", "/CN=registry.trial", "-addext", "subjectAltName=DNS:registry.trial"]
    files = ["-keyout", BASE / "own.key", "-out", BASE / "own.crt"]
    run("openssl", "req", "-x509", "-config", BASE / "openssl.cnf", *kind, *own, *files)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(BASE / "own.crt", BASE / "own.key")
    alerts = []

    def serve(incoming):
        try:
            server.wrap_socket(incoming.accept()[0], server_side=True)
            alerts.append("accepted")
        except OSError as error:
            alerts.append(str(error))

    (SCRATCH / "token").write_text("x")
    (SCRATCH / "accounts.csv").write_text("x\n")
    with listener(8443) as incoming:
        thread = threading.Thread(target=serve, args=[incoming])
        thread.start()
        address = "https://registry.trial:8443"
        answer = inside("/usr/local/bin/dudao", "import", "/tmp/accounts.csv", "--registry", address, "--token-file", "/tmp/token")
        thread.join(LIMIT)
    if answer.returncode == 0 or not any("unknown ca" in alert.lower() for alert in alerts):
        fault("TLS", f"a stranger's certificate: {alerts}, {answer.stderr}")


def frozen(value):
    """The canonical form of a content: members in order, nothing that is empty."""
    def full(part):
        if isinstance(part, dict):
            return {name: full(inner) for name, inner in part.items() if inner not in (None, [])}
        return [full(inner) for inner in part] if isinstance(part, list) else part
    return json.dumps(full(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def token():
    """A token as the registry signs them; its public half is among the mounted keys."""
    private = BASE / "trial.key"
    run("openssl", "genpkey", "-algorithm", "ed25519", "-out", private)
    run("openssl", "pkey", "-in", private, "-pubout", "-out", KEYS / "trial.pem")
    now = int(time.time())
    subject, number = str(uuid.uuid4()), str(uuid.uuid4())
    claims = {"iss": "dudao", "aud": "dudao", "sub": subject, "iat": now, "exp": now + 600, "jti": number, "name": "trial",
              "grants": [{"role": "operator"}]}
    parts = [{"alg": "EdDSA", "typ": "JWT", "kid": "trial"}, claims]
    text = b".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in parts)
    with tempfile.NamedTemporaryFile() as file:
        file.write(text)
        file.flush()
        signature = run("openssl", "pkeyutl", "-sign", "-rawin", "-inkey", private, "-in", file.name)
    return (text + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def check_rendering(pods):
    """The room of documents, started as the chart starts it, makes a letter with the image's fonts; the same letter twice."""
    [(_, command, data, files)] = [one for one in pods if one[0].endswith("-documents")]
    mount(data, files)
    bearer = token()
    content = frozen(json.loads((ROOT / "crates/documents/samples/opinion_letter.json").read_text()))
    process = subprocess.Popen(pod(*command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    made, until = [], time.monotonic() + LIMIT
    while len(made) < 2 and time.monotonic() < until and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", 8080, timeout=LIMIT)
        try:
            headers = {"authorization": f"Bearer {bearer}", "content-type": "application/json"}
            connection.request("POST", "/v1/documents/render", content, headers)
            answer = connection.getresponse()
            body = answer.read()
        except ConnectionRefusedError:
            # Until the process listens.
            time.sleep(0.05)
            continue
        finally:
            connection.close()
        if answer.status != 200:
            fault("documents", f"{answer.status} {body.decode(errors='replace')}")
            break
        made.append(body)
    code, text = stop(process)
    if code != 0:
        fault("documents", f"ended with {code} when told to stop")
    if len(made) < 2 or not made[0].startswith(b"%PDF") or made[0] != made[1]:
        fault("documents", f"no letter, or two different ones: {text}")
        return
    (BASE / "letter.pdf").write_bytes(made[0])
    fonts = said("pdffonts", BASE / "letter.pdf")
    for family in ("FandolSong", "FandolFang"):
        if family not in fonts:
            fault("documents", f"the letter is not set in {family}:\n{fonts}")


def loopback():
    """Brings up the one interface of this network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        # SIOCSIFFLAGS; IFF_UP, IFF_LOOPBACK and IFF_RUNNING.
        fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 0x49))


def main():
    loopback()
    names = Names()
    names.start()
    unpack()
    packed, unpacked = check_files()
    check_labels()
    check_bill()
    token()
    found, pods = check_programs()
    check_cage()
    check_days()
    check_names(pods, names)
    check_authorities()
    check_rendering(pods)
    if faults:
        sys.exit("\n".join(faults) + f"\n{len(faults)} faults")
    print(f"{len(found)} programs, {len(pods)} pods: all in order; {packed / 1e6:.1f} MB to carry, {unpacked / 1e6:.1f} MB on a node")


if __name__ == "__main__":
    main()
