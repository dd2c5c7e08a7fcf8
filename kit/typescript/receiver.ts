// Receives webhooks, and takes only what iModel signed.
//
//   IMODEL_WEBHOOK_SECRET=whsec_... node receiver.js        on 127.0.0.1:8080; PORT changes that

import { createServer } from "node:http";

import { Webhook, WebhookVerificationError } from "standardwebhooks";

type Event = { type: string; timestamp: string; data: { id?: string } };

const webhook = new Webhook(process.env.IMODEL_WEBHOOK_SECRET ?? "");
const seen = new Set<string>(); // in your database, unique
const LARGEST = 1_000_000;

// Be quick here: put it into a queue of your own.
function take(event: Event): void {
  console.log(event.type, event.data.id);
}

createServer((request, response) => {
  const pieces: Buffer[] = [];
  let length = 0;
  request.on("data", (piece: Buffer) => {
    length += piece.length;
    if (length <= LARGEST) pieces.push(piece);
  });
  request.on("end", () => {
    const headers = request.headers as Record<string, string>;
    try {
      // The bytes as they came: they are what was signed.
      const event = webhook.verify(Buffer.concat(pieces), headers) as Event;
      const id = headers["webhook-id"] ?? "";
      if (!seen.has(id)) take(event); // the same event may come twice
      seen.add(id);
      response.writeHead(204).end();
    } catch (error) {
      if (!(error instanceof WebhookVerificationError)) throw error;
      response.writeHead(400).end();
    }
  });
}).listen(Number(process.env.PORT ?? 8080), "127.0.0.1");
