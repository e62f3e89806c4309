"""Sends real requests of the binary to two receivers that verify with the reference libraries of Standard Webhooks (PyPI and
npm), and proves that both refuse what was tampered with, and what is stale.

    python .ci/webhooks.py SIGNLEAK NODE_MODULES
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
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from standardwebhooks.webhooks import Webhook

BINARY, MODULES = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
HERE = Path(__file__).resolve().parent.parent
SECRET = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
NODE = """
const { Webhook } = require(process.argv[1] + '/standardwebhooks');
const hook = new Webhook(process.env.WEBHOOK_SECRET);
const server = require('http').createServer((request, response) => {
  let body = '';
  request.on('data', part => body += part).on('end', () => {
    let status = 200, answer = { status: 'revoked' };
    try { hook.verify(body, request.headers); } catch (error) { status = 401; answer = { status: 'rejected' }; }
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(answer));
  });
}).listen(0, '127.0.0.1', () => console.log('listening on ' + server.address().port));
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


def check(name, command):
    environment = {**os.environ, "WEBHOOK_SECRET": SECRET}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as receiver:
        try:
            target = f"http://127.0.0.1:{receiver.stdout.readline().split()[-1]}/"
            tap = ThreadingHTTPServer(("127.0.0.1", 0), Tap)
            tap.seen, tap.target = [], target
            threading.Thread(target=tap.serve_forever, daemon=True).start()
            headers, body = deliver(tap)
            assert post(target, body, headers)[0] == 200, "the same message again"
            refuse(name, target, body, headers)
            tap.shutdown()
        finally:
            receiver.kill()
    print(f"{name}: verified; tampered, mixed up and stale messages refused")


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
    from datetime import datetime, timezone
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


check("PyPI standardwebhooks", [sys.executable, str(HERE / "examples/receiver/receiver.py"), "0"])
check("npm standardwebhooks", ["node", "-e", NODE, str(MODULES)])
print("2 passed, 0 failed")
