// The sketch beside the choices: the garment cut out of its photo, over the chosen scene, in the chosen crop, with the pose.
// Made of pictures that the page has already; it says where things go, not how they will look.
import type { Box } from "./geometry";
import { brightnessToAlpha, contained, covering, cropBox } from "./geometry";

/** Addresses of what is chosen; empty for what there is none of. */
export interface Choice {
  readonly kind: string;
  readonly photo: string;
  readonly mask: string;
  readonly skeleton: string;
  readonly scene: string;
  readonly persona: string;
  readonly pose: string;
  readonly crop: string;
}

const KEPT = 24; // decoded pictures: four sketches' worth
const INSET = 0.2; // of the sketch's width: the model's face and the pose's card

export class Sketch {
  private readonly pictures = new Map<string, Promise<HTMLImageElement | null>>();
  private turn = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  /** The newest choice wins, however late the pictures of an older one arrive. */
  async show(choice: Choice): Promise<void> {
    this.turn += 1;
    const turn = this.turn;
    const names = ["photo", "mask", "skeleton", "scene", "persona", "pose"] as const;
    const found = await Promise.all(names.map((name) => this.load(choice[name])));
    if (turn !== this.turn) return;
    const [photo, mask, skeleton, scene, persona, pose] = found;
    const pen = this.pen();
    if (!pen) return;
    const all: Box = { x: 0, y: 0, width: this.canvas.width, height: this.canvas.height };
    if (scene) this.paint(pen, scene, covering(scene.naturalWidth, scene.naturalHeight, all));
    if (photo) this.garment(pen, choice.kind, photo, mask ?? null, all);
    if (photo && skeleton) this.paint(pen, skeleton, contained(skeleton.naturalWidth, skeleton.naturalHeight, all));
    this.frame(pen, cropBox(choice.crop));
    if (persona) this.inset(pen, persona, 0);
    if (pose) this.inset(pen, pose, 1);
  }

  private garment(pen: Pen, kind: string, photo: HTMLImageElement, mask: HTMLImageElement | null, all: Box): void {
    const place = contained(photo.naturalWidth, photo.naturalHeight, all);
    if (kind === "text") return;
    if (!mask || kind === "outfit") {
      pen.globalAlpha = mask ? 1 : 0.7;
      this.paint(pen, photo, place);
      pen.globalAlpha = 1;
      return;
    }
    this.paint(pen, cutOut(photo, mask, place), place);
  }

  private frame(pen: Pen, crop: Box): void {
    const { width, height } = this.canvas;
    const box = [crop.x * width, crop.y * height, crop.width * width, crop.height * height] as const;
    if (crop.width >= 1) return;
    pen.save();
    pen.beginPath();
    pen.rect(0, 0, width, height);
    pen.rect(...box);
    pen.fillStyle = "rgb(16 18 22 / 0.55)";
    pen.fill("evenodd");
    pen.strokeStyle = "#ffffff";
    pen.lineWidth = 3;
    pen.setLineDash([10, 8]);
    pen.strokeRect(...box);
    pen.restore();
  }

  /** A small picture in a lower corner: 0 left, 1 right. */
  private inset(pen: Pen, picture: HTMLImageElement, side: 0 | 1): void {
    const width = INSET * this.canvas.width;
    const box: Box = { x: side ? this.canvas.width - width - 12 : 12, y: this.canvas.height - 1.5 * width - 12, width, height: 1.5 * width };
    pen.save();
    pen.beginPath();
    pen.roundRect(box.x, box.y, box.width, box.height, 8);
    pen.fillStyle = "#ffffff";
    pen.fill();
    pen.clip();
    this.paint(pen, picture, covering(picture.naturalWidth, picture.naturalHeight, box));
    pen.restore();
    pen.strokeStyle = "rgb(255 255 255 / 0.9)";
    pen.lineWidth = 3;
    pen.beginPath();
    pen.roundRect(box.x, box.y, box.width, box.height, 8);
    pen.stroke();
  }

  private paint(pen: Pen, picture: CanvasImageSource, box: Box): void {
    pen.drawImage(picture, box.x, box.y, box.width, box.height);
  }

  private pen(): Pen | null {
    const pen = this.canvas.getContext("2d");
    pen?.clearRect(0, 0, this.canvas.width, this.canvas.height);
    return pen;
  }

  /** Null where it does not come: the sketch goes without it. */
  private load(address: string): Promise<HTMLImageElement | null> {
    if (!address) return Promise.resolve(null);
    const known = this.pictures.get(address);
    if (known) return this.remember(address, known);
    const picture = new Image();
    picture.src = address;
    const found = picture.decode().then(() => picture, () => null);
    return this.remember(address, found);
  }

  /** As the newest; the one that was not wanted for longest goes. A signed address is another one after an hour. */
  private remember<P extends Promise<HTMLImageElement | null>>(address: string, picture: P): P {
    this.pictures.delete(address);
    this.pictures.set(address, picture);
    const [oldest] = this.pictures.keys();
    if (this.pictures.size > KEPT && oldest !== undefined) this.pictures.delete(oldest);
    return picture;
  }
}

type Pen = CanvasRenderingContext2D;

function cutOut(photo: HTMLImageElement, mask: HTMLImageElement, { width, height }: Box): HTMLCanvasElement {
  const made = document.createElement("canvas");
  made.width = Math.max(1, Math.round(width));
  made.height = Math.max(1, Math.round(height));
  const pen = made.getContext("2d", { willReadFrequently: true });
  if (!pen) return made;
  pen.drawImage(mask, 0, 0, made.width, made.height);
  const shape = pen.getImageData(0, 0, made.width, made.height);
  brightnessToAlpha(shape.data);
  pen.putImageData(shape, 0, 0);
  pen.globalCompositeOperation = "source-in";
  pen.drawImage(photo, 0, 0, made.width, made.height);
  return made;
}
