"""As much of a registry (OCI distribution) as a push and a pull need, on this machine: load.sh is tried against it."""

import base64
import hashlib
import http.server
import pathlib
import re
import ssl
import threading
import urllib.parse
import uuid

from commit import run


class Registry:
    """Serves until the end of a `with`, on 127.0.0.1 unless told otherwise; what arrived is in `manifests` (tag → digest) and `blobs`
    (digest → bytes; a manifest is kept among `kinds` as well, with its type). Its certificate is made in the folder. With an account
    (`name:password`) nobody else is served."""

    def __init__(self, folder, address="127.0.0.1", port=0, account=None):
        self.blobs, self.manifests, self.uploads, self.kinds = {}, {}, {}, {}
        registry = self
        wanted = account and f"Basic {base64.b64encode(account.encode()).decode()}"

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, Content_Length="0", **headers):
                self.send_response(status)
                for name, value in {"Content_Length": Content_Length, **headers}.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()

            def parse_request(self):
                if not super().parse_request():
                    return False
                if not wanted or self.headers.get("Authorization") == wanted:
                    return True
                self.close_connection = True
                self.answer(401, WWW_Authenticate='Basic realm="registry"', Connection="close")
                return False

            def body(self):
                if self.headers.get("Transfer-Encoding") != "chunked":
                    return self.rfile.read(int(self.headers.get("Content-Length", 0)))
                parts = []
                while size := int(self.rfile.readline(), 16):
                    parts.append(self.rfile.read(size))
                    self.rfile.readline()
                self.rfile.readline()
                return b"".join(parts)

            def do_GET(self):
                if self.path == "/v2/":
                    self.answer(200)
                elif data := self.do_HEAD():
                    self.wfile.write(data)

            def do_HEAD(self):
                name = pathlib.PurePosixPath(self.path).name
                digest = registry.manifests.get(name, name)
                data = registry.blobs.get(digest)
                # Whoever pushes asks for the manifest of the tag before there is one.
                if data is None or "/manifests/" in self.path and digest not in registry.kinds:
                    self.answer(404)
                    return None
                kind = registry.kinds.get(digest, "application/octet-stream")
                self.answer(200, str(len(data)), Content_Type=kind, Docker_Content_Digest=digest)
                return data

            def do_POST(self):
                self.body()
                name = uuid.uuid4().hex
                registry.uploads[name] = b""
                self.answer(202, Location=f"{self.path}{name}")

            def do_PATCH(self):
                registry.uploads[pathlib.PurePosixPath(self.path).name] += self.body()
                self.answer(202, Location=self.path)

            def do_PUT(self):
                address = urllib.parse.urlsplit(self.path)
                name = pathlib.PurePosixPath(address.path).name
                data = registry.uploads.pop(name, b"") + self.body()
                digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
                if re.search("/manifests/", address.path):
                    registry.manifests[name] = digest
                    registry.kinds[digest] = self.headers["Content-Type"]
                elif urllib.parse.parse_qs(address.query)["digest"] != [digest]:
                    self.answer(400)
                    return
                registry.blobs[digest] = data
                self.answer(201, Location=self.path, Docker_Content_Digest=digest)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        key, self.certificate = pathlib.Path(folder) / "registry.key", pathlib.Path(folder) / "registry.crt"
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=registry", "-addext", f"subjectAltName=IP:{address},DNS:registry.edu.local"]
        run("openssl", "req", "-x509", *kind, *names, "-keyout", key, "-out", self.certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, key)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.address = f"{address}:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
