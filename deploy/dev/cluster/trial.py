"""The trial: deploy/README.md followed to the letter on the cluster, and then what the chart promises, one line for each finding."""

import contextlib
import html
import http.client
import json
import os
import re
import subprocess
import sys
import time

import yaml
from cluster import ACCOUNT, OTHERS, Cluster, kubectl, listed, until
from place import BASE, BROKERS, ELSEWHERE, HERE, MAIL, PLATFORM, REGISTRY_NAME, ROOT, STANDBY, WRITER, Failed, Program, note, run, said
from servers import NAMESPACE, Brokers, Postgres, secret

SELECTOR = "app.kubernetes.io/name=dudao"
COMPONENT = "app.kubernetes.io/component"
SERVICES = ["registry", "tasks", "deadlines", "reporting", "notifications", "publication", "exchange", "documents", "console"]
CHART, VALUES = ROOT / "helm/dudao", BASE / "hainan.yaml"

failed, checks = [], 0


def check(what, good, why=""):
    global checks
    checks += 1
    if not good:
        failed.append(what)
    print(f"  {'ok    ' if good else 'FAILED'} {what}" + (f": {why}" if why and not good else ""), flush=True)
    return good


@contextlib.contextmanager
def step(title, vital=False):
    """A part of the trial; what it runs into is a finding, and after a vital one there is nothing more to try."""
    print(title, flush=True)
    began = time.monotonic()
    try:
        yield
    except (Failed, subprocess.TimeoutExpired) as error:
        check("runs to its end", False, str(error))
        if vital:
            raise
    finally:
        print(f"  {time.monotonic() - began:.1f} s", flush=True)


def pods(component=None):
    """Our pods that are to stay, without those of the migrations."""
    found = [pod for pod in listed("pods", "-l", SELECTOR) if pod["metadata"]["labels"][COMPONENT] != "migration"]
    return [pod for pod in found if component in (None, pod["metadata"]["labels"][COMPONENT]) and "deletionTimestamp" not in pod["metadata"]]


def ready(pod):
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions", []))


def restarts(found):
    return {pod["metadata"]["name"]: state["restartCount"] for pod in found for state in pod["status"].get("containerStatuses", [])
            if state["restartCount"]}


def deployments():
    return {one["metadata"]["labels"][COMPONENT]: one for one in listed("deployments", "-l", SELECTOR)}


def complete():
    return all(one["status"].get("readyReplicas", 0) == one["status"].get("updatedReplicas", 0) == one["spec"]["replicas"] == one["status"]["replicas"]
               for one in deployments().values())


def helm(*words):
    return run("helm", *words)


def complaints(done):
    """What helm or kubectl warned of."""
    return [line for line in done.stderr.splitlines() if re.search("warn|violate|deprecat", line, re.IGNORECASE)]


class Trial:
    def __init__(self, bundle):
        self.bundle = bundle
        self.values = None

    # 1 ---------------------------------------------------------------------------------------------------------------------------

    def start(self):
        with step("A Kubernetes of two nodes, from upstream's sources", vital=True):
            self.cluster = Cluster()
            version = json.loads(kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
            check(f"{len(self.cluster.nodes)} nodes of {version} are ready, names are resolved", True)

    def prepare(self):
        """The lines of deploy/README.md, "Installing", one after the other."""
        with step("What goes before the chart (deploy/README.md)", vital=True):
            folder = self.unpack()
            os.environ["PATH"] = f"{folder / 'bin'}:{os.environ['PATH']}"
            account = BASE / "account.json"
            said("skopeo", "login", "--authfile", account, "--tls-verify=false", f"{REGISTRY_NAME}:5000",
                 "--username", ACCOUNT.split(":")[0], "--password", ACCOUNT.split(":")[1])
            loaded = run(folder / "load.sh", f"{REGISTRY_NAME}:5000", env=os.environ | {
                "SSL_CERT_FILE": str(BASE / "registry/ca.crt"), "REGISTRY_AUTH_FILE": str(account)})
            image = yaml.safe_load(loaded.stdout[loaded.stdout.index("image:"):])["image"]
            check("load.sh pushes the image and prints its digest", image["digest"] == self.digest, str(image))
            applied = [run("kubectl", "apply", "-f", ROOT / "deploy/kubernetes/namespace.yaml")]
            user, password = ACCOUNT.split(":")
            kubectl("-n", NAMESPACE, "create", "secret", "docker-registry", "registry-credentials", f"--docker-server={REGISTRY_NAME}:5000",
                    f"--docker-username={user}", f"--docker-password={password}")
            made = run(ROOT / "deploy/kubernetes/secrets.sh", NAMESPACE)
            again = run(ROOT / "deploy/kubernetes/secrets.sh", NAMESPACE)
            check("secrets.sh makes the Secrets, and a second time changes none", "created" not in again.stdout, again.stdout)
            kubectl("-n", NAMESPACE, "create", "secret", "generic", "dudao-backups", "--from-literal=access-key-id=x", "--from-literal=secret-access-key=x")
            for manifest in ("postgres.yaml", "nats-certificate.yaml"):
                applied.append(run("kubectl", "apply", "-f", ROOT / "deploy/kubernetes" / manifest))
            for manifest in ("postgres-restore.yaml", "postgres-pooler.yaml"):
                applied.append(run("kubectl", "apply", "--dry-run=server", "-f", ROOT / "deploy/kubernetes" / manifest))
            check("the API server takes the manifests without a warning", not any(map(complaints, applied)), str([*map(complaints, applied)]))
            self.postgres, self.brokers = Postgres(), Brokers()
            self.write_values(image, re.search(r"rendition_keys.*: (\S+)", made.stdout).group(1))

    def unpack(self):
        run("tar", "-xf", self.bundle, "-C", BASE)
        [folder] = BASE.glob("dudao-*.*.*")
        run(folder / "load.sh", "--check")
        self.digest = next(folder.glob("images/*.digest")).read_text().strip()
        return folder

    def write_values(self, image, rendition_key):
        """hainan.yaml: a copy of values-air-gapped.yaml with what is ours put in. PostgreSQL and NATS are beside the cluster here."""
        values = yaml.safe_load((CHART / "values-air-gapped.yaml").read_text())
        values["image"] |= image
        values["services"]["publication"] = {"config": {"portal": {"rendition_keys": [rendition_key]}}}
        network = lambda addresses: {"podLabels": None, "cidrs": [f"{address}/32" for address in addresses]}
        values["database"] = {"peer": network([WRITER, STANDBY])}
        values["broker"] = {"peer": network(BROKERS)}
        VALUES.write_text(yaml.safe_dump(values, allow_unicode=True))
        self.values = ["-n", NAMESPACE, "-f", CHART / "values-province.yaml", "-f", VALUES, "--timeout", "20m"]

    def install(self):
        with step("helm install", vital=True):
            began = time.monotonic()
            try:
                done = helm("install", "dudao", CHART, *self.values)
            except Failed:
                self.tell()
                raise
            print(f"         migrated and made in {time.monotonic() - began:.1f} s")
            check("no warning of the API server", not complaints(done), str(complaints(done)))
            jobs = [job["metadata"]["name"] for job in listed("jobs")]
            check("every migration's Job succeeded, and is gone", not jobs, str(jobs))
            status = ["-n", NAMESPACE, "rollout", "status", "deploy", "-l", SELECTOR, "--timeout", "5m"]
            if not check("every Deployment becomes ready", self.cluster.works(kubectl, *status)):
                self.tell()
            print(f"         ready {time.monotonic() - began:.1f} s after the beginning")
            check("two pods of each service", until(lambda: len(pods()) == 18 and all(map(ready, pods())), 60) is not None, str(len(pods())))
            check("no pod was restarted", not restarts(pods()), str(restarts(pods())))
            nodes = {component: {pod["spec"]["nodeName"] for pod in pods(component)} for component in SERVICES}
            check("the pods of each service are on both nodes", all(len(both) == 2 for both in nodes.values()), str(nodes))
            check("a claim for evidence is bound", [one["status"]["phase"] for one in listed("pvc")] == ["Bound"], str(listed("pvc")))
            warnings = self.warnings()
            check("no event warns", not warnings, "; ".join(warnings))
            self.gateway = self.other("ingress-nginx")

    def warnings(self):
        """Warnings of events, but for probes of a pod that is still starting."""
        return sorted({f"{event['involvedObject']['name']}: {event['message'][:150]}" for event in listed("events")
                       if event["type"] == "Warning" and event["reason"] != "Unhealthy"})

    def tell(self):
        """Where it hangs, for whoever reads."""
        note(kubectl("-n", NAMESPACE, "get", "pods,jobs", "-o", "wide"))
        note("\n".join(self.warnings()))
        for pod in listed("pods"):
            if not ready(pod) and pod["status"]["phase"] != "Succeeded":
                with contextlib.suppress(Failed):
                    note(pod["metadata"]["name"], kubectl("-n", NAMESPACE, "logs", pod["metadata"]["name"], "--tail=8"))

    @staticmethod
    def other(namespace):
        [pod] = listed("pods", namespace=namespace)
        return pod

    # People ---------------------------------------------------------------------------------------------------------------------

    def ask(self, host, path, method="GET", fields=None, cookie=""):
        """A request as the gateway hands it on; gives back status, headers and text."""
        words = ["curl", "-sS", "-i", "--max-time", "15", "-X", method, "-H", "Sec-Fetch-Site: same-origin", "-H", f"Cookie: {cookie}"]
        for name, value in (fields or {}).items():
            words += ["--data-urlencode", f"{name}={value}"]
        text = self.cluster.inside(self.gateway, *words, f"http://{host}{path}").stdout
        head, _, body = text.partition("\r\n\r\n")
        return int(head.split()[1]), head, body

    def sign_in(self):
        status, head, page = self.ask("dudao-console.dudao", "/sign-in")
        fields = {name: html.unescape(value) for name, value in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page)}
        password = secret("dudao-registry")["bootstrap-password"]
        status, head, page = self.ask("dudao-console.dudao", "/sign-in", "POST", fields | {"login": "operator", "password": password})
        cookies = re.findall(r"(?im)^set-cookie: ([^;\r\n]*)", head)
        return status, "; ".join(cookies)

    def people(self):
        with step("People"):
            status, self.cookie = self.sign_in()
            check("the account operator signs in at the console's Service", status == 303 and self.cookie, f"{status}")
            status, _, page = self.ask("dudao-console.dudao", "/", cookie=self.cookie)
            check("and has a first page", status == 200 and "/sign-out" in page, f"{status} {page[:200]}")
            status, _, page = self.ask("dudao-publication.dudao", "/")
            check("the portal answers", status == 200 and "海南省教育督导整改公开平台" in page, f"{status} {page[:200]}")
            status, _, page = self.ask("dudao-publication.dudao", "/open-data/rectifications.json")
            check("so does its open data", status == 200, f"{status} {page[:200]}")
            used = {pod["metadata"]["name"]: re.search(r"(?m)^dudao_standby_used\S* (\S+)", self.metrics(pod)) for pod in pods("publication")}
            check("the portal reads the standby", all(found and float(found.group(1)) == 1 for found in used.values()), str(used))

    def metrics(self, pod):
        return self.cluster.inside(self.other("monitoring"), "curl", "-sS", "--max-time", "5", f"http://{pod['status']['podIP']}:9090/metrics").stdout

    def readiness(self, pod):
        answer = self.cluster.inside(self.other("monitoring"), "curl", "-sS", "--max-time", "8", f"http://{pod['status']['podIP']}:9090/readyz")
        return json.loads(answer.stdout)

    # 2 ---------------------------------------------------------------------------------------------------------------------------

    def policies(self):
        """Everything that anybody could reach is tried from everybody; what answers must be what the golden file of edges says."""
        with step("NetworkPolicies: every edge, and no other"):
            sources = {component: pods(component)[0] for component in SERVICES} | {name: self.other(name) for name in OTHERS}
            dns = [(pod["status"]["podIP"], 53) for pod in listed("pods", "-l", "k8s-app=kube-dns", namespace="kube-system")]
            # What the golden file calls them → who that is here.
            known = {"[namespace kube-system, k8s-app=kube-dns]:53": dns, "[cnpg.io/cluster=dudao-postgres]:5432": [(WRITER, 5432), (STANDBY, 5432)],
                     "[app.kubernetes.io/name=nats]:4222": [(address, 4222) for address in BROKERS],
                     "192.0.2.10/32:443": [(PLATFORM, 443)], "192.0.2.25/32:465": [(MAIL, 465)]}
            names = {"[namespace gateway-system]": "ingress-nginx", "[namespace monitoring]": "monitoring"}
            targets = {address: name for name, addresses in known.items() for address in addresses} | {(ELSEWHERE, 443): "elsewhere:443"}
            for pod in pods():
                component = pod["metadata"]["labels"][COMPONENT]
                targets |= {(pod["status"]["podIP"], port): f"{component}:{name}" for port, name in ((8080, "http"), (9090, "operations"))}
            allowed = {(source, name) for source in OTHERS for name in set(targets.values()) - {f"{c}:{p}" for c in SERVICES for p in ("http", "operations")}}
            for line in (ROOT / "helm/tests/golden/edges.txt").read_text().splitlines():
                source, target = line.split(" -> ")
                allowed |= {(one, target) for one in (SERVICES if source == "(every pod)" else [names.get(source, source)])}
            tried = 0
            for source, pod in sources.items():
                others = [target for target in targets if target[0] != pod["status"]["podIP"]]
                tried += len(others)
                answered = set(self.cluster.probe(pod, others))
                missing = sorted({targets[one] for one in others if (source, targets[one]) in allowed and one not in answered})
                open_too = sorted({targets[one] for one in answered if (source, targets[one]) not in allowed})
                check(f"{source} reaches what it may and nothing else", not missing and not open_too, f"missing {missing}, open besides {open_too}")
            print(f"         {tried} connections tried from {len(sources)} pods")
            found = self.cluster.inside(sources["console"], "getent", "ahostsv4", "dudao-registry").stdout.split()[:1]
            service = json.loads(kubectl("-n", NAMESPACE, "get", "service", "dudao-registry", "-o", "json"))["spec"]["clusterIP"]
            check("the console finds its services by name", found == [service], str(found))

    # 3 ---------------------------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def load(self, what):
        """Steady requests at both faces while something happens; not one may fail."""
        words = self.cluster.enter(self.gateway)
        process = subprocess.Popen([*words, sys.executable, "-B", HERE / "load.py", self.cookie], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        result = {}
        time.sleep(2)
        try:
            yield result
        finally:
            result |= json.loads(process.communicate()[0])
        total = sum(number for name, number in result["counts"].items() if "/" in name)
        again = result["counts"].get("closed meanwhile, asked again", 0)
        slow = max(result["slowest"].values())
        check(f"{what}: none of {total} requests failed", not result["failures"] and total > 0, f"{len(result['failures'])} failed, {result['failures'][:6]}")
        print(f"         {again} asked again on a kept connection that had been closed; the slowest took {slow * 1000:.0f} ms")

    def rolling(self):
        before = {pod["metadata"]["name"] for pod in pods()}
        with step("Rolling restart of all Deployments under load"):
            with self.load("restart"):
                kubectl("-n", NAMESPACE, "rollout", "restart", "deploy", "-l", SELECTOR)
                kubectl("-n", NAMESPACE, "rollout", "status", "deploy", "-l", SELECTOR, "--timeout", "9m")
                until(lambda: len(listed("pods", "-l", SELECTOR)) == 18, 90)
            check("all pods are others", not before & {pod["metadata"]["name"] for pod in pods()})
            check("none was restarted", not restarts(pods()), str(restarts(pods())))
        with step("helm upgrade with a changed value under load"):
            with self.load("upgrade"):
                began = time.monotonic()
                done = helm("upgrade", "dudao", CHART, *self.values, "--set", "telemetry.logLevel=info\\,tasks=debug")
                kubectl("-n", NAMESPACE, "rollout", "status", "deploy", "-l", SELECTOR, "--timeout", "9m")
                print(f"         {time.monotonic() - began:.1f} s")
                until(lambda: len(listed("pods", "-l", SELECTOR)) == 18, 90)
            check("no warning of the API server", not complaints(done), str(complaints(done)))
            check("the value has arrived", "tasks=debug" in kubectl("-n", NAMESPACE, "get", "configmap", "dudao-tasks", "-o", "yaml"))

    # 4 ---------------------------------------------------------------------------------------------------------------------------

    def back(self):
        with step("helm rollback under load"):
            with self.load("rollback"):
                helm("rollback", "dudao", "-n", NAMESPACE)
                kubectl("-n", NAMESPACE, "rollout", "status", "deploy", "-l", SELECTOR, "--timeout", "9m")
                until(lambda: len(listed("pods", "-l", SELECTOR)) == 18, 90)
            check("the former value is back", "tasks=debug" not in kubectl("-n", NAMESPACE, "get", "configmap", "dudao-tasks", "-o", "yaml"))

    def lost_pod(self):
        with step("Pods deleted hard"):
            for component in ("console", "tasks", "publication"):
                name = pods(component)[0]["metadata"]["name"]
                kubectl("-n", NAMESPACE, "delete", "pod", name, "--force", "--grace-period=0")
                took = until(lambda: len(pods(component)) == 2 and all(map(ready, pods(component))), 60)
                check(f"{component} has two ready pods again" + (f" after {took:.1f} s" if took else ""), took is not None)

    def state(self):
        return {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods()}, restarts(pods())

    def broker(self):
        with step("The broker is away for a minute"):
            before = self.state()
            self.brokers.stop()
            time.sleep(20)
            told = {pod["metadata"]["name"]: self.readiness(pod) for pod in pods() if pod["metadata"]["labels"][COMPONENT] not in ("console", "documents")}
            silent = [name for name, said_so in told.items() if all(one["ok"] for one in said_so["checks"] if one["name"] == "broker")]
            check("every service that needs it says so in /readyz", not silent, str(silent))
            self.signs_in("people sign in meanwhile")
            time.sleep(40)
            check("no pod is taken out of service", all(map(ready, pods())), str([pod["metadata"]["name"] for pod in pods() if not ready(pod)]))
            check("and none restarts", self.state() == before)
            self.brokers.start()
            took = until(lambda: all(self.readiness(pod)["ready"] for pod in pods()), 90)
            check("all is well again" + (f" {took:.1f} s after its return" if took is not None else ""), took is not None)

    def database(self):
        with step("PostgreSQL is away for half a minute"):
            before = self.state()
            self.postgres.stop()
            took = until(lambda: not any(ready(pod) for pod in pods("tasks")), 60)
            check("who needs it is taken out of service" + (f" after {took:.1f} s" if took else ""), took is not None)
            time.sleep(20)
            self.postgres.start()
            took = until(lambda: len(pods()) == 18 and all(map(ready, pods())), 90)
            check("all is well again" + (f" {took:.1f} s after its return" if took is not None else ""), took is not None)
            check("no pod was restarted", self.state() == before)
            self.signs_in("people sign in")

    def signs_in(self, what):
        status, _ = self.sign_in()
        check(what, status == 303, str(status))

    def kubelet(self):
        with step("The kubelet of each node restarts"):
            before = self.state()
            for node in self.cluster.nodes:
                node.programs["kubelet"].stop()
                time.sleep(5)
                node.programs["kubelet"].start()
            time.sleep(15)
            took = until(lambda: all(map(ready, pods())), 60)
            check("no pod restarts for that", took is not None and self.state() == before, f"{restarts(pods())}")

    # 5 ---------------------------------------------------------------------------------------------------------------------------

    def autoscaling(self):
        with step("Autoscaling without metrics; disruption budgets"):
            scalers = listed("hpa")
            check("four autoscalers, all without a metric", len(scalers) == 4 and all(
                any(one["type"] == "ScalingActive" and one["status"] == "False" for one in scaler["status"].get("conditions", [])) for scaler in scalers))
            check("never fewer than two pods", all(one["spec"]["replicas"] == 2 for one in deployments().values()))
            kubectl("-n", NAMESPACE, "scale", "deploy/dudao-deadlines", "--replicas=3")
            time.sleep(50)
            check("a pod more is not taken away", deployments()["deadlines"]["spec"]["replicas"] == 3)
            kubectl("-n", NAMESPACE, "scale", "deploy/dudao-deadlines", "--replicas=1")
            took = until(lambda: deployments()["deadlines"]["spec"]["replicas"] == 2, 60)
            check("one too few is added" + (f" after {took:.1f} s" if took else ""), took is not None)
            until(lambda: len(pods("deadlines")) == 2 and all(map(ready, pods("deadlines"))), 60)
            check("nine budgets, each leaves one pod to be disturbed", [one["status"]["disruptionsAllowed"] for one in listed("pdb")] == [1] * 9)
            self.evictions()
            drained = run("kubectl", "drain", "node-2", "--dry-run=server", "--ignore-daemonsets", "--delete-emptydir-data", "--force")
            check("the node may be drained", "node-2 drained" in drained.stdout, drained.stdout)

    def evictions(self):
        """The second eviction within a service is refused until the first pod is replaced."""
        answers = []
        for pod in pods("registry"):
            name = pod["metadata"]["name"]
            eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": NAMESPACE}}
            done = subprocess.run(["kubectl", "create", "--raw", f"/api/v1/namespaces/{NAMESPACE}/pods/{name}/eviction", "-f", "-"],
                                  input=json.dumps(eviction), capture_output=True, text=True, check=False)
            answers.append(done.returncode == 0 or ("disruption budget" in done.stderr and "refused") or done.stderr)
        check("of two evictions the second is refused", answers == [True, "refused"], str(answers))
        took = until(lambda: len(pods("registry")) == 2 and all(map(ready, pods("registry"))), 60)
        check("until the first pod is replaced" + (f" ({took:.1f} s)" if took else ""), took is not None)

    def drain(self):
        with step("A node is drained under load and comes back"):
            with self.load("drain"):
                kubectl("drain", "node-2", "--ignore-daemonsets", "--delete-emptydir-data", "--force", "--timeout=9m")
                check("every service has two ready pods on the other", until(lambda: len(pods()) == 18 and all(map(ready, pods())), 120) is not None)
            kubectl("uncordon", "node-2")

    def restored(self):
        """The steps of the restore in deploy/README.md that concern the cluster: everything down, and up by an upgrade."""
        with step("All Deployments to 0 and up again, as for a restore"):
            kubectl("-n", NAMESPACE, "scale", "deploy", "-l", SELECTOR, "--replicas=0")
            check("no pod is left", until(lambda: not listed("pods", "-l", SELECTOR), 120) is not None)
            helm("upgrade", "dudao", CHART, *self.values)
            took = until(lambda: len(pods()) == 18 and all(map(ready, pods())), 120)
            check("all is up again", took is not None, str({name: one["spec"]["replicas"] for name, one in deployments().items()}))

    # 6 ---------------------------------------------------------------------------------------------------------------------------

    def uninstall(self):
        with step("helm uninstall"):
            kinds = kubectl("api-resources", "--verbs=list", "--namespaced", "-o", "name").split()
            everything = lambda: {f"{one['kind']} {one['metadata']['name']}" for kind in kinds if not kind.startswith("events")
                                  for one in listed(kind)}
            helm("uninstall", "dudao", "-n", NAMESPACE, "--wait")
            until(lambda: not listed("pods"), 90)
            ours = {name for name in everything() if not name.startswith(("EndpointSlice dudao-nats", "EndpointSlice dudao-postgres", "Endpoints "))}
            kept = {f"Secret dudao-{name}" for name in SERVICES} | {f"Secret dudao-{name}-database" for name in SERVICES if name not in ("documents", "console")}
            kept |= {"ConfigMap dudao-token-keys", "ConfigMap kube-root-ca.crt", "ServiceAccount default", "PersistentVolumeClaim dudao-files",
                     "Secret registry-credentials", "Secret dudao-backups", "Secret dudao-postgres-ca", "Secret dudao-nats-ca",
                     "Service dudao-nats", "Service dudao-postgres-rw", "Service dudao-postgres-ro", "Cluster dudao-postgres", "ObjectStore dudao-backups",
                     "ScheduledBackup dudao-postgres", "Certificate dudao-nats-ca", "Certificate dudao-nats-tls", "Issuer dudao-nats", "Issuer dudao-self-signed"}
            check("what must stay stays, and nothing else", ours == kept, f"missing {sorted(kept - ours)}, left {sorted(ours - kept)}")
            helm("install", "dudao", CHART, *self.values)
            took = until(lambda: len(pods()) == 18 and all(map(ready, pods())), 120)
            check("installed again on what is there", took is not None)
            self.signs_in("and people sign in with the same password")


def stay():
    kubeconfig = f"KUBECONFIG={os.environ['KUBECONFIG']} PATH={os.environ['PATH']}"
    print(f"nsenter --target $(pgrep --oldest --full 'cluster inside') --net --mount --pid env {kubeconfig} bash; Ctrl-C ends it", flush=True)
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(60)


def main(words):
    [bundle, *words] = words
    trial = Trial(bundle)
    try:
        trial.start()
        trial.prepare()
        trial.install()
        for part in ("people", "policies", "rolling", "back", "lost_pod", "broker", "database", "kubelet", "autoscaling", "drain", "restored", "uninstall"):
            if not words or part in words:
                getattr(trial, part)()
    except Failed:
        print("nothing more can be tried")
    if words == ["up"]:
        stay()
    print(f"{checks - len(failed)} passed, {len(failed)} failed" + "".join(f"\n  {what}" for what in failed))
    return 1 if failed else 0
