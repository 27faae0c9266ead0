"""Authorities and what they sign, by openssl; good for two days."""

from place import run

KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]


class Authority:
    def __init__(self, folder, name):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.certificate, self.key = folder / "ca.crt", folder / "ca.key"
        # No settings of this machine.
        self.settings = folder / "openssl.cnf"
        self.settings.write_text("[req]\ndistinguished_name=name\n[name]\n")
        run("openssl", "req", "-x509", "-config", self.settings, *KEY, "-days", "2", "-subj", f"/CN={name}",
            "-addext", "basicConstraints=critical,CA:true", "-addext", "keyUsage=critical,keyCertSign,cRLSign",
            "-keyout", self.key, "-out", self.certificate)

    def issue(self, file, subject, *names):
        """Key and certificate for a subject (`/CN=…`) and its names (`DNS:…`, `IP:…`); both for servers and for clients."""
        certificate, key, asked = (self.folder / f"{file}.{kind}" for kind in ("crt", "key", "csr"))
        run("openssl", "req", "-new", "-config", self.settings, *KEY, "-subj", subject, "-keyout", key, "-out", asked)
        extensions = self.folder / f"{file}.ext"
        lines = ["basicConstraints=CA:false", "extendedKeyUsage=serverAuth,clientAuth"]
        extensions.write_text("\n".join([*lines, *([f"subjectAltName={','.join(names)}"] if names else [])]) + "\n")
        run("openssl", "x509", "-req", "-in", asked, "-CA", self.certificate, "-CAkey", self.key, "-CAcreateserial",
            "-days", "2", "-extfile", extensions, "-out", certificate)
        return certificate, key
