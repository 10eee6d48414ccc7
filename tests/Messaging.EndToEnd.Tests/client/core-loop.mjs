// Two people talk: ada over REST, bob over the hub with the real npm client. Bob's line is cut without a goodbye and he catches up.
// Prints one JSON object of what both saw. Usage: node core-loop.mjs <url> <ada's token> <bob's token> <messages while away>
import { HubConnectionBuilder, LogLevel } from "@microsoft/signalr";

const [url, adaToken, bobToken, awayCount] = process.argv.slice(2);

async function call(token, method, path, body) {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { "content-type": "application/json" }) },
    body: body && JSON.stringify(body),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return JSON.parse(text);
}

// A hub client as a frontend writes it: remembers the newest id and resumes from it.
class Client {
  events = [];
  waiting = [];

  constructor(token) {
    this.token = token;
  }

  async connect() {
    this.hub = new HubConnectionBuilder()
      .withUrl(`${url}/hubs/messaging`, { accessTokenFactory: () => this.token })
      .configureLogging(LogLevel.None)
      .build();
    for (const type of ["message:new", "message:read", "conversation:created", "participant:added", "unread:changed"]) {
      this.hub.on(type, (event) => this.hear(event));
    }
    await this.hub.start();
  }

  hear(event) {
    if (this.events.some((known) => known.id === event.id)) return;
    this.events.push(event);
    this.waiting = this.waiting.filter(({ wanted, found }) => !(wanted(event) && (found(event), true)));
  }

  // The first event, heard already or to come, that is wanted.
  until(wanted) {
    const known = this.events.find(wanted);
    return known ? Promise.resolve(known) : new Promise((found) => this.waiting.push({ wanted, found }));
  }

  resume(cursor) {
    return new Promise((resolve, reject) => {
      const missed = [];
      this.hub.stream("Resume", cursor).subscribe({
        next: (event) => (missed.push(event), this.hear(event)),
        complete: () => resolve(missed),
        error: reject,
      });
    });
  }

  // As a lost network does: the socket is gone, nobody said goodbye.
  cut() {
    const gone = new Promise((closed) => this.hub.onclose(closed));
    this.hub.connection.transport._webSocket.terminate();
    return gone;
  }
}

const bob = new Client(bobToken);
await bob.connect();
const { userId: bobId } = await call(bobToken, "GET", "/v1/me");
const { userId: adaId } = await call(adaToken, "GET", "/v1/me");

const conversation = await call(adaToken, "POST", "/v1/conversations/direct", { userId: bobId, message: { text: "hello bob" } });
const first = await bob.until((event) => event.type === "message:new");

const answer = await bob.hub.invoke("SendMessage", conversation.id, { text: "hello ada", clientMessageId: "1" });
const repeat = await bob.hub.invoke("SendMessage", conversation.id, { text: "hello ada", clientMessageId: "1" });
const adaUnread = (await call(adaToken, "GET", "/v1/unread")).messages;
await call(adaToken, "POST", `/v1/conversations/${conversation.id}/read`, {});
const read = await bob.until((event) => event.type === "message:read" && event.data.userId === adaId);

const cursor = bob.events.at(-1).id;
await bob.cut();
for (let i = 1; i <= Number(awayCount); i++) {
  await call(adaToken, "POST", `/v1/conversations/${conversation.id}/messages`, { text: `while you were away ${i}` });
}
const bobUnread = (await call(bobToken, "GET", `/v1/conversations/${conversation.id}`)).me.unreadCount;
await bob.connect();
// Sent while bob resumes: live events wait behind the missed ones.
const live = call(adaToken, "POST", `/v1/conversations/${conversation.id}/messages`, { text: "live" });
const missed = await bob.resume(cursor);
await live;
await bob.until((event) => event.data.text === "live");
const pointer = await bob.hub.invoke("MarkRead", conversation.id, Number(awayCount) + 3);

const refused = await bob.hub.invoke("SendMessage", conversation.id, { text: "" }).catch((error) => error.message);
await bob.hub.stop();

console.log(JSON.stringify({
  first: first.data.text,
  answered: [answer.seq, repeat.id === answer.id],
  adaUnread,
  read: read.data.seq,
  bobUnread,
  missed: missed.filter((event) => event.type === "message:new").length,
  seqs: bob.events.filter((event) => event.type === "message:new").map((event) => event.seq),
  pointer: [pointer.lastReadSeq, pointer.unreadCount],
  refused,
}));
