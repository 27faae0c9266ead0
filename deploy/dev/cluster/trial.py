"""The trial: deploy/README.md followed to the letter on the cluster, and then what the chart promises, one line for each finding."""

import contextlib
import html
import json
import os
import re
import subprocess
import sys
import time

import yaml
from cluster import ACCOUNT, OTHERS, Cluster, kubectl, listed, until
from place import BASE, BROKERS, ELSEWHERE, HERE, MAIL, PLATFORM, REGISTRY_NAME, ROOT, STANDBY, WRITER, Failed, note, run, said
from release import COUNT, DATABASES, SELECTOR, SERVICES, after, complaints, component_of, condition, helm, name_of, pods, ready, replicas
from release import restarts, rolled_out, settled, state, warnings
from report import check, closing, figure, step
from servers import MANIFESTS, NAMESPACE, Brokers, Postgres, secret

CHART, VALUES = ROOT / "helm/dudao", BASE / "hainan.yaml"
CONSOLE, PORTAL = "dudao-console.dudao", "dudao-publication.dudao"
HIDDEN = re.compile(r'<input type="hidden" name="([^"]*)" value="([^"]*)"')


def ours(*words, **options):
    return kubectl("-n", NAMESPACE, *words, **options)


class Trial:
    def __init__(self, bundle):
        self.bundle = bundle

    def start(self):
        with step("A Kubernetes of two nodes, from upstream's sources", vital=True):
            self.cluster = Cluster()
            version = json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
            check(f"{len(self.cluster.nodes)} nodes of {version} are ready, names are resolved", True)
            self.gateway, self.prometheus = self.other("ingress-nginx"), self.other("monitoring")

    @staticmethod
    def other(namespace):
        [pod] = listed("pods", namespace=namespace)
        return pod

    # Installing: the lines of deploy/README.md, one after the other ---------------------------------------------------------------

    def prepare(self):
        with step("What goes before the chart (deploy/README.md)", vital=True):
            image = self.load_image()
            applied = [run("kubectl", "apply", "-f", MANIFESTS / "namespace.yaml")]
            user, password = ACCOUNT.split(":")
            ours("create", "secret", "docker-registry", "registry-credentials", f"--docker-server={REGISTRY_NAME}:5000",
                 f"--docker-username={user}", f"--docker-password={password}")
            made, again = run(MANIFESTS / "secrets.sh", NAMESPACE), run(MANIFESTS / "secrets.sh", NAMESPACE)
            check("secrets.sh makes the Secrets, and a second time changes none", "created" not in again.stdout, again.stdout)
            ours("create", "secret", "generic", "dudao-backups", "--from-literal=access-key-id=x", "--from-literal=secret-access-key=x")
            applied += [run("kubectl", "apply", "-f", MANIFESTS / name) for name in ("postgres.yaml", "nats-certificate.yaml")]
            optional = ("postgres-restore.yaml", "postgres-pooler.yaml")
            applied += [run("kubectl", "apply", "--dry-run=server", "-f", MANIFESTS / name) for name in optional]
            check("the API server takes the manifests without a warning", not complaints(*applied), str(complaints(*applied)))
            self.postgres, self.brokers = Postgres(), Brokers()
            check("NATS asks everybody for a password", self.brokers.asks_for_a_password())
            self.write_values(image, re.search(r"rendition_keys.*: (\S+)", made.stdout).group(1))

    def load_image(self):
        """Unpacks the bundle and pushes its image; gives back the lines for the values."""
        run("tar", "-xf", self.bundle, "-C", BASE)
        [folder] = BASE.glob("dudao-*.*.*")
        os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
        account, (user, password) = BASE / "account.json", ACCOUNT.split(":")
        trusted = os.environ | {"SSL_CERT_FILE": str(BASE / "registry/ca.crt"), "REGISTRY_AUTH_FILE": str(account)}
        said("skopeo", "login", "--authfile", account, f"{REGISTRY_NAME}:5000", "--username", user, "--password", password, env=trusted)
        loaded = run(folder / "load.sh", f"{REGISTRY_NAME}:5000", env=trusted).stdout
        image = yaml.safe_load(loaded[loaded.index("image:"):])["image"]
        digest = next(folder.glob("images/*.digest")).read_text().strip()
        check("load.sh pushes the image and prints its digest", image["digest"] == digest, str(image))
        return image

    def write_values(self, image, rendition_key):
        """hainan.yaml: a copy of values-air-gapped.yaml with what is ours put in. PostgreSQL and NATS are beside the cluster here."""
        values = yaml.safe_load((CHART / "values-air-gapped.yaml").read_text())
        values["image"] |= image
        values["services"]["publication"] = {"config": {"portal": {"rendition_keys": [rendition_key]}}}
        for server, addresses in (("database", [WRITER, STANDBY]), ("broker", BROKERS)):
            values[server] = {"peer": {"podLabels": None, "cidrs": [f"{address}/32" for address in addresses]}}
        VALUES.write_text(yaml.safe_dump(values, allow_unicode=True))
        self.values = ["-n", NAMESPACE, "-f", CHART / "values-province.yaml", "-f", VALUES, "--timeout", "20m"]

    def install(self):
        with step("helm install", vital=True):
            began = time.monotonic()
            try:
                done = helm("install", "dudao", CHART, *self.values)
                figure(f"migrated and made in {time.monotonic() - began:.1f} s")
                rolled_out()
            except Failed:
                self.tell()
                raise
            figure(f"every Deployment ready {time.monotonic() - began:.1f} s after the beginning")
            check("no warning of the API server", not complaints(done), str(complaints(done)))
            jobs = [name_of(job) for job in listed("jobs")]
            check("every migration's Job succeeded, and is gone", not jobs, str(jobs))
            check("two ready pods of each service", settled(60) is not None, str(len(pods())))
            check("no pod was restarted", not restarts(), str(restarts()))
            nodes = {component: {pod["spec"]["nodeName"] for pod in pods(component)} for component in SERVICES}
            check("the pods of each service are on both nodes", all(len(both) == 2 for both in nodes.values()), str(nodes))
            check("the claim for evidence is bound", [one["status"]["phase"] for one in listed("pvc")] == ["Bound"])
            check("no event warns", not warnings(), "; ".join(warnings()))

    @staticmethod
    def tell():
        """Where it hangs, for whoever reads."""
        note(ours("get", "pods,jobs", "-o", "wide"))
        note("\n".join(warnings()))
        for pod in listed("pods"):
            if not ready(pod) and pod["status"]["phase"] != "Succeeded":
                with contextlib.suppress(Failed):
                    note(name_of(pod), ours("logs", name_of(pod), "--tail=8"))

    # People -----------------------------------------------------------------------------------------------------------------------

    def ask(self, host, path, method="GET", fields=None, cookie=""):
        """A request as the gateway hands it on; gives back status, headers and text."""
        words = ["curl", "-sS", "-i", "--max-time", "15", "-X", method, "-H", "Sec-Fetch-Site: same-origin", "-H", f"Cookie: {cookie}"]
        for name, value in (fields or {}).items():
            words += ["--data-urlencode", f"{name}={value}"]
        head, _, body = self.cluster.inside(self.gateway, *words, f"http://{host}{path}").stdout.partition("\n\n")
        return int(head.split()[1]), head, body

    def sign_in(self):
        _, _, page = self.ask(CONSOLE, "/sign-in")
        fields = {name: html.unescape(value) for name, value in HIDDEN.findall(page)}
        fields |= {"login": "operator", "password": secret("dudao-registry")["bootstrap-password"]}
        status, head, _ = self.ask(CONSOLE, "/sign-in", "POST", fields)
        return status, "; ".join(re.findall(r"(?im)^set-cookie: ([^;\n]*)", head))

    def signs_in(self, what):
        status, cookie = self.sign_in()
        check(what, status == 303 and cookie != "", str(status))
        return cookie

    def people(self):
        with step("People"):
            self.cookie = self.signs_in("the account operator signs in at the console's Service")
            status, _, page = self.ask(CONSOLE, "/", cookie=self.cookie)
            check("and has a first page", status == 200 and "/sign-out" in page, f"{status} {page[:200]}")
            status, _, page = self.ask(PORTAL, "/")
            check("the portal answers", status == 200 and "海南省教育督导整改公开平台" in page, f"{status} {page[:200]}")
            status, _, page = self.ask(PORTAL, "/open-data/rectifications.json")
            check("so does its open data", status == 200, f"{status} {page[:200]}")
            used = [re.search(r"(?m)^dudao_standby_used\S* (\S+)", self.operations(pod, "/metrics")) for pod in pods("publication")]
            check("the portal reads the standby", all(found and float(found.group(1)) == 1 for found in used), str(used))

    def operations(self, pod, path):
        """What a pod tells Prometheus, or an operator."""
        return self.cluster.inside(self.prometheus, "curl", "-sS", "--max-time", "8", f"http://{pod['status']['podIP']}:9090{path}").stdout

    def tool(self):
        with step("The operator's tool inside the cluster"):
            for words in (["check"], ["replay", "all"]):
                done = subprocess.run([MANIFESTS / "tool.sh", *words], capture_output=True, text=True, check=False)
                check(f"tool.sh {' '.join(words)} ends well", done.returncode == 0, f"{done.returncode}\n{done.stdout[-2000:]}{done.stderr[-500:]}")
            # A pod that has ended would be counted with those that stay.
            ours("delete", "jobs", "-l", "app.kubernetes.io/component=tool")

    # Who may speak to whom --------------------------------------------------------------------------------------------------------

    def policies(self):
        """Everything that anybody could reach is tried from everybody; what answers must be what the golden file of edges says."""
        with step("NetworkPolicies: every edge, and no other"):
            sources = {component: pods(component)[0] for component in SERVICES} | {name: self.other(name) for name in OTHERS}
            targets, allowed = self.targets()
            allowed.update(self.edges())
            tried = 0
            for source, pod in sources.items():
                others = [target for target in targets if target[0] != pod["status"]["podIP"]]
                tried += len(others)
                answered = set(self.cluster.probe(pod, others))
                missing = sorted({targets[one] for one in others if (source, targets[one]) in allowed and one not in answered})
                besides = sorted({targets[one] for one in answered if (source, targets[one]) not in allowed})
                check(f"{source} reaches what it may and nothing else", not missing and not besides, f"not {missing}, but {besides}")
            figure(f"{tried} connections tried from {len(sources)} pods")
            found = self.cluster.inside(sources["console"], "getent", "ahostsv4", "dudao-registry").stdout.split()[:1]
            check("the console finds its services by name", found == [ours("get", "service", "dudao-registry", "-o", "jsonpath={.spec.clusterIP}")])

    @staticmethod
    def targets():
        """(address, port) → what the golden file calls it; and what pods of others reach, whom no policy of ours binds."""
        dns = [pod["status"]["podIP"] for pod in listed("pods", "-l", "k8s-app=kube-dns", namespace="kube-system")]
        known = {
            "[namespace kube-system, k8s-app=kube-dns]:53": dns, "[cnpg.io/cluster=dudao-postgres]:5432": [WRITER, STANDBY],
            "[app.kubernetes.io/name=nats]:4222": BROKERS, "192.0.2.10/32:443": [PLATFORM], "192.0.2.25/32:465": [MAIL],
            "elsewhere:443": [ELSEWHERE],
        }
        found = {(address, int(name.rsplit(":", 1)[1])): name for name, addresses in known.items() for address in addresses}
        for pod in pods():
            for port, name in ((8080, "http"), (9090, "operations")):
                found[pod["status"]["podIP"], port] = f"{component_of(pod)}:{name}"
        return found, {(other, name) for other in OTHERS for name in known}

    @staticmethod
    def edges():
        here = {"[namespace gateway-system]": "ingress-nginx", "[namespace monitoring]": "monitoring"}
        for line in (ROOT / "helm/tests/golden/edges.txt").read_text().splitlines():
            source, target = line.split(" -> ")
            for one in SERVICES if source == "(every pod)" else [here.get(source, source)]:
                yield one, target

    # Changes under load -----------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def load(self, what):
        """Steady requests at both faces while something happens; not one may fail."""
        words = [*self.cluster.enter(self.gateway), sys.executable, "-B", HERE / "load.py", self.cookie]
        process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        time.sleep(2)
        try:
            yield
        finally:
            result = json.loads(process.communicate()[0])
            again = result["counts"].pop("closed meanwhile, asked again", 0)
            total, failures = sum(result["counts"].values()), result["failures"]
            check(f"{what}: none of {total + len(failures)} requests failed", not failures and total > 0, f"{len(failures)}: {failures[:6]}")
            figure(f"the slowest took {max(result['slowest'].values()) * 1000:.0f} ms; {again} were asked again, on a connection closed while kept")

    def rolling(self):
        before = set(state()[0])
        with step("Rolling restart of all Deployments under load"):
            with self.load("restart"):
                ours("rollout", "restart", "deploy", "-l", SELECTOR)
                rolled_out()
            check("all pods are others", not before & set(state()[0]))
            check("no container was restarted", not restarts(), str(restarts()))
        with step("helm upgrade with a changed value under load"):
            with self.load("upgrade"):
                done = helm("upgrade", "dudao", CHART, *self.values, "--set", "telemetry.logLevel=info\\,tasks=debug")
                rolled_out()
            check("no warning of the API server", not complaints(done), str(complaints(done)))
            check("the value has arrived", "tasks=debug" in ours("get", "configmap", "dudao-tasks", "-o", "yaml"))

    def back(self):
        with step("helm rollback under load"):
            with self.load("rollback"):
                helm("rollback", "dudao", "-n", NAMESPACE)
                rolled_out()
            check("the former value is back", "tasks=debug" not in ours("get", "configmap", "dudao-tasks", "-o", "yaml"))

    def drain(self):
        with step("A node is drained under load and comes back"):
            with self.load("drain"):
                kubectl("drain", "node-2", "--ignore-daemonsets", "--delete-emptydir-data", "--timeout=9m")
                check(f"all {COUNT} pods are ready on the other node", settled(120) is not None)
            kubectl("uncordon", "node-2")

    def lost_node(self):
        with step("A node is cut off and comes back"):
            # Kubernetes moves nothing back to a node that was drained.
            ours("rollout", "restart", "deploy", "-l", SELECTOR)
            rolled_out()
            check("pods are on both nodes before", {pod["spec"]["nodeName"] for pod in pods("console")} == {"node-1", "node-2"})
            run("ip", "link", "set", "node-2", "down")
            took = until(lambda: {pod["spec"].get("nodeName") for pod in pods()} == {"node-1"} and settled(0) is not None, 240)
            check(f"all {COUNT} pods are ready on the other node{after(took)}", took is not None)
            self.signs_in("people sign in")
            run("ip", "link", "set", "node-2", "up")
            took = until(lambda: len(listed("pods", "-l", SELECTOR)) == COUNT and len(self.cluster.ready_nodes()) == 2, 120)
            check(f"the node is back, and what was on it is gone{after(took)}", took is not None)
            check("no container was restarted", not restarts(), str(restarts()))

    # Losses -----------------------------------------------------------------------------------------------------------------------

    def lost_pods(self):
        with step("Pods deleted hard"):
            for component in ("console", "tasks", "publication"):
                ours("delete", "pod", name_of(pods(component)[0]), "--force", "--grace-period=0")
                took = settled(60, component)
                check(f"{component} has two ready pods again{after(took)}", took is not None)

    def broker(self):
        with step("The broker is away for a minute"):
            before = state()
            self.brokers.stop()
            time.sleep(20)
            told = {name_of(pod): json.loads(self.operations(pod, "/readyz"))["checks"] for pod in pods(*DATABASES)}
            silent = [name for name, checks in told.items() if any(one["ok"] for one in checks if one["name"] == "broker")]
            check("every service that needs it says so in /readyz", not silent, str(silent))
            self.signs_in("people sign in meanwhile")
            time.sleep(40)
            check("no pod is taken out of service", all(map(ready, pods())))
            check("and none restarts", state() == before)
            self.brokers.start()
            took = until(lambda: all(json.loads(self.operations(pod, "/readyz"))["ready"] for pod in pods()), 90)
            check(f"all is well again after its return{after(took)}", took is not None)

    def database(self):
        with step("PostgreSQL is away for half a minute"):
            before = state()
            self.postgres.stop()
            took = until(lambda: not any(map(ready, pods("tasks"))), 60)
            check(f"who needs it is taken out of service{after(took)}", took is not None)
            time.sleep(20)
            self.postgres.start()
            took = settled(90)
            check(f"all is well again after its return{after(took)}", took is not None)
            check("no pod was restarted", state() == before)
            self.signs_in("people sign in")

    def kubelet(self):
        with step("The kubelet of each node restarts"):
            before = state()
            for node in self.cluster.nodes:
                node.programs["kubelet"].stop()
                time.sleep(5)
                node.programs["kubelet"].start()
            time.sleep(15)
            check("no pod is another, restarted or not ready for that", settled(60) is not None and state() == before, str(restarts()))

    # Numbers of pods --------------------------------------------------------------------------------------------------------------

    def autoscaling(self):
        with step("Autoscaling without metrics"):
            scalers = listed("hpa")
            check("four autoscalers, none of which gets a metric", [condition(one, "ScalingActive") for one in scalers] == [False] * 4)
            check("never fewer than two pods", set(replicas().values()) == {2}, str(replicas()))
            ours("scale", "deploy/dudao-deadlines", "--replicas=3")
            time.sleep(50)
            check("one more is not taken away", replicas()["deadlines"] == 3)
            ours("scale", "deploy/dudao-deadlines", "--replicas=1")
            took = until(lambda: replicas()["deadlines"] == 2, 60)
            check(f"one too few is added{after(took)}", took is not None)
            settled(60)

    def budgets(self):
        with step("Disruption budgets"):
            check("nine, each admits one disturbed pod", [one["status"]["disruptionsAllowed"] for one in listed("pdb")] == [1] * len(SERVICES))
            check("of two evictions the second is refused", [self.evict(pod) for pod in pods("registry")] == ["evicted", "refused"])
            took = settled(60)
            check(f"until the first pod is replaced{after(took)}", took is not None)
            planned = kubectl("drain", "node-2", "--dry-run=server", "--ignore-daemonsets", "--delete-emptydir-data")
            check("the node may be drained", "node/node-2 drained" in planned, planned)

    @staticmethod
    def evict(pod):
        eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name_of(pod), "namespace": NAMESPACE}}
        try:
            kubectl("create", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{name_of(pod)}/eviction", "-f", "-", stdin=json.dumps(eviction))
        except Failed as error:
            return "refused" if "disruption budget" in str(error) else str(error)
        return "evicted"

    def restore(self):
        """Of the restore in deploy/README.md what concerns the cluster: everything down, and up again."""
        with step("All Deployments to none and up again, as for a restore"):
            ours("scale", "deploy", "-l", SELECTOR, "--replicas=0")
            check("no pod is left", until(lambda: not listed("pods", "-l", SELECTOR), 120) is not None)
            helm("upgrade", "dudao", CHART, *self.values)
            ours("scale", "deploy", "-l", SELECTOR, "--replicas=2")
            took = settled(120)
            check(f"all is up again{after(took)}", took is not None, str(replicas()))

    # The end ----------------------------------------------------------------------------------------------------------------------

    def uninstall(self):
        with step("helm uninstall"):
            kinds = [kind for kind in kubectl("api-resources", "--verbs=list", "--namespaced", "-o", "name").split() if not kind.startswith("event")]
            before = {(one["kind"], name_of(one)): one for kind in kinds for one in listed(kind)}
            helm("uninstall", "dudao", "-n", NAMESPACE, "--wait")
            until(lambda: not listed("pods"), 90)
            left = {(one["kind"], name_of(one)) for kind in kinds for one in listed(kind)}
            release = {key for key, one in before.items() if one["metadata"].get("annotations", {}).get("meta.helm.sh/release-name") == "dudao"}
            check("of the release the claim for evidence alone is left", left & release == {("PersistentVolumeClaim", "dudao-files")}, str(left & release))
            asked = {("Secret", f"dudao-{name}") for name in SERVICES} | {("Secret", f"dudao-{name}-database") for name in DATABASES}
            asked |= {("ConfigMap", "dudao-token-keys"), ("Secret", "registry-credentials"), ("Cluster", "dudao-postgres")}
            check("Secrets, keys and what is not the release's are untouched", asked <= left, str(asked - left))
            made = {one for one in left - set(before) if one[0] not in ("Endpoints", "EndpointSlice")}
            pods_left = {one for one in left if one[0] in ("Pod", "ReplicaSet", "Job")}
            check("nothing else is there that was not before", not made and not pods_left, str(made | pods_left))
            helm("install", "dudao", CHART, *self.values)
            check("installed again on what is there", settled(120) is not None)
            self.signs_in("and people sign in with the same password")


PARTS = ["tool", "policies", "rolling", "back", "lost_pods", "broker", "database", "kubelet", "autoscaling", "budgets", "drain", "lost_node",
         "restore", "uninstall"]


def stay():
    words = f"env KUBECONFIG={os.environ['KUBECONFIG']} PATH={os.environ['PATH']} bash"
    print(f"nsenter --target $(pgrep --newest --full 'cluster inside') --net --mount --pid {words}\nCtrl-C ends it", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(60)


def main(bundle, *words):
    trial = Trial(bundle)
    parts = [] if words == ("up",) else words or PARTS
    try:
        for part in ["start", "prepare", "install", "people", *parts]:
            getattr(trial, part)()
    except Failed:
        print("nothing more can be tried")
    if not parts:
        stay()
    return closing()
