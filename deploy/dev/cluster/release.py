"""What the release has on the cluster: its pods, and how they are."""

import re

from cluster import kubectl, listed, until
from place import run
from servers import NAMESPACE

SELECTOR = "app.kubernetes.io/name=dudao"
COMPONENT = "app.kubernetes.io/component"
SERVICES = ["registry", "tasks", "deadlines", "reporting", "notifications", "publication", "exchange", "documents", "console"]
DATABASES = [name for name in SERVICES if name not in ("documents", "console")]
# Two of each service, in the size of a province.
COUNT = 2 * len(SERVICES)


def name_of(thing):
    return thing["metadata"]["name"]


def component_of(thing):
    return thing["metadata"]["labels"][COMPONENT]


def pods(*components):
    """The services' pods that are to stay."""
    wanted = components or SERVICES
    return [pod for pod in listed("pods", "-l", SELECTOR) if component_of(pod) in wanted and "deletionTimestamp" not in pod["metadata"]]


def condition(thing, kind):
    return next((one["status"] == "True" for one in thing["status"].get("conditions", []) if one["type"] == kind), None)


def ready(pod):
    return condition(pod, "Ready") is True


def settled(patience, *components):
    """Waits until two pods of each are ready; gives back the seconds that it took, or None."""
    count = 2 * len(components or SERVICES)
    return until(lambda: len(found := pods(*components)) == count and all(map(ready, found)), patience)


def after(seconds):
    """The words for it."""
    return "" if seconds is None else f" ({seconds:.1f} s)"


def restarts():
    """Containers that were restarted."""
    states = {name_of(pod): state["restartCount"] for pod in pods() for state in pod["status"].get("containerStatuses", [])}
    return {name: count for name, count in states.items() if count}


def state():
    """Changes when a pod is another or has a container that was restarted."""
    return {name_of(pod): pod["metadata"]["uid"] for pod in pods()}, restarts()


def replicas():
    return {component_of(one): one["spec"]["replicas"] for one in listed("deployments", "-l", SELECTOR)}


def rolled_out():
    """Waits until every Deployment has its new pods and the former ones are gone."""
    kubectl("-n", NAMESPACE, "rollout", "status", "deploy", "-l", SELECTOR, "--timeout", "9m")
    until(lambda: len(listed("pods", "-l", SELECTOR)) == COUNT, 90)


def warnings():
    """Warnings of events, but for probes of a pod that is still starting, for a kubelet that waits for the API server, for a Secret that it
    has not heard of yet (the image could not be pulled without it) or for a claim to be bound, and for autoscalers, which get no metrics
    here (their part of the trial judges them)."""
    passing = ("failed to sync", "Unable to retrieve some image pull secrets", "error processing PVC")
    return sorted({f"{event['involvedObject']['name']}: {event['message'][:400]}" for event in listed("events")
                   if event["type"] == "Warning" and event["reason"] != "Unhealthy" and not any(word in event["message"] for word in passing)
                   and event["involvedObject"]["kind"] != "HorizontalPodAutoscaler"})


def complaints(*done):
    """What helm or kubectl warned of."""
    return [line for one in done for line in one.stderr.splitlines() if re.search("warn|violate|deprecat", line, re.IGNORECASE)]


def helm(*words):
    return run("helm", *words)
