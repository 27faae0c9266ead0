"""One line for each finding, and how long each part took."""

import contextlib
import subprocess
import time

from place import Failed

failed, passed = [], []


def check(what, good, why=""):
    (passed if good else failed).append(what)
    print(f"  {'ok    ' if good else 'FAILED'} {what}" + (f": {why}" if why and not good else ""), flush=True)
    return good


def figure(text):
    print(f"         {text}", flush=True)


@contextlib.contextmanager
def step(title, vital=False):
    """A part of the trial; what it runs into is a finding, and after a vital one there is nothing more to try."""
    print(title, flush=True)
    began = time.monotonic()
    try:
        yield
    except (Failed, subprocess.TimeoutExpired) as error:
        check(f"{title}: runs to its end", False, str(error))
        if vital:
            raise
    finally:
        print(f"  {time.monotonic() - began:.1f} s", flush=True)


def closing():
    """The closing line; gives back the exit code."""
    print(f"{len(passed)} passed, {len(failed)} failed" + "".join(f"\n  {what}" for what in failed))
    return 1 if failed else 0
