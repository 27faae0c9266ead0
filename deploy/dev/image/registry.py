"""As much of a registry (OCI distribution) as a push needs, on this machine: load.sh is tried against it."""

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
    """Serves on 127.0.0.1 until the end of a `with`; what arrived is in `manifests` (tag → digest) and `blobs`. Its certificate is
    made in the folder."""

    def __init__(self, folder):
        self.blobs, self.manifests, self.uploads = {}, {}, {}
        registry = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self, status, **headers):
                self.send_response(status)
                self.send_header("Content-Length", "0")
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), value)
                self.end_headers()

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
                self.answer(200 if self.path == "/v2/" else 404)

            def do_HEAD(self):
                self.answer(200 if pathlib.PurePosixPath(self.path).name in registry.blobs else 404)

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
                data, name = self.body(), pathlib.PurePosixPath(address.path).name
                digest = f"sha256:{hashlib.sha256(registry.uploads.pop(name, b'') + data).hexdigest()}"
                if re.search("/manifests/", address.path):
                    registry.manifests[name] = digest
                elif urllib.parse.parse_qs(address.query)["digest"] == [digest]:
                    registry.blobs[digest] = True
                else:
                    self.answer(400)
                    return
                self.answer(201, Location=self.path, Docker_Content_Digest=digest)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        key, self.certificate = pathlib.Path(folder) / "registry.key", pathlib.Path(folder) / "registry.crt"
        kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
        names = ["-subj", "/CN=registry", "-addext", "subjectAltName=IP:127.0.0.1"]
        run("openssl", "req", "-x509", *kind, *names, "-keyout", key, "-out", self.certificate)
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(self.certificate, key)
        self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.address = f"127.0.0.1:{self.server.server_port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
