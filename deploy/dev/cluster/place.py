"""Where things lie, which addresses they have, and how programs are run."""

import os
import pathlib
import signal
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
HERE = pathlib.Path(__file__).resolve().parent
TOOLS = ROOT / ".tools/cluster"
# Everything of one run; short, since paths of sockets are limited. Not below /run or /var, which the nodes have of their own.
BASE = pathlib.Path(os.environ.get("DUDAO_CLUSTER", "/tmp/dudao-cluster"))
CONTROL = BASE / "control"
ADMIN = CONTROL / "admin.conf"

# The network between the machines, and on it what is not in the cluster. None of it leaves the namespace of this run.
NET = "10.90.0"
API = f"{NET}.1"
WRITER, STANDBY = f"{NET}.10", f"{NET}.11"
BROKERS = [f"{NET}.{number}" for number in (21, 22, 23)]
REGISTRY, REGISTRY_NAME = f"{NET}.30", "registry.edu.local"
# Addresses that the values name outside, and one that nobody names.
MAIL, PLATFORM, ELSEWHERE = "10.20.0.25", "10.1.2.10", "203.0.113.7"
PODS, SERVICES, DNS = "10.91.0.0/16", "10.92.0.0/16", "10.92.0.10"

os.environ["PATH"] = f"{TOOLS / 'bin'}:{ROOT / '.tools/bin'}:{os.environ['PATH']}"
os.environ["KUBECONFIG"] = str(ADMIN)


class Failed(Exception):
    """A command that should have worked."""


def run(*command, text=True, stdin=None, **options):
    """Runs a command; raises with its own words when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, text=text, input=stdin, check=False, **options)
    if done.returncode != 0:
        raise Failed(f"{' '.join(words)[:200]}: {str(done.stderr)[-2000:].strip()}")
    return done


def said(*command, **options):
    return run(*command, **options).stdout.strip()


class Program:
    """A program that stays, with its log beside the others."""

    def __init__(self, name, *words, **options):
        self.name, self.words, self.options = name, [str(word) for word in words], options
        self.log = BASE / "log" / f"{name}.log"
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.start()

    def start(self):
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(self.words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, **self.options)

    def stop(self, how=signal.SIGTERM, patience=20):
        self.process.send_signal(how)
        try:
            self.process.wait(patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def tail(self, lines=15):
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])


def note(*words):
    print(*words, file=sys.stderr, flush=True)
