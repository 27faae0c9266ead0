"""The cluster as the operator finds it: nodes, names, a registry, and what others have put on it."""

import functools
import json
import pathlib
import socketserver
import sys
import threading
import time

import images
from control import Control
from node import Node
from place import ADMIN, API, BASE, BROKERS, ELSEWHERE, HERE, MAIL, PLATFORM, REGISTRY, REGISTRY_NAME, ROOT, STANDBY, TOOLS, WRITER
from place import Failed, run, said

sys.path.append(str(ROOT / "deploy/dev/image"))
from registry import Registry  # noqa: E402 (lies with the image's trial)

ACCOUNT = "province:an-account-for-pulling"
# The API groups of the custom resources whose definitions helm/tests/schemas has.
DEFINITIONS = {
    "monitoring.coreos.com/v1": ["ServiceMonitor", "PrometheusRule"], "gateway.networking.k8s.io/v1": ["Gateway", "HTTPRoute"],
    "postgresql.cnpg.io/v1": ["Cluster", "Pooler", "ScheduledBackup"], "barmancloud.cnpg.io/v1": ["ObjectStore"],
    "cert-manager.io/v1": ["Certificate", "Issuer"], "external-secrets.io/v1": ["ExternalSecret"],
}
# Pods of others, one in each namespace: who may ask the console, who may read figures, and who may do nothing.
OTHERS = {"ingress-nginx": "gateway", "monitoring": "prometheus", "elsewhere": "stranger"}


def kubectl(*words, **options):
    return said("kubectl", *words, **options)


def apply(*objects):
    kubectl("apply", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}))


def listed(kind, *words, namespace="dudao"):
    return json.loads(kubectl("get", kind, "-n", namespace, "-o", "json", *words))["items"]


def until(condition, patience, pause=0.5):
    """Waits until the condition holds; gives back the seconds that it took, or None."""
    began = time.monotonic()
    while not condition():
        if time.monotonic() - began > patience:
            return None
        time.sleep(pause)
    return time.monotonic() - began


def definition(kind, group, version):
    """A CustomResourceDefinition out of a schema of helm/tests/schemas. What it does not name is refused by `kubectl apply` anyway."""
    def structural(part):
        if isinstance(part, list):
            return [structural(one) for one in part]
        if not isinstance(part, dict):
            return part
        # Alternatives may not repeat types there; what they refuse, `make chart` refuses.
        left_out = {"oneOf", "anyOf", "allOf", "not"}
        part = {key: structural(value) for key, value in part.items() if key not in left_out and (key, value) != ("additionalProperties", False)}
        if isinstance(part.get("type"), list):
            part.pop("type")
            part["x-kubernetes-int-or-string"] = True
        if isinstance(part.get("const"), str):
            part["enum"] = [part.pop("const")]
        if isinstance(part.get("enum"), list):
            part.setdefault("type", "string")
        return part

    schema = structural(json.loads((ROOT / f"helm/tests/schemas/{kind}.json").read_text()))
    plural = kind.lower() + "s"
    return {
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}", "annotations": {"api-approved.kubernetes.io": "unapproved, a trial"}},
        "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
                 "versions": [{"name": version, "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}]},
    }


class Cluster:
    def __init__(self, nodes=2):
        self.network()
        self.control = Control()
        programs = [TOOLS / "bin" / name for name in ("pause", "coredns")]
        archives = [images.image(BASE / f"{program.name}.tar", f"localhost/{program.name}:trial", program) for program in programs]
        (BASE / "registry").mkdir()
        self.registry = Registry(BASE / "registry", REGISTRY, 5000, ACCOUNT)
        self.registry.__enter__()
        (BASE / "registry/ca.crt").write_bytes((BASE / "registry/registry.crt").read_bytes())
        self.nodes = [Node(number, self.control.authority) for number in range(1, nodes + 1)]
        for node in self.nodes:
            if until(functools.partial(self.works, node.run, "ctr", "version"), 20) is None:
                raise Failed("containerd does not start: " + node.programs["containerd"].tail())
            for archive in archives:
                node.carry_in(archive)
            node.join()
        kubectl("apply", "-f", HERE / "system.yaml")
        apply(*[definition(kind, *group.split("/")) for group, kinds in DEFINITIONS.items() for kind in kinds], self.volume(),
              *[{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}} for name in OTHERS])
        if until(lambda: len(self.ready_nodes()) == nodes, 60) is None:
            raise Failed("the nodes do not become ready: " + self.nodes[0].programs["kubelet"].tail())
        for node in self.nodes:
            node.guard(ADMIN)
        kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", "--timeout=90s")
        apply(*self.others())
        for namespace in OTHERS:
            kubectl("-n", namespace, "wait", "pods", "--all", "--for=condition=Ready", "--timeout=60s")

    @staticmethod
    def works(call, *words):
        try:
            call(*words)
            return True
        except Failed:
            return False

    @staticmethod
    def network():
        """The machines' network, with the addresses of what is beside the cluster."""
        beside = [REGISTRY, WRITER, STANDBY, *BROKERS, MAIL, PLATFORM, ELSEWHERE]
        (BASE / "hosts").write_text(f"127.0.0.1 localhost\n{REGISTRY} {REGISTRY_NAME}\n")
        run("sh", "-ec", "\n".join([
            "ip link set lo up", "ip link add fabric type bridge", f"ip address add {API}/24 dev fabric", "ip link set fabric up",
            *[f"ip address add {address}/32 dev fabric" for address in beside],
            "sysctl -qw net.ipv4.ip_forward=1", f"mount --bind {BASE}/hosts /etc/hosts",
        ]))
        # Something that answers where the values say that mail and the national platform are, and where they say nothing.
        for address, port in ((MAIL, 465), (PLATFORM, 443), (ELSEWHERE, 443)):
            server = socketserver.ThreadingTCPServer((address, port), socketserver.BaseRequestHandler)
            threading.Thread(target=server.serve_forever, daemon=True).start()

    @staticmethod
    def ready_nodes():
        nodes = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
        return [node for node in nodes for one in node["status"]["conditions"] if one["type"] == "Ready" and one["status"] == "True"]

    def others(self):
        for namespace, name in OTHERS.items():
            yield {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace}, "spec": {
                # On the node that is not drained: nobody would make them anew.
                "nodeName": self.nodes[0].name, "automountServiceAccountToken": False, "terminationGracePeriodSeconds": 1,
                "containers": [{"name": name, "image": "localhost/pause:trial", "imagePullPolicy": "Never"}]}}

    def volume(self):
        """A volume that both nodes can write: one folder of the machine that both are on."""
        folder = BASE / "evidence"
        folder.mkdir()
        where = {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In", "values": [node.name for node in self.nodes]}]}
        return {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "evidence"}, "spec": {
            "capacity": {"storage": "200Gi"}, "accessModes": ["ReadWriteMany"], "storageClassName": "shared",
            "persistentVolumeReclaimPolicy": "Retain", "local": {"path": str(folder)},
            "nodeAffinity": {"required": {"nodeSelectorTerms": [where]}}}}

    @staticmethod
    def enter(pod):
        """The words that run a program of the machine on the network of a pod, with the pod's way to find names."""
        uid = pod["metadata"]["uid"]
        for process in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                if f"pod{uid}/" in (process / "cgroup").read_text() and " /etc/resolv.conf " in (process / "mountinfo").read_text():
                    copy = BASE / f"resolv-{uid}.conf"
                    copy.write_text((process / "root/etc/resolv.conf").read_text())
                    script = f"mount --bind {copy} /etc/resolv.conf && exec \"$@\""
                    return ["nsenter", f"--target={process.name}", "--net", "--", "unshare", "--mount", "sh", "-c", script, "sh"]
            except (FileNotFoundError, ProcessLookupError):
                # It has ended meanwhile.
                continue
        raise Failed(f"no process of pod {pod['metadata']['name']} is found")

    def inside(self, pod, *words, **options):
        return run(*self.enter(pod), *words, **options)

    def probe(self, pod, targets):
        """Which of the targets (address, port) the pod reaches."""
        answer = self.inside(pod, sys.executable, "-B", HERE / "probe.py", stdin=json.dumps(targets))
        return [tuple(target) for target in json.loads(answer.stdout)]
