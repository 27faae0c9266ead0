"""What is being packed: the commit, its version and its time, and where things lie."""

import pathlib
import subprocess
import sys
import time
import tomllib

ROOT = pathlib.Path(__file__).resolve().parents[3]
TOOLS = ROOT / ".tools"
# Everything that is made on the way; target/image is Cargo's folder for the profile.
WORK = ROOT / "target/oci"
CONTEXT = WORK / "context"
LAYOUT = WORK / "layout"
# Cargo's profile, and with it the folder of the programs.
PROFILE = "image"
PROGRAMS = ROOT / "target" / PROFILE


def run(*command, **options):
    """Runs a command and gives back what it said; stops with its own words when it fails."""
    words = [str(word) for word in command]
    done = subprocess.run(words, capture_output=True, check=False, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(words[:3])} …: {done.stderr.decode(errors='replace')}")
    return done.stdout


def said(*command, **options):
    return run(*command, **options).decode().strip()


VERSION = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]["version"]
# The commit's time is the time of every file and of the image: the same commit gives the same bytes.
EPOCH = int(said("git", "-C", ROOT, "log", "-1", "--format=%ct"))
CREATED = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(EPOCH))
DIRTY = bool(said("git", "-C", ROOT, "status", "--porcelain"))
REVISION = said("git", "-C", ROOT, "rev-parse", "HEAD") + ("-dirty" if DIRTY else "")
