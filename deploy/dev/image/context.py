"""The folders that deploy/Containerfile copies, a layer each: what is in the image, and nothing else.

Files of the system come out of Debian's packages alone, as the packages delivered them: a certificate that somebody has trusted on
this machine must not get into a province's image.
"""

import gzip
import hashlib
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys

import programs
from commit import CONTEXT, EPOCH, PROGRAMS, ROOT, TOOLS, said

# Who the programs run as; the chart says the same.
USER = 65532
# The packages that files may come from, with the licence of these files.
PACKAGES = {
    "base-files": "GPL-2.0-or-later",
    "ca-certificates": "MPL-2.0 AND GPL-2.0-or-later",
    "fonts-dejavu-core": "Bitstream-Vera",
    "fonts-noto-cjk": "OFL-1.1",
    "libc6": "LGPL-2.1-or-later",
    "libgcc-s1": "GPL-3.0-or-later WITH GCC-exception-3.1",
}
# Fonts of official documents; Fandol comes out of a package of which nothing else is installed (install.sh).
FANDOL = ["FandolFang-Regular.otf", "FandolHei-Regular.otf", "FandolKai-Regular.otf", "FandolSong-Bold.otf", "FandolSong-Regular.otf"]
OTHER_FONTS = {"NotoSerifCJK-Regular.ttc": "fonts-noto-cjk", "DejaVuSans.ttf": "fonts-dejavu-core"}
TEXTS = {
    "etc/passwd": f"root:x:0:0:root:/:/nologin\ndudao:x:{USER}:{USER}:dudao:/tmp:/nologin\n",
    "etc/group": f"root:x:0:\ndudao:x:{USER}:\n",
    # Both ways of looking up names are in the C library itself; without this file it would load others.
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
# Where the chart and the runtime mount something, so that the root file system need never be written to.
MOUNTS = ["dev", "proc", "sys", "etc/dudao/config", "etc/dudao/keys", "run/secrets/dudao", "usr/share/fonts/official",
          "var/lib/dudao/files"]


def put(source, layer, place):
    target = CONTEXT / layer / place
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    return target


def write(layer, place, text):
    target = CONTEXT / layer / place
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text if isinstance(text, bytes) else text.encode())


def package_of(path):
    """The package of a file; since /lib is a link to /usr/lib, a file may be known by either name."""
    other = path.removeprefix("/usr") if path.startswith("/usr/lib") else f"/usr{path}"
    for name in (path, other):
        found = subprocess.run(["dpkg-query", "--search", name], capture_output=True, text=True, check=False)
        if found.returncode == 0:
            return found.stdout.split(":")[0].split(",")[0]
    sys.exit(f"{path} belongs to no package of Debian, so nobody knows its version and licence; install the package's own")


def files_of(package):
    return said("dpkg-query", "--listfiles", package).splitlines()


def libraries():
    """What the programs load at start: path → package."""
    found = {}
    for name in programs.FILES:
        for path in re.findall(r"(?:=> |^\t)(/\S+) \(0x", said("ldd", PROGRAMS / name), re.M):
            found[path] = package_of(path)
    return found


def certificates():
    """The authorities of the package ca-certificates in one file, where the TLS library looks for it."""
    paths = sorted(path for path in files_of("ca-certificates") if re.fullmatch(r"/usr/share/ca-certificates/.*\.crt", path))
    return paths, b"".join(pathlib.Path(path).read_bytes().rstrip() + b"\n" for path in paths)


def check_untouched(packages, paths):
    """The packages' files are as they were delivered."""
    changed = subprocess.run(["dpkg", "--verify", *packages], capture_output=True, text=True, check=False).stdout
    for line in changed.splitlines():
        path = line.split()[-1]
        if path in paths:
            sys.exit(f"{path} is not as its package delivered it; run apt-get install --reinstall for the package")


def licences(packages):
    """The packages' licences, with the common ones that they refer to."""
    common = set()
    for package in packages:
        source = pathlib.Path(f"/usr/share/doc/{package}/copyright")
        if not source.exists():
            sys.exit(f"{source} is missing; run apt-get install --reinstall {package}")
        text = source.read_text(errors="replace")
        common |= set(re.findall(r"/usr/share/common-licenses/([A-Z][\w.-]*\w)", text))
        yield f"usr/share/doc/{package}/copyright", text
    for name in sorted(common):
        yield f"usr/share/common-licenses/{name}", pathlib.Path(f"/usr/share/common-licenses/{name}").read_text()


def lay_system():
    loaded = libraries()
    for path in loaded:
        put(path, "system", path.lstrip("/")).chmod(0o755)
    authorities, bundle = certificates()
    write("system", "etc/ssl/certs/ca-certificates.crt", bundle)
    for place, text in TEXTS.items():
        write("system", place, text)
    # Scanners know by these two what is installed.
    put("/usr/lib/os-release", "system", "etc/os-release")
    packages = sorted({*loaded.values(), "base-files", "ca-certificates"})
    for strange in set(packages) - PACKAGES.keys():
        sys.exit(f"the programs load a library of {strange}: write its licence into PACKAGES of {__file__}")
    for package in packages:
        write("system", f"var/lib/dpkg/status.d/{package}", said("dpkg-query", "--status", package) + "\n")
    for place, text in licences(packages):
        write("system", place, text)
    check_untouched(packages, {*loaded, *authorities, "/usr/lib/os-release"})
    for place in MOUNTS:
        (CONTEXT / "system" / place).mkdir(parents=True, exist_ok=True)
    (CONTEXT / "system/tmp").mkdir()


def lay_fonts():
    fonts, shelf = TOOLS / "fonts", "usr/share/fonts/dudao"
    for name in [*FANDOL, *OTHER_FONTS]:
        if not (fonts / name).exists():
            sys.exit(f"{fonts / name} is missing; run deploy/dev/install.sh")
        put(fonts / name, "fonts", f"{shelf}/{name}")
    write("fonts", "usr/share/doc/fandol/COPYING", gzip.decompress((TOOLS / "font-licences/fandol/COPYING.gz").read_bytes()))
    put(TOOLS / "font-licences/fandol/README", "fonts", "usr/share/doc/fandol/README")
    packages = sorted(set(OTHER_FONTS.values()))
    for package in packages:
        write("fonts", f"var/lib/dpkg/status.d/{package}", said("dpkg-query", "--status", package) + "\n")
    for place, text in licences(packages):
        write("fonts", place, text)
    check_untouched(packages, {str((fonts / name).resolve()) for name in OTHER_FONTS})


def lay_programs():
    put(PROGRAMS / "documents", "documents", "usr/local/bin/documents").chmod(0o755)
    put(PROGRAMS / "programs", "programs", "usr/local/bin/programs").chmod(0o755)
    for name, file in programs.names().items():
        if name != file:
            (CONTEXT / "programs/usr/local/bin" / name).symlink_to(file)


def settle():
    """Rights and times that do not depend on this machine; owners are root's, which the copying does."""
    for folder, folders, files in os.walk(CONTEXT):
        for name in folders + files:
            path = pathlib.Path(folder) / name
            if not path.is_symlink():
                runs = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
                path.chmod(0o755 if runs else 0o644)
            os.utime(path, (EPOCH, EPOCH), follow_symlinks=False)
    (CONTEXT / "system/tmp").chmod(0o1777)


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def lay(third_party, bill):
    """Puts everything in its place; `third_party` are the licences of the crates, `bill` makes the bill of materials of it."""
    shutil.rmtree(CONTEXT, ignore_errors=True)
    lay_system()
    lay_fonts()
    shutil.copytree(ROOT / "rulebook", CONTEXT / "rulebook/usr/share/dudao/rulebook")
    lay_programs()
    put(ROOT / "LICENSE", "programs", "usr/share/doc/dudao/LICENSE")
    write("programs", "usr/share/doc/dudao/third-party.txt", third_party)
    write("programs", "usr/share/doc/dudao/sbom.cdx.json", bill())
    settle()
