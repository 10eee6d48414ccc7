// A service beside Messaging: verifies webhooks, follows the feed, and answers "ping" as a user. Node 20 or newer, without packages.
//
//   MESSAGING_URL=http://localhost:5080 MESSAGING_KEY=msk_... WEBHOOK_SECRET=whsec_... node service.mjs
//
// The key needs the scopes events and messages; the user (BOT) must exist. Register the webhook with the address http://<this host>:8090/.
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

const { MESSAGING_URL, MESSAGING_KEY, WEBHOOK_SECRET, BOT = "helper", PORT = "8090", CURSOR_FILE = "cursor.txt" } = process.env;

const say = (what) => console.log(JSON.stringify(what));

// 1. Webhooks

export function isGenuine(secret, id, timestamp, signatures, body) {
  if (!(Math.abs(Date.now() / 1000 - Number(timestamp)) <= 300)) return false;
  const key = Buffer.from(secret.slice("whsec_".length), "base64");
  const expected = Buffer.from(
    "v1," + createHmac("sha256", key).update(`${id}.${timestamp}.`).update(body).digest("base64"));
  return signatures.split(" ").map((one) => Buffer.from(one))
    .some((one) => one.length === expected.length && timingSafeEqual(one, expected));
}

async function receive(request, response) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  const body = Buffer.concat(chunks);
  const [id, timestamp, signatures] =
    ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => request.headers[name] ?? "");
  if (!isGenuine(WEBHOOK_SECRET, id, timestamp, signatures, body)) return response.writeHead(401).end();
  // A real service stores the event here, under its id, which is the same at every attempt; and works on it afterwards.
  say({ webhook: JSON.parse(body).type, id });
  response.writeHead(204).end();
}

// Whoever breaks off in the middle ends that call, and not the service.
const server = createServer((request, response) => receive(request, response).catch((e) => {
  say({ problem: e.message });
  response.destroy();
}));

// 2. The feed

class Refusal extends Error {
  constructor(status, code, retryAfter) {
    super(`${status} ${code}`);
    Object.assign(this, { status, code, retryAfter });
  }
}

async function call(method, path, body, user) {
  const answer = await fetch(new URL(path, MESSAGING_URL), {
    method,
    headers: {
      "X-Api-Key": MESSAGING_KEY,
      ...(body && { "Content-Type": "application/json" }),
      ...(user && { "X-User-Id": user }),
    },
    body: body && JSON.stringify(body),
    signal: AbortSignal.timeout(30_000),
  });
  if (answer.ok) return answer.json();
  const { code } = await answer.json().catch(() => ({ code: "unknown" })); // the page of a proxy
  throw new Refusal(answer.status, code, Number(answer.headers.get("retry-after")) || 2);
}

const readCursor = () => readFile(CURSOR_FILE, "utf8").catch(() => "");

async function keepCursor(cursor) {
  await writeFile(`${CURSOR_FILE}.new`, cursor);
  await rename(`${CURSOR_FILE}.new`, CURSOR_FILE);
}

async function follow() {
  let cursor = await readCursor();
  for (;;) {
    try {
      const page = await call("GET", cursor ? `/v1/sync?since=${cursor}` : "/v1/sync");
      for (const event of page.events ?? []) await handle(event);
      // Only now: after a crash the events of this page come again.
      if (page.cursor !== cursor) await keepCursor((cursor = page.cursor));
      if (!page.hasMore) await sleep(500);
    } catch (e) {
      if (e.code === "cursor-expired") {
        // What happened in between has to be read anew, from wherever this service keeps it.
        cursor = "";
      } else {
        say({ problem: e.message });
        await sleep(1000 * (e.retryAfter ?? 2));
      }
    }
  }
}

// 3. Posting as a user

async function handle({ id, type, conversationId, data: message }) {
  if (type !== "message:new" || message.type !== "text" || message.text !== "ping") return;
  try {
    // The same event gives the same clientMessageId: an event that comes again is answered once.
    const reply = { text: "pong", replyToId: message.id, clientMessageId: `pong-${id}` };
    await call("POST", `/v1/conversations/${conversationId}/messages`, reply, BOT);
  } catch (e) {
    if (!(e instanceof Refusal) || e.status === 429 || e.status >= 500) throw e;
    // The bot does not take part, or may not write there.
    say({ problem: e.code });
  }
}

server.listen(Number(PORT), () => say({ listening: server.address().port }));
await follow();
