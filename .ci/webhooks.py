"""Sends real requests of the binary to receivers that verify with the reference libraries of Standard Webhooks (PyPI, npm and
crates.io), and proves that they refuse what was tampered with and what is stale, and that a replay revokes nothing.

    python .ci/webhooks.py SIGNLEAK NODE_MODULES RUST_RECEIVER
"""
import base64
import json
import os
import secrets
import string
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks.webhooks import Webhook

BINARY, MODULES, RUST = (Path(argument).resolve() for argument in sys.argv[1:4])
HERE = Path(__file__).resolve().parent.parent
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
NODE = """
const { Webhook } = require(process.argv[1] + '/standardwebhooks');
const hook = new Webhook(process.env.WEBHOOK_SECRET), seen = new Set();
const server = require('http').createServer((request, response) => {
  let body = '';
  request.on('data', part => body += part).on('end', () => {
    let status = 200, answer = { status: 'revoked' };
    try {
      hook.verify(body, request.headers);
      if (!seen.has(request.headers['webhook-id'])) console.log('revoke');
      seen.add(request.headers['webhook-id']);
    } catch (error) { status = 401; answer = { status: 'rejected' }; }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
}).listen(0, '127.0.0.1', () => console.log('listening on ' + server.address().port));
"""
# The same receivers, six minutes later.
LATER_NODE = "const now = Date.now; Date.now = () => now() + 360000; const D = Date; Date = class extends D { constructor(...a) { a.length ? super(...a) : super(D.now()); } };" + NODE
LATER_PYTHON = """
import datetime, runpy, sys
import standardwebhooks.webhooks as library
class Later(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return super().now(tz) + datetime.timedelta(minutes=6)
library.datetime = Later
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


class Tap(BaseHTTPRequestHandler):
    """Stands between the binary and a receiver and keeps what was sent."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.seen.append((dict(self.headers.items()), body))
        status, answer = post(self.server.target, body, dict(self.headers.items()))
        self.send_response(status)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_):
        pass


def post(url, body, headers):
    kept = {name: value for name, value in headers.items() if name.lower().startswith(("webhook-", "content-type"))}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, body, kept), timeout=10) as response:
            return response.status, response.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Receiver:
    """A receiver that runs while the block does."""

    def __init__(self, command):
        environment = {**os.environ, "WEBHOOK_SECRET": SECRET}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        first = self.process.stdout.readline()
        self.target = f"http://127.0.0.1:{first.strip().split()[-1].split(':')[-1]}/"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.rest = self.process.communicate()[0]


def check(name, command, later):
    with Receiver(command) as receiver:
        tap = ThreadingHTTPServer(("127.0.0.1", 0), Tap)
        tap.seen, tap.target = [], receiver.target
        threading.Thread(target=tap.serve_forever, daemon=True).start()
        headers, body = deliver(tap)
        assert post(receiver.target, body, headers)[0] == 200, "the same message again"
        refuse(name, receiver.target, body, headers)
        tap.shutdown()
    assert receiver.rest.count("revoke") == 1, f"{name}: a replay revokes: {receiver.rest}"
    if later:
        with Receiver(later) as receiver:
            status, _ = post(receiver.target, body, headers)
            assert status == 401, f"{name}: replayed after six minutes: {status}"
        assert "revoke" not in receiver.rest
    print(f"{name}: verified; tampered, mixed up, stale and replayed messages do nothing")


def deliver(tap):
    key = "aZ" + "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(30))
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "a.env").write_text(f"YOUSIGN_API_KEY={key}\n")
        url = f"http://127.0.0.1:{tap.server_port}/"
        command = [BINARY, "scan", "a.env", "--no-history", "--revoke", "--yes", "--revoke-url", url, "--outbox", "outbox", "--format", "json"]
        environment = {**os.environ, "SIGNLEAK_REVOKE_SECRET": SECRET}
        run = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60)
        assert run.returncode == 1, run.stderr
        assert json.loads(run.stdout)["findings"][0]["revocation"]["status"] in ("accepted", "revoked"), run.stdout
        assert key not in run.stdout + run.stderr
    [(headers, body)] = tap.seen
    assert key.encode() not in body
    return headers, body


def refuse(name, target, body, headers):
    changed = body.replace(b'"length":32', b'"length":33')
    assert changed != body
    lower = {key.lower(): value for key, value in headers.items()}
    stale = str(int(lower["webhook-timestamp"]) - 3600)
    old = Webhook(SECRET)
    signature = old.sign(lower["webhook-id"], datetime.fromtimestamp(int(stale), timezone.utc), body.decode())
    for what, sent, changes in [
        ("a changed body", changed, {}),
        ("another id", body, {"webhook-id": "revoke_" + "0" * 64}),
        ("another time", body, {"webhook-timestamp": str(int(lower["webhook-timestamp"]) + 1)}),
        ("a stale message, rightly signed", body, {"webhook-timestamp": stale, "webhook-signature": signature}),
        ("no signature", body, {"webhook-signature": ""}),
    ]:
        status, _ = post(target, sent, {**lower, **changes})
        assert status == 401, f"{name}: {what}: {status}"


PYTHON = str(HERE / "examples/receiver/receiver.py")
check("PyPI standardwebhooks", [sys.executable, PYTHON, "0"], [sys.executable, "-c", LATER_PYTHON, PYTHON, "0"])
check("npm standardwebhooks", ["node", "-e", NODE, str(MODULES)], ["node", "-e", LATER_NODE, str(MODULES)])
check("crates.io standardwebhooks", [str(RUST), "0"], None)
print("3 passed, 0 failed")
