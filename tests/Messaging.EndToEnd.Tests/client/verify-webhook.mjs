// Verifies a webhook's call as its receiver does: with the package of Standard Webhooks, or with a module that is given.
// Reads {secret, body, headers} as JSON and prints "ok" or why not. Usage: node verify-webhook.mjs [module with isGenuine]
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { secret, body, headers } = JSON.parse(readFileSync(0, "utf8"));
try {
  if (process.argv[2]) {
    const { isGenuine } = await import(process.argv[2]);
    const sent = ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => headers[name]);
    if (!isGenuine(secret, ...sent, Buffer.from(body))) throw new Error("It is not genuine");
  } else {
    new Webhook(secret).verify(body, headers);
  }
  console.log("ok");
} catch (e) {
  console.log(e.message);
}
