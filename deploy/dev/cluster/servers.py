"""What the manifests of deploy/kubernetes ask of operators whose images cannot be had without pulling: PostgreSQL with a standby, three
NATS servers, their certificates, Secrets and names. The servers are real and run beside the cluster; the manifests are read, so that
a database, a role, a parameter or a name of a certificate that is missing there is missing here.
"""

import base64
import json
import pathlib
import signal
import socket
import time

import yaml
from certificates import Authority
from cluster import apply
from place import BASE, BROKERS, ROOT, STANDBY, WRITER, Failed, Program, run, said

NAMESPACE = "dudao"
MANIFESTS = ROOT / "deploy/kubernetes"
PG = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: int(path.parent.name))[-1]


def manifest(name, kind):
    [found] = [one for one in yaml.safe_load_all((MANIFESTS / name).read_text()) if one["kind"] == kind]
    return found


def secret(name):
    data = json.loads(said("kubectl", "-n", NAMESPACE, "get", "secret", name, "-o", "json"))["data"]
    return {key: base64.b64decode(value).decode() for key, value in data.items()}


def authority_secret(name, authority):
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": NAMESPACE},
            "stringData": {"ca.crt": authority.certificate.read_text()}}


def name_for(service, port, addresses):
    """A Service for servers beside the cluster."""
    metadata = {"name": service, "namespace": NAMESPACE}
    ports = [{"name": "server", "port": port, "protocol": "TCP"}]
    return [
        {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": {"ports": ports}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4", "ports": ports,
         "metadata": metadata | {"labels": {"kubernetes.io/service-name": service}},
         "endpoints": [{"addresses": [address]} for address in addresses]},
    ]


# PostgreSQL refuses to be root.
AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"]


def as_postgres(*words, **options):
    return run(*AS_POSTGRES, *words, cwd="/", **options)


class Postgres:
    """The cluster of postgres.yaml: a writer and one of its standbys."""

    def __init__(self):
        self.folder = BASE / "postgres"
        self.folder.mkdir()
        self.spec = manifest("postgres.yaml", "Cluster")["spec"]
        authority = Authority(BASE / "postgres-ca", "dudao-postgres")
        # As CloudNativePG names them.
        names = [f"dudao-postgres-{kind}{end}" for kind in ("rw", "ro", "r") for end in ("", ".dudao", ".dudao.svc")]
        certificate, key = authority.issue("server", "/CN=dudao-postgres-rw", *[f"DNS:{name}" for name in names])
        for file in (certificate, key):
            target = self.folder / file.name
            target.write_bytes(file.read_bytes())
            target.chmod(0o600)
        run("chown", "-R", "postgres:", self.folder)
        self.initialise()
        self.standby()
        apply(authority_secret("dudao-postgres-ca", authority),
              *name_for("dudao-postgres-rw", 5432, [WRITER]), *name_for("dudao-postgres-ro", 5432, [STANDBY]))

    def settings(self, address):
        asked = self.spec["postgresql"]["parameters"]
        own = {
            "listen_addresses": address, "unix_socket_directories": "", "hot_standby": "on", "wal_level": "replica",
            "ssl": "on", "ssl_cert_file": self.folder / "server.crt", "ssl_key_file": self.folder / "server.key",
            # The machine is smaller than the province's, and nothing here has to outlive it.
            "shared_buffers": "256MB", "fsync": "off",
        }
        return "".join(f"{name} = '{value}'\n" for name, value in (asked | own).items())

    def initialise(self):
        data, asked = self.folder / "writer", self.spec["bootstrap"]["initdb"]
        # The superuser is CloudNativePG's own affair; here only this machine may be it.
        as_postgres(PG / "initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", asked["encoding"], "--locale=C.UTF-8", "--data-checksums",
                    f"--lc-collate={asked['localeCollate']}", f"--lc-ctype={asked['localeCType']}")
        with (data / "postgresql.conf").open("a") as file:
            file.write(self.settings(WRITER))
        (data / "pg_hba.conf").write_text(
            f"host all postgres {WRITER}/32 trust\nhost replication postgres {WRITER}/32 trust\n"
            f"host replication postgres {STANDBY}/32 trust\nhostssl all all 0.0.0.0/0 scram-sha-256\n"
        )
        self.writer = self.serve("writer", WRITER)
        role = secret(asked["secret"]["name"])
        owner = asked["owner"]
        words = [f"CREATE ROLE {owner} LOGIN PASSWORD '{role['password']}'", f"CREATE DATABASE {asked['database']} OWNER {owner}"]
        words += asked["postInitSQL"]
        for managed in self.spec["managed"]["roles"]:
            password = secret(managed["passwordSecret"]["name"])["password"]
            words.append(f"ALTER ROLE {managed['name']} LOGIN PASSWORD '{password}'")
        self.sql("postgres", *words)
        self.sql(asked["database"], *asked["postInitApplicationSQL"])

    def standby(self):
        data = self.folder / "standby"
        source = ["-d", f"host={WRITER} user=postgres", "-R", "-C", "-S", "standby", "-X", "stream", "-c", "fast"]
        as_postgres(PG / "pg_basebackup", "-D", data, *source)
        with (data / "postgresql.conf").open("a") as file:
            file.write(self.settings(STANDBY))
        self.reader = self.serve("standby", STANDBY)

    def serve(self, name, address):
        program = Program(f"postgres-{name}", *AS_POSTGRES, PG / "postgres", "-D", self.folder / name, cwd="/")
        until = time.monotonic() + 30
        while True:
            try:
                as_postgres(PG / "pg_isready", "-q", "-h", address)
                return program
            except Failed:
                if time.monotonic() > until:
                    raise Failed(program.tail())
                time.sleep(0.2)

    def stop(self):
        """The writer ends and cuts its connections."""
        self.writer.stop(signal.SIGINT)

    def start(self):
        self.writer.start()

    def sql(self, database, *statements):
        words = [word for statement in statements for word in ("-c", statement)]
        return as_postgres("psql", "-v", "ON_ERROR_STOP=1", "-h", WRITER, "-U", "postgres", "-d", database, "-qtA", *words).stdout.strip()


class Brokers:
    """The three servers of nats-values.yaml, with the certificate of nats-certificate.yaml."""

    def __init__(self):
        values = yaml.safe_load((MANIFESTS / "nats-values.yaml").read_text())["config"]
        certificates = yaml.safe_load_all((MANIFESTS / "nats-certificate.yaml").read_text())
        [names] = [one["spec"]["dnsNames"] for one in certificates if one["spec"].get("secretName") == "dudao-nats-tls"]
        authority = Authority(BASE / "nats-ca", "dudao-nats-ca")
        # Among themselves they go by addresses here.
        names = [*[f"DNS:{name}" for name in names], *[f"IP:{address}" for address in BROKERS]]
        certificate, key = authority.issue("server", "/CN=dudao-nats", *names)
        tls = {"cert_file": str(certificate), "key_file": str(key), "ca_file": str(authority.certificate)}
        routes = [f"nats://{address}:6222" for address in BROKERS]
        users = BASE / "users.conf"
        users.touch(mode=0o600)
        users.write_text(secret("dudao-nats")["users.conf"])
        self.programs = []
        for number, address in enumerate(BROKERS):
            settings = {
                "server_name": f"dudao-nats-{number}", "listen": f"{address}:4222", "tls": tls,
                "jetstream": {"store_dir": str(BASE / f"nats-{number}")} | values["jetstream"]["merge"],
                "cluster": {"name": "dudao-nats", "listen": f"{address}:6222", "routes": routes, "tls": tls} | values["cluster"]["merge"],
            }
            file = BASE / f"nats-{number}.conf"
            # As the chart of NATS writes it, with what secrets.sh has made.
            file.write_text("{\n include users.conf;" + json.dumps(settings, indent=1)[1:])
            self.programs.append(Program(f"nats-{number}", "nats-server", "-c", file))
        apply(authority_secret("dudao-nats-ca", authority), *name_for("dudao-nats", 4222, BROKERS))

    @staticmethod
    def asks_for_a_password():
        """What each server says of itself before anybody has said who it is."""
        def told(address):
            with socket.create_connection((address, 4222), timeout=10) as connection, connection.makefile() as lines:
                return json.loads(lines.readline().removeprefix("INFO "))

        return all(told(address).get("auth_required") for address in BROKERS)

    def stop(self):
        for program in self.programs:
            program.stop()

    def start(self):
        for program in self.programs:
            program.start()
