"""An HTTPS server for tests that play a webhook or an aggregated API server: certificates made with
openssl, a table of paths, and what was asked of it.

    with Certificates(folder) as pki, Server(pki.issue("hook.default.svc")) as server:
        server.on("/check", lambda request: {"kind": ...})
"""
import base64
import http.server
import json
import os
import ssl
import subprocess
import threading


class Certificates:
    """A CA in `folder`, and certificates it signs."""

    def __init__(self, folder, name="test-ca"):
        self.folder = folder
        os.makedirs(folder, exist_ok=True)
        self._openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout",
                      self.path("ca.key"), "-out", self.path("ca.crt"))

    def path(self, name):
        return os.path.join(self.folder, name)

    def _openssl(self, *args):
        subprocess.run(["openssl", *args], check=True, capture_output=True, timeout=30)

    def issue(self, *names):
        """(certificate, key) for these DNS names and 127.0.0.1."""
        stem = self.path(names[0])
        with open(stem + ".ext", "w") as f:
            dns = ",".join(f"DNS:{n}" for n in names)
            f.write(f"subjectAltName={dns},IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
        self._openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
                      "-nodes", "-subj", f"/CN={names[0]}", "-keyout", stem + ".key", "-out",
                      stem + ".csr")
        self._openssl("x509", "-req", "-in", stem + ".csr", "-CA", self.path("ca.crt"), "-CAkey",
                      self.path("ca.key"), "-CAcreateserial", "-days", "2", "-extfile",
                      stem + ".ext", "-out", stem + ".crt")
        return stem + ".crt", stem + ".key"

    @property
    def bundle(self):
        """For a caBundle."""
        with open(self.path("ca.crt"), "rb") as f:
            return base64.b64encode(f.read()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        try:
            tree = json.loads(body) if body else None
        except ValueError:
            tree = body
        path = self.path.split("?")[0]
        self.server.owner.note(self, path, tree)
        handler = self.server.owner.find(path)
        if handler is None:
            return self.send(404, b"404 page not found\n", "text/plain")
        self.body = tree
        try:
            made = handler(self)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client did not want to wait
        if made is not None:
            code, tree = made if isinstance(made, tuple) else (200, made)
            self.send(code, json.dumps(tree).encode(), "application/json")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer

    def send(self, code, body, kind):
        try:
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True

    # A streamed answer.
    def begin(self, kind="application/json"):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def chunk(self, data):
        self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))
        self.wfile.flush()

    def log_message(self, *args):
        pass


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request, address):
        pass  # a client that goes away, or does not trust us


class Server:
    """Serves on a free port of 127.0.0.1 until the `with` ends. `client_ca`: clients must show a
    certificate from there."""

    def __init__(self, pair, client_ca=None):
        self.asked, self.handlers, self.lock = [], {}, threading.Lock()
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*pair)
        if client_ca:
            context.load_verify_locations(client_ca)
            context.verify_mode = ssl.CERT_REQUIRED
        self.listener = Listener(("127.0.0.1", 0), Handler)
        self.listener.owner = self
        # The handshake in the thread of the connection: a slow client holds up nobody.
        self.listener.socket = context.wrap_socket(self.listener.socket, server_side=True,
                                                   do_handshake_on_connect=False)
        self.port = self.listener.server_address[1]
        self.thread = threading.Thread(target=self.listener.serve_forever, daemon=True)

    def on(self, path, handler):
        """handler(request) gives a tree, (code, tree), or None when it has answered itself. A path
        that ends with * is a prefix."""
        self.handlers[path] = handler

    def find(self, path):
        if path in self.handlers:
            return self.handlers[path]
        fitting = [p for p in self.handlers if p.endswith("*") and path.startswith(p[:-1])]
        return self.handlers[max(fitting, key=len)] if fitting else None

    def note(self, request, path, tree):
        with self.lock:
            self.asked.append((request.command, path, tree, dict(request.headers)))

    def calls(self, path):
        with self.lock:
            return [entry for entry in self.asked if entry[1] == path]

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.listener.shutdown()
        self.listener.server_close()
        self.thread.join(5)


def service(name, port, namespace="default", target=443):
    """Manifests of a Service without selector that leads to the port on 127.0.0.1."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Service",
         "metadata": {"name": name, "namespace": namespace},
         "spec": {"ports": [{"port": target, "targetPort": port}]}},
        {"apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
         "metadata": {"name": name + "-test", "namespace": namespace,
                      "labels": {"kubernetes.io/service-name": name}},
         "addressType": "IPv4", "ports": [{"name": "", "port": port}],
         "endpoints": [{"addresses": ["127.0.0.1"]}]}]})
