// From a photo of a garment to pictures on your disk. `schema.d.ts` is written by `make clients`.
//
//   const shop = new Shop("https://your-imodel", process.env.IMODEL_KEY!);
//   const photo = await shop.photograph("dress.jpg", { name: "Poppy dress", sku: "PD-17" });
//   const shoot = await shop.wait(await shop.submit(photo, "order-4711", { count: 2 }));
//   const files = await shop.download(shoot, "pictures");

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";

import createClient, { type Client } from "openapi-fetch";

import type { components, paths } from "./schema.js";

type Schemas = components["schemas"];
export type Shoot = Schemas["WholeShoot"];
export type Photo = Schemas["Photo"];
export type Order = Omit<Schemas["OrderRequest"], "photo" | "dry_run">;

const ENDED = ["succeeded", "failed", "cancelled"];

// What the server said no to; `code` never changes, `retryable` says whether to send the same again later.
export class Refused extends Error {
  readonly code: string;
  readonly retryable: boolean;

  constructor(error: Schemas["Error"]) {
    super(`${error.message} [${error.code}]`);
    this.code = error.code;
    this.retryable = error.retryable;
  }
}

type Answer<T> = { data?: T; error?: { error: Schemas["Error"] } };

function found<T>(answer: Answer<T>): T {
  if (answer.error) throw new Refused(answer.error.error);
  if (answer.data === undefined) throw new Error("the server answered what its schema does not say");
  return answer.data;
}

export class Shop {
  readonly client: Client<paths>;

  constructor(url: string, key: string) {
    this.client = createClient<paths>({ baseUrl: url, headers: { Authorization: `Bearer ${key}` } });
  }

  // A new garment with one photo.
  async photograph(file: string, about: { name: string; sku: string }): Promise<Photo> {
    const garment = found(await this.client.POST("/api/v1/garments", { body: about }));
    const form = new FormData();
    form.set("garment", garment.id);
    form.set("file", new Blob([await readFile(file)]), basename(file));
    // The schema says what the form holds; a form is made of it by hand.
    const body = form as unknown as Schemas["NewPhotoRequest"];
    return found(await this.client.POST("/api/v1/photos", { body, bodySerializer: () => form }));
  }

  // Order pictures; called again with the same `once` it orders nothing more.
  async submit(photo: Photo, once: string, order: Order = {}): Promise<Shoot> {
    const params = { header: { "Idempotency-Key": once } };
    const answer = await this.client.POST("/api/v1/shoots", { params, body: { ...order, photo: photo.id } });
    return found(answer as Answer<Shoot>); // without dry_run it is a shoot
  }

  // The shoot as it is, with fresh addresses of its pictures.
  async look(id: string): Promise<Shoot> {
    return found(await this.client.GET("/api/v1/shoots/{id}", { params: { path: { id } } }));
  }

  // The shoot once it has ended. A webhook (receiver.ts) saves asking.
  async wait(shoot: Shoot, seconds = 600): Promise<Shoot> {
    const until = Date.now() + 1000 * seconds;
    while (!ENDED.includes(shoot.status)) {
      if (Date.now() > until) throw new Error(`shoot ${shoot.id} is ${shoot.status}`);
      await new Promise((done) => setTimeout(done, 1000));
      shoot = await this.look(shoot.id);
    }
    return shoot;
  }

  // The finished pictures as PNG; their addresses end within minutes, so they are asked for anew.
  async download(shoot: Shoot, folder: string): Promise<string[]> {
    await mkdir(folder, { recursive: true });
    const files: string[] = [];
    for (const picture of (await this.look(shoot.id)).pictures) {
      const url = (picture.urls as Record<string, string>)["full"];
      if (!url) continue; // moderation has a look first
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`${answer.status} for picture ${picture.id}`);
      files.push(join(folder, `${picture.id}.png`));
      await writeFile(files.at(-1)!, Buffer.from(await answer.arrayBuffer()));
    }
    return files;
  }
}
