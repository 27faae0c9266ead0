"""The bill of materials (CycloneDX): every crate in the programs, every file of the system, certificates and fonts; and the licences
of the crates, most of which ask to be handed on with the program.
"""

import collections
import hashlib
import json
import pathlib
import re
import tomllib
import uuid

import context
import programs
from commit import CONTEXT, CREATED, PROGRAMS, REVISION, ROOT, VERSION, said

SPEC = "1.6"


def known_crates():
    """What Cargo knows of the crates: (name, version) → licence, folder; and the checksums of Cargo.lock."""
    metadata = json.loads(said("cargo", "metadata", "--locked", "--format-version=1", cwd=ROOT))
    packages = {(package["name"], package["version"]): package for package in metadata["packages"]}
    lock = tomllib.loads((ROOT / "Cargo.lock").read_text())["package"]
    return packages, {(package["name"], package["version"]): package.get("checksum") for package in lock}


class Crates:
    """The crates of all programs, and who needs whom."""

    def __init__(self):
        self.known, self.checksums = known_crates()
        # (name, version) → whether it runs in a program, or only helped to build one.
        self.runs = collections.defaultdict(bool)
        self.needs = collections.defaultdict(set)
        self.roots = {}
        for file in programs.FILES:
            listed = programs.crates(file)
            keys = [(crate["name"], crate["version"]) for crate in listed]
            for key, crate in zip(keys, listed):
                self.runs[key] |= crate.get("kind", "runtime") == "runtime"
                self.needs[key] |= {keys[index] for index in crate.get("dependencies", [])}
                if crate.get("root"):
                    self.roots[file] = key

    def licence(self, key):
        """The expression of SPDX; a stroke between two names is how it was written before there were expressions."""
        written = self.known[key]["license"]
        return re.sub(r"\s*/\s*", " OR ", written) if written else None

    def licence_texts(self):
        """Every licence and notice that comes with the crates in the programs, each text once with the crates that it is for."""
        texts, without = collections.defaultdict(set), []
        for key in sorted(key for key, runs in self.runs.items() if runs and self.known[key]["source"]):
            folder = pathlib.Path(self.known[key]["manifest_path"]).parent
            names = re.compile(r"licen[cs]e|copying|notice|copyright", re.I)
            files = [file for file in sorted(folder.iterdir()) if file.is_file() and names.match(file.name)]
            for file in files:
                text = re.sub(r"\s*\n", "\n", file.read_text(errors="replace")).strip()
                texts[text].add(" ".join(key))
            if not files:
                without.append(f"{' '.join(key)}: {self.licence(key)}")
        parts = [f"Licences of the crates in Dudao {VERSION}, as they were delivered with them."]
        for text, of in sorted(texts.items(), key=lambda pair: (sorted(pair[1]), pair[0])):
            parts.append(f"{'=' * 100}\n{', '.join(sorted(of))}\n{'=' * 100}\n{text}")
        parts.append("\n".join([f"{'=' * 100}\nDelivered without a text of their licence:", *without]))
        return "\n\n".join(parts) + "\n"


def licence(expression):
    """A licence as CycloneDX wants it."""
    return [{"expression": expression}] if " " in expression else [{"license": {"id": expression}}]


def ref(key):
    return "crate:" + "@".join(key)


def crate_components(crates):
    for key in sorted(crates.runs):
        name, version = key
        package = crates.known[key]
        component = {"type": "library", "bom-ref": ref(key), "name": name, "version": version}
        component["scope"] = "required" if crates.runs[key] else "excluded"
        if crates.checksums.get(key):
            component["hashes"] = [{"alg": "SHA-256", "content": crates.checksums[key]}]
        if crates.licence(key):
            component["licenses"] = licence(crates.licence(key))
        if package["source"]:
            component["purl"] = f"pkg:cargo/{name}@{version}"
        if package.get("repository"):
            component["externalReferences"] = [{"type": "vcs", "url": package["repository"]}]
        yield component


def program_components(crates):
    for file in programs.FILES:
        data = {"type": "application", "bom-ref": f"program:{file}", "name": file, "version": VERSION}
        data["hashes"] = [{"alg": "SHA-256", "content": context.sha256(PROGRAMS / file)}]
        data["licenses"] = licence("Apache-2.0")
        called = sorted(name for name, of in programs.names().items() if of == file)
        data["properties"] = [{"name": "dudao:called", "value": f"/usr/local/bin/{name}"} for name in called]
        yield data, [ref(crates.roots[file]), "library:rust-std", "package:libc6", "package:libgcc-s1"]


def distribution():
    """Name and number of the Debian release, as package URLs want them."""
    release = dict(line.split("=", 1) for line in pathlib.Path("/usr/lib/os-release").read_text().splitlines() if "=" in line)
    return release["ID"].strip('"'), release.get("VERSION_ID", "unstable").strip('"')


def system_components():
    distro, release = distribution()
    yield {"type": "operating-system", "bom-ref": "os", "name": distro, "version": release}
    for file in sorted((CONTEXT).glob("*/var/lib/dpkg/status.d/*")):
        package = file.name
        version, architecture = said("dpkg-query", "--show", "--showformat=${Version} ${Architecture}", package).split()
        quoted = version.replace("+", "%2B").replace(":", "%3A")
        yield {
            "type": "library",
            "bom-ref": f"package:{package}",
            "name": package,
            "version": version,
            "licenses": licence(context.PACKAGES[package]),
            "purl": f"pkg:deb/{distro}/{package}@{quoted}?arch={architecture}&distro={distro}-{release}",
        }


def font_components():
    version = re.findall(r"^v(\S+)", (CONTEXT / "fonts/usr/share/doc/fandol/README").read_text(), re.M)[-1]
    for name in [*context.FANDOL, *context.OTHER_FONTS]:
        package = context.OTHER_FONTS.get(name)
        font = {"type": "file", "bom-ref": f"font:{name}", "name": name}
        if not package:
            font["version"] = version
        # The exception: a document that embeds the font is not covered by its licence.
        font["licenses"] = licence(context.PACKAGES[package] if package else "GPL-3.0-only WITH Font-exception-2.0")
        font["hashes"] = [{"alg": "SHA-256", "content": context.sha256(CONTEXT / "fonts/usr/share/fonts/dudao" / name)}]
        yield font


def compiler_component():
    facts = dict(line.split(": ", 1) for line in said("rustc", "-vV").splitlines() if ": " in line)
    return {"type": "library", "bom-ref": "library:rust-std", "name": "rust-std", "version": facts["release"],
            "licenses": licence("MIT OR Apache-2.0"), "purl": f"pkg:generic/rust-std@{facts['release']}",
            "properties": [{"name": "dudao:commit", "value": facts["commit-hash"]}]}


def bill(crates):
    """The whole bill as text; nothing in it depends on the machine or the hour."""
    applications = list(program_components(crates))
    others = [*system_components(), *font_components(), compiler_component()]
    parts = [part["bom-ref"] for part in [*(data for data, _ in applications), *others]]
    dependencies = [{"ref": "dudao", "dependsOn": parts}]
    dependencies += [{"ref": data["bom-ref"], "dependsOn": needs} for data, needs in applications]
    dependencies += [{"ref": ref(key), "dependsOn": sorted(map(ref, crates.needs[key]))} for key in sorted(crates.runs)]
    document = {
        "bomFormat": "CycloneDX",
        "specVersion": SPEC,
        "version": 1,
        "metadata": {
            "timestamp": CREATED,
            "component": {"type": "container", "bom-ref": "dudao", "name": "dudao", "version": VERSION,
                          "licenses": licence("Apache-2.0"),
                          "properties": [{"name": "dudao:revision", "value": REVISION}]},
        },
        "components": [data for data, _ in applications] + others + list(crate_components(crates)),
        "dependencies": dependencies,
    }
    content = json.dumps(document, sort_keys=True).encode()
    document["serialNumber"] = f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_OID, hashlib.sha256(content).hexdigest())}"
    return json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def check(text):
    """Strictly by the schema of CycloneDX; gives back what is wrong with it."""
    from cyclonedx.schema import SchemaVersion
    from cyclonedx.validation.json import JsonStrictValidator

    return JsonStrictValidator(SchemaVersion.from_version(SPEC)).validate_str(text)
