// Forms: passed on, and where nothing answers put in line (shared/queue.ts).
import type { Waiting } from "../shared/db";
import { announce, fieldsOf, flush, putInLine, type There, waiting, within } from "../shared/queue";
import { worker } from "./facts";
import { noteWriting, owner, tellTabs, untilForgotten, wipeAll } from "./memory";
import { without } from "./pages";

const LAST_CHANCE = 5000; // ms for what waits, before a sign-out drops it
const PATIENCE = 10_000; // ms for the server to say who is there

/** What kind of thing a POST to this path is, when it may wait; null when it must be answered now. */
export function kindOf(path: string): Waiting["kind"] | null {
  const { shoot, uploads } = worker.IMODEL.doors;
  if (path === shoot) return "shoot";
  if (uploads.includes(path)) return "upload";
  return /\/cut\/save$/.test(path) ? "mask" : null;
}

/** Try now; put it in line when nothing answers. */
export async function sendOrQueue(event: FetchEvent, kind: Waiting["kind"]): Promise<Response> {
  const copy = event.request.clone();
  try {
    const answer = await fetch(event.request);
    void noteWriting();
    return answer;
  } catch (error) {
    const fields = fieldsOf(await copy.formData());
    const mine = await owner();
    if (!mine) throw error;
    await putInLine(mine, kind, new URL(copy.url).pathname, fields);
    return accepted(event.request);
  }
}

/** A form goes to the page that shows what waits; a script is told so. */
function accepted(request: Request): Response {
  const next = worker.IMODEL.doors.waiting;
  if (request.mode === "navigate") return Response.redirect(next, 303);
  return Response.json({ queued: true, next }, { status: 202 });
}

/** Send what waits. */
export async function sendWaiting(): Promise<void> {
  const stop = untilForgotten(); // taken before the owner is read: a wipe in between aborts it
  const mine = await owner();
  if (!mine) return;
  const tell: typeof announce = (change) => {
    void noteWriting();
    announce(change);
  };
  await flush(mine, { there: whoIsThere, tell, stop });
}

/** The browser woke us. @throws while something still waits: then it wakes us again, later and later (Background Sync, 3.3). */
export async function sendAtWake(): Promise<void> {
  await sendWaiting();
  const mine = await owner();
  const left = mine ? (await waiting(mine)).filter(({ status }) => status === "waiting").length : 0;
  if (left) throw new Error(`${left} still waiting`);
}

/** @throws where nothing answers, or a proxy does. */
async function whoIsThere(signal: AbortSignal): Promise<There> {
  const headers = { Accept: "application/json" };
  const answer = await fetch(worker.IMODEL.doors.state, { cache: "no-store", headers, signal });
  if (!answer.ok) throw new Error(`state: ${answer.status}`);
  return (await answer.json()) as There;
}

/** A sign-out or another merchant. Without a connection nothing is forgotten: the session would live on all the same. Else what
 * waits gets its chance, then nothing of anybody's is left, and only then the server hears of it, so that no page can come in
 * between. */
export async function leave(event: FetchEvent): Promise<Response> {
  const answers = await whoIsThere(within(PATIENCE, untilForgotten())).then(() => true, () => false);
  if (!answers) return without("stayed");
  await Promise.race([sendWaiting(), new Promise((go) => setTimeout(go, LAST_CHANCE))]).catch(() => undefined);
  await wipeAll();
  try {
    return await fetch(event.request);
  } catch {
    return without("stayed");
  } finally {
    await wipeAll(); // what arrived meanwhile
    tellTabs();
  }
}
