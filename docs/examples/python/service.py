"""A service beside Messaging: verifies webhooks, follows the feed, and answers "ping" as a user. Python 3.9 or newer, without packages.

    MESSAGING_URL=http://localhost:5080 MESSAGING_KEY=msk_... WEBHOOK_SECRET=whsec_... python3 service.py

The key needs the scopes events and messages; the user (BOT) must exist. Register the webhook with the address http://<this host>:8090/.
"""

import base64
import hashlib
import hmac
import json
import os
import threading
import time
import urllib.error
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

URL = os.environ["MESSAGING_URL"].rstrip("/")
KEY = os.environ["MESSAGING_KEY"]
SECRET = os.environ["WEBHOOK_SECRET"]
BOT = os.environ.get("BOT", "helper")
PORT = int(os.environ.get("PORT", "8090"))
CURSOR_FILE = os.environ.get("CURSOR_FILE", "cursor.txt")


def say(**what):
    print(json.dumps(what), flush=True)


# 1. Webhooks


def is_genuine(secret, id, timestamp, signatures, body):
    if not timestamp.isdecimal() or abs(time.time() - int(timestamp)) > 300:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    mac = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    expected = b"v1," + base64.b64encode(mac)
    return any(hmac.compare_digest(one.encode(), expected) for one in signatures.split(" "))


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", "0")))
        names = ("webhook-id", "webhook-timestamp", "webhook-signature")
        id, timestamp, signatures = (self.headers.get(name, "") for name in names)
        if not is_genuine(SECRET, id, timestamp, signatures, body):
            return self.answer(401)
        # A real service stores the event here, under its id, which is the same at every attempt; and works on it afterwards.
        say(webhook=json.loads(body)["type"], id=id)
        self.answer(204)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


# 2. The feed


class Refusal(Exception):
    def __init__(self, answer):
        try:
            self.code = json.load(answer)["code"]
        except (ValueError, KeyError, TypeError):
            self.code = "unknown"  # the page of a proxy
        retry_after = answer.headers.get("retry-after", "")
        self.status, self.retry_after = answer.code, int(retry_after) if retry_after.isdecimal() else 2
        super().__init__(f"{self.status} {self.code}")


def call(method, path, body=None, user=None):
    headers = {"X-Api-Key": KEY, "Content-Type": "application/json"}
    if user:
        headers["X-User-Id"] = user
    data = None if body is None else json.dumps(body).encode()
    try:
        with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers, method=method), timeout=30) as answer:
            return json.load(answer)
    except urllib.error.HTTPError as answer:
        raise Refusal(answer) from None


def read_cursor():
    try:
        with open(CURSOR_FILE, encoding="utf-8") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def keep_cursor(cursor):
    with open(CURSOR_FILE + ".new", "w", encoding="utf-8") as file:
        file.write(cursor)
    os.replace(CURSOR_FILE + ".new", CURSOR_FILE)


def follow():
    cursor = read_cursor()
    while True:
        try:
            page = call("GET", f"/v1/sync?since={cursor}" if cursor else "/v1/sync")
            for event in page.get("events", []):
                handle(event)
            # Only now: after a crash the events of this page come again.
            if page["cursor"] != cursor:
                cursor = page["cursor"]
                keep_cursor(cursor)
            if not page.get("hasMore"):
                time.sleep(0.5)
        except Exception as failure:  # whatever it is, such as no answer in time: the feed is followed on
            if isinstance(failure, Refusal) and failure.code == "cursor-expired":
                # What happened in between has to be read anew, from wherever this service keeps it.
                cursor = ""
            else:
                say(problem=str(failure))
                time.sleep(getattr(failure, "retry_after", 2))


# 3. Posting as a user


def handle(event):
    message = event["data"]
    if event["type"] != "message:new" or message["type"] != "text" or message["text"] != "ping":
        return
    try:
        # The same event gives the same clientMessageId: an event that comes again is answered once.
        reply = {"text": "pong", "replyToId": message["id"], "clientMessageId": f"pong-{event['id']}"}
        call("POST", f"/v1/conversations/{event['conversationId']}/messages", reply, user=BOT)
    except Refusal as refusal:
        if refusal.status == 429 or refusal.status >= 500:
            raise
        # The bot does not take part, or may not write there.
        say(problem=refusal.code)


if __name__ == "__main__":
    server = ThreadingHTTPServer(("0.0.0.0", PORT), Receiver)
    threading.Thread(target=follow, daemon=True).start()
    say(listening=server.server_address[1])
    server.serve_forever()
