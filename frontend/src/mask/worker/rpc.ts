// Questions to a worker and its answers, typed on both sides. Large arrays go over instead of being copied.

/** What a worker can be asked: by name, what goes in and what comes out. */
export type Calls<C> = { [K in keyof C]: { ask: unknown; answer: unknown } };

type Asked = { number: number; kind: string; ask: unknown };
type Answered = { number: number; answer: unknown } | { number: number; reason: string };

/** The page's end of the line. */
export class Line<C extends Calls<C>> {
  private number = 0;
  private hungUp = false;
  private readonly waiting = new Map<number, { resolve: (answer: never) => void; reject: (error: Error) => void }>();

  constructor(private readonly worker: Worker) {
    worker.addEventListener("message", (event: MessageEvent<Answered>) => this.heard(event.data));
    worker.addEventListener("error", (event) => this.broke(event.message || "the worker did not start"));
    worker.addEventListener("messageerror", () => this.broke("an answer could not be read"));
  }

  /** Arrays in ``ask`` are copied unless their buffers are named in ``over``. */
  call<K extends keyof C & string>(kind: K, ask: C[K]["ask"], over: Transferable[] = []): Promise<C[K]["answer"]> {
    this.number += 1;
    const number = this.number;
    return new Promise((resolve, reject) => {
      if (this.hungUp) return reject(new Error("closed")); // nobody would ever answer
      this.waiting.set(number, { resolve, reject });
      this.worker.postMessage({ number, kind, ask } satisfies Asked, over);
    });
  }

  get closed(): boolean {
    return this.hungUp;
  }

  close(): void {
    this.hungUp = true;
    this.worker.terminate();
    this.broke("closed");
  }

  private heard(answered: Answered): void {
    const one = this.waiting.get(answered.number);
    this.waiting.delete(answered.number);
    if (!one) return;
    if ("reason" in answered) one.reject(new Error(answered.reason));
    else one.resolve(answered.answer as never);
  }

  private broke(reason: string): void {
    for (const one of this.waiting.values()) one.reject(new Error(reason));
    this.waiting.clear();
  }
}

/** What serve needs of a worker's global scope; its full type is only known where the worker library is. */
export interface Scope {
  addEventListener(kind: "message", hear: (event: MessageEvent) => void): void;
  postMessage(message: unknown, over: Transferable[]): void;
}

export type Handlers<C extends Calls<C>> = { [K in keyof C]: (ask: C[K]["ask"]) => Promise<C[K]["answer"]> | C[K]["answer"] };

/** The worker's end: one handler for each call. What an answer carries in ``over`` goes over to the page. */
export function serve<C extends Calls<C>>(scope: Scope, handlers: Handlers<C>): void {
  scope.addEventListener("message", (event: MessageEvent<Asked>) => {
    void answer(scope, handlers, event.data);
  });
}

async function answer<C extends Calls<C>>(scope: Scope, handlers: Handlers<C>, { number, kind, ask }: Asked): Promise<void> {
  try {
    const found = await handlers[kind as keyof C]!(ask as never);
    scope.postMessage({ number, answer: found } satisfies Answered, buffers(found));
  } catch (error) {
    scope.postMessage({ number, reason: error instanceof Error ? error.message : String(error) } satisfies Answered, []);
  }
}

/** The arrays that an answer has at its top. */
function buffers(value: unknown): Transferable[] {
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap((one): Transferable[] => {
    if (one instanceof ArrayBuffer) return [one];
    return ArrayBuffer.isView(one) && one.buffer instanceof ArrayBuffer ? [one.buffer] : [];
  });
}
