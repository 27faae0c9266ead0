"""Checks the Helm chart and what belongs to it, without a cluster and without a network: `make chart`.

Lint, schema, golden renderings, strict validation against the oldest and the newest supported Kubernetes, restricted pods, the
edges of the NetworkPolicies, each pod's configuration by the pod's own program, alert rules and their tests, runbooks,
dashboards, names of metrics, the table of values. `make chart ACCEPT=1` writes the golden files and the table anew: read the diff.
"""

import concurrent.futures
import difflib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import jsonschema
import kubernetes_validate
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CHART = ROOT / "helm/dudao"
TESTS = ROOT / "helm/tests"
PROGRAMS = ROOT / "target/debug"
# The oldest has preStop sleep on by default; the newest is what the validator knows.
KUBERNETES = ["1.30", "1.37"]
GOLDEN = ["minimal", "high-availability", "air-gapped", "options"]
ACCEPT = "--accept" in sys.argv[1:]
# Made before the configurations are tried: any text that passes as a password and as a key of 32 characters.
SECRET = "a-sentence-long-enough-that-nobody-guesses-2026"

faults = []


def fault(where, what):
    faults.append(f"{where}: {what}")


def run(*command, **options):
    return subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **options)


def template(*arguments):
    return run("helm", "template", "dudao", CHART, *arguments)


def value_files():
    return {path.stem.removeprefix("values-"): path for path in sorted(CHART.glob("values-*.yaml"))}


def renderings():
    """The default and every values file, rendered for the oldest and the newest Kubernetes; both must be the same text."""
    files = value_files()
    wanted = {"default": []} | {name: ["--values", path] for name, path in files.items()}
    # As deploy/README.md installs it.
    wanted["province, air-gapped"] = ["--values", files["province"], "--values", files["air-gapped"]]
    # What no size has on: each option of helm/tests/values.
    wanted |= {path.stem: ["--values", path] for path in sorted((TESTS / "values").glob("*.yaml"))}
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = {
            name: [pool.submit(template, *arguments, "--kube-version", version) for version in KUBERNETES]
            for name, arguments in wanted.items()
        }
        lint = {name: pool.submit(run, "helm", "lint", "--strict", CHART, *arguments) for name, arguments in wanted.items()}
        texts = {}
        for name in wanted:
            oldest, newest = (job.result() for job in jobs[name])
            if lint[name].result().returncode != 0:
                fault(f"helm lint, {name}", lint[name].result().stdout + lint[name].result().stderr)
            if oldest.returncode != 0:
                fault(f"helm template, {name}", oldest.stderr)
            elif oldest.stdout != newest.stdout:
                fault(f"helm template, {name}", "differs between the oldest and the newest Kubernetes")
            else:
                texts[name] = oldest.stdout
    return texts


def documents(text):
    return [document for document in yaml.safe_load_all(text) if document]


def title(document):
    return f"{document['kind']} {document['metadata']['name']}"


def check_golden(texts):
    """The default in full; the others as their difference from it, which is what their values mean. Dashboards stand for themselves."""
    short = {name: re.sub(r"(\w+\.json): \|\n(?:    .*\n|\n)*", r"\1: …\n", text) for name, text in texts.items()}
    golden = {"default.yaml": short["default"]}
    for name in GOLDEN:
        lines = difflib.unified_diff(short["default"].splitlines(), short[name].splitlines(), "default", name, n=2, lineterm="")
        golden[f"{name}.diff"] = "".join(re.sub(r"^@@ .* @@$", "@@", line) + "\n" for line in lines)
    for name, text in golden.items():
        current(TESTS / "golden" / name, text)


def current(path, text):
    """A generated file must be what is committed."""
    if ACCEPT:
        path.write_text(text)
    elif not path.exists() or path.read_text() != text:
        was = path.read_text().splitlines() if path.exists() else []
        lines = list(difflib.unified_diff(was, text.splitlines(), "committed", "fresh", n=1, lineterm=""))
        more = "" if len(lines) <= 40 else f"\n… {len(lines) - 40} further lines"
        fault(path.relative_to(ROOT), "is not current (make chart ACCEPT=1 writes it):\n" + "\n".join(lines[:40]) + more)


def check_schemas(bundles):
    """Every object, strictly, by Kubernetes' own schemas; custom resources by those of helm/tests/schemas."""
    own = {path.stem: json.loads(path.read_text()) for path in (TESTS / "schemas").glob("*.json")}
    seen = set()
    for name, objects in bundles.items():
        for document in objects:
            key = json.dumps(document, sort_keys=True)
            if key in seen:
                continue
            seen.add(key)
            where = f"{name}, {title(document)}"
            if document["kind"] in own:
                for error in jsonschema.Draft202012Validator(own[document["kind"]]).iter_errors(document):
                    fault(where, f"{error.json_path}: {error.message}")
                continue
            for version in KUBERNETES:
                try:
                    kubernetes_validate.validate(document, version, strict=True)
                except (kubernetes_validate.ValidationError, kubernetes_validate.SchemaNotFoundError) as error:
                    fault(f"{where}, Kubernetes {version}", error.message)


def pod_of(document):
    spec = document.get("spec", {})
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    return spec["template"]["spec"] if document["kind"] in ("Deployment", "Job", "CronJob") else None


def check_pods(name, objects):
    """The restricted Pod Security Standard, and what we ask beyond it."""
    for document in objects:
        if document["kind"] == "Secret":
            fault(f"{name}, {title(document)}", "the chart must not hold secrets")
        pod = pod_of(document)
        if not pod:
            continue
        [container] = pod["containers"]
        security, own = pod["securityContext"], container["securityContext"]
        volumes = {kind for volume in pod["volumes"] for kind in volume if kind != "name"}
        asked = {
            "runs as root": not security["runAsNonRoot"] or security["runAsUser"] == 0,
            "has no seccomp profile": security["seccompProfile"] != {"type": "RuntimeDefault"},
            "may gain privileges": own["allowPrivilegeEscalation"] or own["capabilities"] != {"drop": ["ALL"]},
            "can write its own image": not own["readOnlyRootFilesystem"],
            "uses the host": any(pod.get(key) for key in ("hostNetwork", "hostPID", "hostIPC")),
            "has a token of the API": pod["automountServiceAccountToken"],
            "mounts more than it may": volumes - {"configMap", "projected", "emptyDir", "persistentVolumeClaim"},
            "has no requests or no limit of memory": not {"cpu", "memory"} <= container["resources"]["requests"].keys()
            or "memory" not in container["resources"]["limits"],
            "walks its files at each start": security["fsGroupChangePolicy"] != "OnRootMismatch",
            "takes values of the environment": "env" in container or "envFrom" in container,
        }
        if document["kind"] == "Deployment":
            grace = pod["terminationGracePeriodSeconds"]
            sleep = container["lifecycle"]["preStop"]["sleep"]["seconds"]
            drain = int(re.search(r"drain_seconds = (\d+)", config_of(objects, container["name"])).group(1))
            asked |= {
                "may be killed while it finishes": grace < sleep + drain + 25,
                "is restarted for somebody else's trouble": container["livenessProbe"]["httpGet"]["path"] != "/livez",
                # Of a node that lacks one of the labels the scheduler counts no wish at all.
                "wishes to spread by zones and by hosts": str(pod.get("topologySpreadConstraints")).count("ScheduleAnyway") > 1,
                "waits five minutes for a lost node": {t.get("tolerationSeconds", 301) for t in pod["tolerations"]} - set(range(301)),
            }
        for what, wrong in asked.items():
            if wrong:
                fault(f"{name}, {title(document)}", what)


def edges(objects):
    """Who may speak to whom, one line each. Between our own pods both ends must allow it."""
    policies = [document for document in objects if document["kind"] == "NetworkPolicy"]

    def component(selector):
        return selector["matchLabels"].get("app.kubernetes.io/component", "(every pod)")

    def peer(one):
        if "ipBlock" in one:
            return one["ipBlock"]["cidr"]
        labels = dict(one.get("podSelector", {}).get("matchLabels", {}))
        if labels.get("app.kubernetes.io/name") == "dudao" and "namespaceSelector" not in one:
            return labels["app.kubernetes.io/component"]
        space = one.get("namespaceSelector", {}).get("matchLabels", {}).get("kubernetes.io/metadata.name")
        words = [f"namespace {space}"] if space else []
        return "[" + ", ".join(words + [f"{key}={value}" for key, value in labels.items()]) + "]"

    def pairs(direction, key):
        for policy in policies:
            for rule in policy["spec"].get(direction) or []:
                for one in rule.get(key) or [{}]:
                    for port in rule.get("ports") or [{"port": "every port"}]:
                        yield component(policy["spec"]["podSelector"]), peer(one), port["port"]

    outgoing = {(source, target, port) for source, target, port in pairs("egress", "to")}
    incoming = {(source, target, port) for target, source, port in pairs("ingress", "from")}
    ours = {component(policy["spec"]["podSelector"]) for policy in policies}
    inner = {edge for edge in outgoing | incoming if edge[0] in ours and edge[1] in ours}
    for source, target, port in sorted(inner - (outgoing & incoming), key=str):
        fault("NetworkPolicies", f"{source} -> {target}:{port} is allowed at one end only")
    every = (outgoing | incoming) - inner | (outgoing & incoming)
    return "".join(sorted(f"{source} -> {target}:{port}\n" for source, target, port in every))


def check_programs(bundles):
    """Whatever a pod starts is in the image: `documents`, or a name of the one file of all other programs."""
    known = {"documents", *run(PROGRAMS / "programs", "--list").stdout.split()}
    for name, objects in bundles.items():
        for document in objects:
            for container in (pod_of(document) or {"containers": []})["containers"]:
                folder, _, program = container["command"][0].rpartition("/")
                if folder != "/usr/local/bin" or program not in known:
                    fault(f"{name}, {title(document)}", f"starts {container['command'][0]}, which is not in the image")


def config_of(objects, service):
    found = [o["data"] for o in objects if o["kind"] == "ConfigMap" and f"{service}.toml" in o["data"]]
    if len({data[f"{service}.toml"] for data in found}) != 1:
        fault(f"configuration of {service}", "the migration's differs from the service's")
    return found[0][f"{service}.toml"]


def check_configurations(bundles):
    """Each pod's own program reads its rendered file: unknown, missing and wrong keys are its findings."""
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor() as pool:
        for name in ("secrets", "keys"):
            (pathlib.Path(folder) / name).mkdir()
        run(PROGRAMS / "dudao", "key", "new", pathlib.Path(folder) / "journal", env={})
        trials, seen, made = [], set(), set()
        for name, objects in bundles.items():
            for document in objects:
                pod = pod_of(document)
                if not pod:
                    continue
                [container] = pod["containers"]
                words = container["command"] + container.get("args", [])
                [place] = re.findall(r"/etc/dudao/config/(\S+)\.toml", " ".join(words))
                service, text = container["name"], config_of(objects, place)
                [secrets] = [volume for volume in pod["volumes"] if volume["name"] == "secrets"]
                mounted = {item["path"] for source in secrets["projected"]["sources"] for item in source["secret"]["items"]}
                named = set(re.findall(r"/run/secrets/dudao/([-._\w]+)", text))
                if named != mounted:
                    fault(f"{name}, {title(document)}", f"secrets named {sorted(named)}, mounted {sorted(mounted)}")
                if document["kind"] == "CronJob" and any("key" in secret for secret in mounted):
                    fault(f"{name}, {title(document)}", f"mounts a private key: {sorted(mounted)}")
                if (service, text) in seen:
                    continue
                seen.add((service, text))
                file = pathlib.Path(folder) / f"{name}-{service}.toml"
                moved = text.replace("/run/secrets/dudao", f"{folder}/secrets")
                # The tool reads a key of each journal; services read their folder of keys later.
                for key in re.findall(r"/etc/dudao/keys/([-\w]+\.pub)", text):
                    shutil.copyfile(f"{folder}/journal.pub", f"{folder}/keys/{key}")
                    moved = moved.replace(f"/etc/dudao/keys/{key}", f"{folder}/keys/{key}")
                file.write_text(moved)
                for secret in named - made:
                    if secret == "rendition-key":  # read already when the configuration is looked at
                        run(PROGRAMS / "dudao", "key", "new", pathlib.Path(folder) / "secrets" / secret, env={})
                    else:
                        (pathlib.Path(folder) / "secrets" / secret).write_text(SECRET)
                made |= named
                options = [word.replace(f"/etc/dudao/config/{place}.toml", str(file)) for word in words[1:] if word != "--migrate"]
                trial = pool.submit(run, PROGRAMS / words[0].rpartition("/")[2], *options, "--check-config", env={})
                trials.append((name, service, trial))
        for name, service, trial in trials:
            if trial.result().returncode != 0:
                fault(f"{name}, configuration of {service}", trial.result().stderr)


# What must be refused, and by which words.
REFUSED = [
    (["--set", "nonsense=1"], "additional properties 'nonsense' not allowed"),
    (["--set", "image.nonsense=1"], "additional properties 'nonsense' not allowed"),
    (["--set", "services.tasks.nonsense=1"], "additional properties 'nonsense' not allowed"),
    (["--set", "services.nonsense.replicas=1"], "additional properties 'nonsense' not allowed"),
    (["--set", "services.tasks.secrets.password=hunter2"], "got string, want object"),
    (["--set-string", "province.code=4601"], "does not match pattern"),
    (["--set", "services.tasks.egress[0].name=x,services.tasks.egress[0].ports={443},services.tasks.egress[0].cidrs={192.0.2.1/32}"],
     "only exchange and notifications may leave the cluster"),
    (["--set", "services.exchange.egress[0].name=x,services.exchange.egress[0].ports={443}"], "names neither a namespace"),
    (["--set", "defaults.replicas=9"], "the pods could open"),
    (["--set", "services.tasks.autoscaling.enabled=true,services.tasks.replicas=6"], "maxReplicas is below replicas"),
    (["--set", "gateway.enabled=true"], "which Gateway?"),
    (["--set", "oidc.issuer=https://id.example.gov"], "names neither a namespace"),
    (["--set", "oidc.issuer=http://id.example.gov"], "does not match pattern"),
    (["--set", "broker.authoritySecret=dudao-nats-ca"], "must begin with tls://"),
    (["--set", "broker.password.name="], "minLength"),
    (["--set", "broker.credentials.name=dudao-nats-creds"], "missing property 'key'"),
    (["--kube-version", "1.29"], "incompatible with Kubernetes"),
]


def check_refusals():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        for (arguments, words), trial in [(case, pool.submit(template, *case[0])) for case in REFUSED]:
            if trial.result().returncode == 0 or words not in trial.result().stderr:
                fault(" ".join(arguments), f"should be refused with “{words}”: {trial.result().stderr or 'accepted'}")


def documented_values():
    """The rows (path, value, meaning) of values.yaml: what has a comment "# --" above it."""
    whole, path, comment, rows = yaml.safe_load((CHART / "values.yaml").read_text()), [], None, []
    for line in (CHART / "values.yaml").read_text().splitlines():
        if found := re.match(r"\s*# -- (.*)", line):
            comment = [found.group(1)]
        elif found := re.match(r"\s*# (.*)", line):
            if comment:
                comment.append(found.group(1))
        elif found := re.match(r"( *)([-.\w/]+):", line):
            path = path[: len(found.group(1)) // 2] + [found.group(2)]
            if comment:
                value = whole
                for key in path:
                    value = value[key]
                rows.append((tuple(path), value, " ".join(comment)))
            comment = None
        elif not line.strip():
            comment = None
    return whole, rows


def check_values():
    """Every value has its meaning, schema and values name the same keys, and the table of README.md is current."""
    whole, rows = documented_values()
    documented = {path for path, _, _ in rows}

    def undocumented(path, value):
        if path in documented:
            return
        if isinstance(value, dict) and value:
            for key, inner in value.items():
                undocumented((*path, key), inner)
        elif path[:1] != ("services",):
            fault("values.yaml", f"{'.'.join(path)} has no meaning (a comment “# -- …” above it)")

    undocumented((), whole)
    schema = json.loads((CHART / "values.schema.json").read_text())

    def compare(path, part, value):
        if part.get("$ref", "").endswith(("/peer", "/amounts", "/secretKey")) or path[:1] == ("services",):
            return
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rsplit("/", 1)[1]]
        if "properties" not in part:
            return
        for key in part["properties"].keys() ^ value.keys():
            fault("values.schema.json and values.yaml", f"{'.'.join((*path, key))} stands in one of them only")
        for key in part["properties"].keys() & value.keys():
            compare((*path, key), part["properties"][key], value[key])

    compare((), schema, whole)
    lines = ["| value | default | meaning |", "|---|---|---|"]
    for path, value, meaning in rows:
        shown = json.dumps(value, ensure_ascii=False)
        lines.append(f"| `{'.'.join(path)}` | `{shown}` | {meaning} |".replace("||", "\\|\\|"))
    readme = CHART / "README.md"
    before, _, rest = readme.read_text().partition("<!-- values -->\n")
    _, _, after = rest.partition("<!-- /values -->\n")
    current(readme, before + "<!-- values -->\n" + "\n".join(lines) + "\n<!-- /values -->\n" + after)


def exported_metrics():
    """Names of the series that the services show at /metrics, read off the code that makes the instruments."""
    names = set()
    for source in [*ROOT.glob("crates/*/src/**/*.rs"), *ROOT.glob("services/*/src/**/*.rs")]:
        text = source.read_text()
        for found in re.finditer(r"(up_down_counter|counter|gauge|histogram)\(\s*\"([a-z_.]+)\"", text):
            kind, name = found.groups()
            seconds = '.with_unit("s")' in re.split(r"\.build\(\)|;", text[found.end() :])[0]
            name = name.replace(".", "_") + ("_seconds" if seconds else "")
            endings = {"up_down_counter": [""], "counter": ["_total"], "gauge": [""], "histogram": ["_bucket", "_sum", "_count"]}[kind]
            names |= {name + ending for ending in endings}
    return names


def check_observability(bundles):
    rules = yaml.safe_load((CHART / "rules/dudao.yaml").read_text())["groups"]
    flat = [rule for group in rules for rule in group["rules"]]
    recorded = {rule["record"] for rule in flat if "record" in rule}
    alerts = {rule["alert"]: rule for rule in flat if "alert" in rule}
    expressions = [(f"rule {rule.get('alert') or rule['record']}", rule["expr"]) for rule in flat]
    for path in sorted((CHART / "dashboards").glob("*.json")):
        board = json.loads(path.read_text())
        for panel in board["panels"]:
            if not panel["description"]:
                fault(path.name, f"{panel['title']} has no description")
            for target in panel["targets"]:
                expressions.append((f"{path.name}, {panel['title']}", target["expr"]))
    for name, objects in bundles.items():
        for document in objects:
            for metric in document["spec"].get("metrics", []) if document["kind"] == "HorizontalPodAutoscaler" else []:
                if metric["type"] == "External":
                    expressions.append((f"{name}, {title(document)}", metric["external"]["metric"]["name"]))
    adapter = yaml.safe_load((ROOT / "deploy/kubernetes/prometheus-adapter-values.yaml").read_text())
    for rule in adapter["rules"]["external"]:
        expressions.append(("prometheus-adapter-values.yaml", re.sub(r"<<[^>]*>>", "", rule["seriesQuery"])))

    for block in re.findall(r"```promql\n(.*?)```", (ROOT / "deploy/slo.md").read_text(), re.S):
        for query in block.split("\n\n"):
            expressions.append(("slo.md", re.sub(r"#.*\n", "", query).strip()))

    known = exported_metrics() | recorded | {"up"}
    for where, expression in expressions:
        bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|by \([^)]*\)|\"[^\"]*\"", " ", expression)
        names = re.findall(r"(?<![\w:])(?:up\b|[a-z]+[_:][\w:]*)\b(?!\s*\()", bare)
        for metric in set(names) - known:
            fault(where, f"no service exports {metric}")

    books = {path.stem for path in (ROOT / "deploy/runbooks").glob("*.md")} - {"README"}
    for odd in sorted(books ^ alerts.keys()):
        fault("deploy/runbooks", f"{odd}: an alert without a page, or a page without an alert")
    for name, rule in alerts.items():
        annotations = rule["annotations"]
        if annotations.keys() != {"summary", "description", "runbook_url"} or not re.search("[一-龥]", annotations["summary"]):
            fault(name, "needs a summary in Chinese, a description in English and its runbook")
        if annotations["runbook_url"] != f"RUNBOOKS/{name}.md" or rule["labels"]["severity"] not in ("critical", "warning"):
            fault(name, "names another runbook, or has no severity")
        page = ROOT / f"deploy/runbooks/{name}.md"
        headings = re.findall(r"^## (.*)$", page.read_text(), re.M) if page.exists() else []
        if headings != ["Meaning", "Impact", "Diagnosis", "Mending"]:
            fault(page.relative_to(ROOT), "needs Meaning, Impact, Diagnosis, Mending")
        if page.exists() and "```sh\n" not in page.read_text():
            fault(page.relative_to(ROOT), "has no command to copy")

    with tempfile.TemporaryDirectory() as folder:
        # Queries of dashboards and promises are read by Prometheus' own parser, as rules.
        file = pathlib.Path(folder) / "queries.yaml"
        filled = [re.sub(r"\$__rate_interval", "5m", expression) for where, expression in expressions if ".json," in where or ".md" in where]
        probes = [{"record": f"probe{index}", "expr": expression} for index, expression in enumerate(filled)]
        file.write_text(json.dumps({"groups": [{"name": "queries", "rules": probes}]}))
        for trial in [
            run("promtool", "check", "rules", CHART / "rules/dudao.yaml", file),
            run("promtool", "test", "rules", *sorted((TESTS / "rules").glob("*.yaml"))),
        ]:
            if trial.returncode != 0:
                fault("promtool", trial.stdout + trial.stderr)


def check_connections(manifests):
    """PostgreSQL as the manifests make it admits the connections that the size of a province counts with."""
    counted = yaml.safe_load(value_files()["province"].read_text())["database"]["maxConnections"]
    for name, objects in manifests.items():
        for document in objects:
            if document["kind"] == "Cluster" and int(document["spec"]["postgresql"]["parameters"]["max_connections"]) < counted:
                fault(f"{name}, {title(document)}", f"admits fewer connections than values-province.yaml counts with ({counted})")


def main():
    for tool in ("helm", "promtool"):
        if not shutil.which(tool):
            sys.exit(f"chart.py: {tool} is missing; install Go and run deploy/dev/install.sh chart, or put it into PATH")
    for service in documents((TESTS / "golden/default.yaml").read_text()) if (TESTS / "golden/default.yaml").exists() else []:
        if service["kind"] == "Deployment" and not os.access(PROGRAMS / service["spec"]["template"]["spec"]["containers"][0]["name"], os.X_OK):
            sys.exit("chart.py: the services are not built; run cargo build --workspace --bins")
    texts = renderings()
    bundles = {name: documents(text) for name, text in texts.items()}
    manifests = {path.name: documents(path.read_text()) for path in sorted((ROOT / "deploy/kubernetes").glob("*.yaml"))
                 if not path.name.endswith("-values.yaml")}
    if not faults:
        check_golden(texts)
        check_schemas(bundles | manifests)
        for name, objects in bundles.items():
            check_pods(name, objects)
        current(TESTS / "golden/edges.txt", edges(bundles["default"]))
        check_programs(bundles)
        check_configurations(bundles)
        check_connections(manifests)
        check_refusals()
        check_values()
        check_observability(bundles)
    if faults:
        sys.exit("\n".join(faults) + f"\n{len(faults)} faults")
    objects = sum(len(bundle) for bundle in bundles.values())
    print(f"{len(bundles)} renderings, {objects} objects, Kubernetes {KUBERNETES[0]} and {KUBERNETES[-1]}: all in order")


main()
