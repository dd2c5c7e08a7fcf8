// What is done with pictures without leaving the grid: hearts, and the bar's actions; each with its words, some with a way back.
import { ApiError, postForm, send, writing } from "../shared/api";
import { toast } from "../shared/dom";
import type { Words } from "../shared/words";

interface Answer {
  words: string;
}

/** POST /pictures/bulk for these; the sentence that says what was done. */
async function bulk(url: string, action: string, ids: Iterable<string>, more: Record<string, string>): Promise<string> {
  const body = new FormData();
  for (const id of ids) body.append("pictures", id);
  for (const [name, value] of Object.entries({ action, ...more })) body.set(name, value);
  const answer = await send(null, url, { method: "POST", headers: writing(), body });
  return ((await answer.json()) as Answer).words;
}

export class Deeds {
  constructor(
    private readonly url: string,
    private readonly words: Words,
  ) {}

  /** Whether the heart is on afterwards. */
  async favourite(url: string, on: boolean): Promise<boolean> {
    try {
      return (await postForm<{ favourite: boolean }>(null, url, { on: on ? "1" : "0" })).favourite;
    } catch (error) {
      this.say(error);
      return !on;
    }
  }

  /** Whether it was done; `undo` is the action that takes it back, `undone` what the page does then. */
  async all(action: string, ids: readonly string[], more: Record<string, string>, undo?: Undo): Promise<boolean> {
    try {
      const words = await bulk(this.url, action, ids, more);
      if (undo) toast(words, "good", { label: this.words.undo ?? "", run: () => void this.undo(undo, ids) });
      else toast(words, "good");
      return true;
    } catch (error) {
      this.say(error);
      return false;
    }
  }

  private async undo({ action, undone }: Undo, ids: readonly string[]): Promise<void> {
    if (await this.all(action, ids, {})) undone();
  }

  say(error: unknown): void {
    const told = error instanceof ApiError && error.code !== "offline" && error.code !== "unreadable";
    toast(told ? error.message : (this.words.failed ?? ""), "bad");
  }
}

export interface Undo {
  readonly action: string;
  readonly undone: () => void;
}
