"""A receiver for `signleak --revoke`: verifies, remembers, revokes once, answers by docs/revocation.openapi.yaml.

    pip install standardwebhooks
    WEBHOOK_SECRET=whsec_... python receiver.py 8000

Put it behind a proxy that speaks TLS; signleak sends plain HTTP to this machine only.
"""
import json
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from standardwebhooks.webhooks import Webhook, WebhookVerificationError

WEBHOOK = Webhook(os.environ["WEBHOOK_SECRET"])
ANSWERS: dict[str, dict] = {}  # by webhook-id; keep them in a database
LOCK = Lock()
LIMIT = 64 * 1024


def revoke(data: dict) -> dict:
    """Opens the ticket, drives the app, rotates the vault; here it only says so."""
    print(f"revoke {data['redacted']} ({data['fingerprint']}), {data['environment']}", flush=True)
    return {"status": "accepted", "detail": "a ticket is open"}


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        if length > LIMIT:
            return self.answer(413, {"status": "rejected", "detail": "too large"})
        body = self.rfile.read(length)
        try:
            event = WEBHOOK.verify(body, {key.lower(): value for key, value in self.headers.items()})
        except WebhookVerificationError as error:
            return self.answer(401, {"status": "rejected", "detail": str(error)})
        with LOCK:  # one key, one revocation, however many jobs ask
            name = self.headers["webhook-id"]
            if name not in ANSWERS:
                ANSWERS[name] = revoke(event["data"])
            return self.answer(200, ANSWERS[name])

    def answer(self, status: int, value: dict) -> None:
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_: object) -> None:
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print(f"listening on {server.server_port}", flush=True)
    server.serve_forever()
