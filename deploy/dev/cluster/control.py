"""The control plane: etcd, API server, controller manager, scheduler, each as upstream builds it."""

import json
import time

from certificates import Authority
from place import ADMIN, API, BASE, CONTROL, PODS, SERVICES, Failed, Program, run, said

SERVER = f"https://{API}:6443"


def kubeconfig(target, authority, who, *groups):
    """A file by which somebody speaks to the API server, as himself."""
    subject = "".join(f"/O={group}" for group in groups) + f"/CN={who}"
    certificate, key = authority.issue(who.replace(":", "-"), subject)
    target.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "trial",
        "clusters": [{"name": "trial", "cluster": {"server": SERVER, "certificate-authority": str(authority.certificate)}}],
        "users": [{"name": who, "user": {"client-certificate": str(certificate), "client-key": str(key)}}],
        "contexts": [{"name": "trial", "context": {"cluster": "trial", "user": who}}],
    }))
    return target


class Control:
    def __init__(self):
        self.authority = Authority(CONTROL, "trial-cluster")
        admin = kubeconfig(ADMIN, self.authority, "admin", "system:masters")
        certificate, key = self.authority.issue(
            "server", "/CN=kube-apiserver", f"IP:{API}", "IP:10.92.0.1", "DNS:kubernetes.default.svc", "DNS:kubernetes"
        )
        to_kubelets = self.authority.issue("to-kubelets", "/O=system:masters/CN=kube-apiserver")
        accounts = CONTROL / "accounts.key"
        run("openssl", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048", "-out", accounts)
        Program(
            "etcd", "etcd", "--data-dir", BASE / "etcd", "--unsafe-no-fsync", "--log-level=warn",
            "--listen-client-urls=http://127.0.0.1:2379", "--advertise-client-urls=http://127.0.0.1:2379",
            "--listen-peer-urls=http://127.0.0.1:2380",
        )
        Program(
            "kube-apiserver", "kube-apiserver", "--etcd-servers=http://127.0.0.1:2379",
            f"--bind-address={API}", f"--advertise-address={API}", f"--service-cluster-ip-range={SERVICES}",
            f"--client-ca-file={self.authority.certificate}", f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}",
            f"--kubelet-client-certificate={to_kubelets[0]}", f"--kubelet-client-key={to_kubelets[1]}",
            # For logs; nobody here knows the nodes' names.
            "--kubelet-preferred-address-types=InternalIP",
            f"--service-account-key-file={accounts}", f"--service-account-signing-key-file={accounts}",
            "--service-account-issuer=https://kubernetes.default.svc", "--authorization-mode=Node,RBAC",
            "--enable-admission-plugins=NodeRestriction", "--allow-privileged=true",
        )
        self.wait()
        common = [f"--kubeconfig={admin}", "--leader-elect=false"]
        Program(
            "kube-controller-manager", "kube-controller-manager", *common, f"--cluster-cidr={PODS}",
            "--use-service-account-credentials", f"--root-ca-file={self.authority.certificate}", f"--service-account-private-key-file={accounts}",
        )
        Program("kube-scheduler", "kube-scheduler", *common)

    def wait(self):
        until = time.monotonic() + 60
        while True:
            try:
                said("kubectl", "get", "--raw", "/readyz")
                return
            except Failed:
                if time.monotonic() > until:
                    raise
                time.sleep(0.3)
