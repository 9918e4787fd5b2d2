#!/usr/bin/env python3
"""A scheduler extender: nodes whose name ends in an odd number are filtered out, and the others score
by that number. Prints the port it listens on.
"""
import http.server
import json


class Extender(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        args = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        names = args["NodeNames"]
        if self.path == "/filter":
            odd = [n for n in names if int(n[-1]) % 2]
            answer = {"NodeNames": [n for n in names if n not in odd],
                      "FailedNodes": {n: "an odd node" for n in odd}}
        else:
            answer = [{"Host": n, "Score": int(n[-1])} for n in names]
        body = json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Extender)
print(server.server_address[1], flush=True)
server.serve_forever()
