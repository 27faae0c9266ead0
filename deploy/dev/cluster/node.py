"""A node: namespaces of its own (network, mounts, name), and in them containerd, kubelet, kube-proxy and kube-router. It has the
folders /run, /var/lib and /var/log for itself, so that everything lies where it lies on a real one.
"""

import json
import pathlib
import time

from control import kubeconfig
from place import API, BASE, DNS, NET, PODS, REGISTRY_NAME, SERVICES, TOOLS, Program, run

GROUPS = pathlib.Path("/sys/fs/cgroup")
# Under the name of this run's folder, so that two runs do not meet and the outer process can clear them away.
GROUP = BASE.name
CONTAINERD = """\
version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:trial"
  # Root may not be allowed to spare processes more than itself (CAP_SYS_RESOURCE).
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{tools}/cni"
    conf_dir = "{folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      BinaryName = "{tools}/bin/runc"
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "{folder}/registries"
"""


def groups():
    """Folders of this run in each hierarchy of control groups."""
    return [path / GROUP for path in GROUPS.iterdir() if path.is_dir() and not path.is_symlink()]


class Node:
    def __init__(self, number, authority):
        self.name = f"node-{number}"
        self.address, self.pods = f"{NET}.{100 + number}", f"10.91.{number}.0/24"
        self.folder = BASE / self.name
        self.holder = Program(self.name, "unshare", "--net", "--mount", "--uts", "sleep", "infinity")
        self.programs = {}
        self.unshared()
        self.lay(authority)
        self.network()
        self.program("containerd", "containerd", "--config", self.folder / "containerd.toml")

    def unshared(self):
        """Waits until the namespaces are there: their holder has become what it is to be."""
        while pathlib.Path(f"/proc/{self.holder.process.pid}/comm").read_text() != "sleep\n":
            time.sleep(0.01)

    def words(self, *words):
        """The words that run a command on this node."""
        return ["nsenter", f"--target={self.holder.process.pid}", "--net", "--mount", "--uts", "--", *map(str, words)]

    def run(self, *words, **options):
        return run(*self.words(*words), **options)

    def program(self, name, *words):
        self.programs[name] = Program(f"{self.name}-{name}", *self.words(*words))

    def lay(self, authority):
        for name in ("run", "lib", "log", "cni", f"registries/{REGISTRY_NAME}:5000", "lib/kubelet", "lib/cni"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        (self.folder / "containerd.toml").write_text(CONTAINERD.format(tools=TOOLS, folder=self.folder))
        # The bureau's registry, as a node is told of it.
        (self.folder / f"registries/{REGISTRY_NAME}:5000/hosts.toml").write_text(
            f'server = "https://{REGISTRY_NAME}:5000"\n[host."https://{REGISTRY_NAME}:5000"]\n'
            f'  capabilities = ["pull", "resolve"]\n  ca = "{BASE}/registry/ca.crt"\n'
        )
        # Pods are reached by routes, without a bridge.
        (self.folder / "cni/10-pods.conflist").write_text(json.dumps({
            "cniVersion": "0.4.0", "name": "pods", "plugins": [{
                "type": "ptp", "ipam": {"type": "host-local", "ranges": [[{"subnet": self.pods}]], "routes": [{"dst": "0.0.0.0/0"}]},
            }],
        }))
        (self.folder / "resolv.conf").write_text("")
        kubeconfig(self.folder / "kubelet.conf", authority, f"system:node:{self.name}", "system:nodes")
        kubeconfig(self.folder / "proxy.conf", authority, "system:kube-proxy")
        (self.folder / "kubelet.json").write_text(json.dumps({
            "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
            "authentication": {"anonymous": {"enabled": False}, "x509": {"clientCAFile": str(authority.certificate)}},
            "authorization": {"mode": "Webhook"},
            "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{GROUP}/{self.name}", "failSwapOn": False,
            "clusterDNS": [DNS], "clusterDomain": "cluster.local", "resolvConf": str(self.folder / "resolv.conf"),
            "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
            # The machine's disk is whoever's; what lies there does not concern this node.
            "evictionHard": {"memory.available": "100Mi"}, "imageGCHighThresholdPercent": 100,
        }))
        (self.folder / "proxy.json").write_text(json.dumps({
            "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration", "mode": "iptables",
            "clientConnection": {"kubeconfig": str(self.folder / "proxy.conf")}, "clusterCIDR": PODS,
            # These would be the machine's.
            "conntrack": {"maxPerCore": 0, "min": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
        }))
        for parent in groups():
            self.group(parent / self.name)

    @staticmethod
    def group(folder):
        """A control group; one of cpuset is of no use until it has what its parent has."""
        for each in (folder.parent, folder):
            each.mkdir(exist_ok=True)
            for name in ("cpuset.cpus", "cpuset.mems"):
                if (each / name).exists() and not (each / name).read_text().strip():
                    (each / name).write_text((each.parent / name).read_text())

    def network(self):
        pid = str(self.holder.process.pid)
        run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", pid)
        run("ip", "link", "set", self.name, "master", "fabric", "up")
        run("ip", "route", "add", self.pods, "via", self.address)
        script = [f"hostname {self.name}", "ip link set lo up", f"ip address add {self.address}/24 dev eth0", "ip link set eth0 up",
                  f"ip route add default via {API}", "sysctl -qw net.ipv4.ip_forward=1"]
        script += [f"mount --bind {self.folder}/{own} {path}" for own, path in (("run", "/run"), ("lib", "/var/lib"), ("log", "/var/log"))]
        self.run("sh", "-ec", "\n".join(script))

    def carry_in(self, archive):
        self.run("ctr", "--namespace", "k8s.io", "images", "import", archive)

    def join(self):
        self.program(
            "kubelet", "kubelet", f"--config={self.folder / 'kubelet.json'}", f"--kubeconfig={self.folder / 'kubelet.conf'}",
            f"--node-ip={self.address}", f"--hostname-override={self.name}",
        )
        self.program("kube-proxy", "kube-proxy", f"--config={self.folder / 'proxy.json'}", f"--hostname-override={self.name}")

    def guard(self, admin):
        """What enforces NetworkPolicies; it wants to know its node, so the node has to have joined."""
        self.program(
            "kube-router", "kube-router", f"--kubeconfig={admin}", f"--hostname-override={self.name}",
            "--run-router=false", "--run-service-proxy=false", "--run-firewall=true", "--run-loadbalancer=false",
            f"--service-cluster-ip-range={SERVICES}", "--metrics-port=0",
        )
