// The photo with what is marked on it. Layers, from below: photo, veil (what is not garment), guess, stroke, outline, marks.
import { createEffect, createMemo, createSignal, For, onCleanup, onMount, Show, untrack } from "solid-js";
import { type Point, toStage } from "../logic/geometry";
import { selectedPart } from "../logic/model";
import type { Desk } from "./desk";
import { type Doing, Gestures } from "./gestures";
import type { Room } from "./room";
import { checker, clear, colour, paintInk, paintStroke, theme } from "./colours";
import { isPainting } from "./tools";
import { say } from "./words";

interface Props {
  room: Room;
  desk: Desk;
  onGestures: (gestures: Gestures) => void;
}

export function Stage(props: Props) {
  const { room, desk } = props;
  const { session } = room;
  let stage!: HTMLDivElement;
  const gestures = (): Gestures => held as Gestures;
  let held: Gestures | null = null;
  const [ready, setReady] = createReady();
  onMount(() => {
    held = new Gestures(desk, session, stage, room.opened.state.can_write);
    props.onGestures(held);
    const watch = new ResizeObserver(() => desk.resize({ width: stage.clientWidth, height: stage.clientHeight }));
    watch.observe(stage);
    onCleanup(() => watch.disconnect());
    setReady();
  });
  return (
    <div
      ref={stage}
      class="cutter-stage"
      data-tool={desk.tool}
      data-look={desk.look}
      data-empty={(session.shown?.share ?? 0) === 0 ? "" : undefined}
      tabindex={0}
      role="application"
      aria-label={say("canvas")}
      aria-describedby="cutter-keys"
    >
      <Sheet room={room} desk={desk} doing={() => (ready() ? gestures().doing : null)} />
      <Show when={ready()}>
        <Marks room={room} desk={desk} gestures={gestures()} />
      </Show>
    </div>
  );
}

function createReady(): [() => boolean, () => void] {
  const [ready, setReady] = createSignal(false);
  return [ready, () => setReady(true)];
}

/** What moves and grows with the photo. */
function Sheet(props: { room: Room; desk: Desk; doing: () => Doing }) {
  const { room, desk } = props;
  const { session } = room;
  const { width, height } = session.working;
  let sheet!: HTMLDivElement;
  let veil!: HTMLCanvasElement;
  let guess!: HTMLCanvasElement;
  let stroke!: HTMLCanvasElement;
  createEffect(() => {
    const { x, y, scale } = desk.view;
    sheet.style.setProperty("width", `${room.photo.width * scale}px`);
    sheet.style.setProperty("height", `${room.photo.height * scale}px`);
    sheet.style.setProperty("translate", `${x}px ${y}px`);
  });
  createEffect(() => {
    theme();
    const { shown } = session;
    if (untrack(() => session.isDrawn)) clear(stroke); // else the stroke is not in it yet
    if (shown) paintInk(veil, shown.pixels, desk.look === "alone" ? checker(veil) : colour(veil, "--paper"));
  });
  createEffect(() => {
    const { guess: found } = session;
    if (found) paintInk(guess, found.pixels, colour(guess, found.add ? "--accent" : "--bad"));
    else clear(guess);
  });
  let before: unknown = null; // what there was when the stroke began
  createEffect(() => {
    const doing = props.doing();
    const now = untrack(() => session.history);
    if (doing?.what === "stroke") {
      before = now;
      paintStroke(stroke, doing, width / room.photo.width);
    } else if (before === now) clear(stroke);
  });
  return (
    <div ref={sheet} class="cutter-sheet">
      <img class="cutter-photo" src={room.pictureUrl} alt="" draggable={false} />
      <canvas ref={veil} class="cutter-veil" width={width} height={height} aria-hidden="true" />
      <canvas ref={guess} class="cutter-guess" width={width} height={height} aria-hidden="true" />
      <canvas ref={stroke} class="cutter-stroke" width={width} height={height} aria-hidden="true" />
      <svg class="cutter-outline" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
        <path class="under" d={session.shown?.outline ?? ""} />
        <path class="ants" d={session.shown?.outline ?? ""} />
      </svg>
    </div>
  );
}

/** What keeps its size however close one is. */
function Marks(props: { room: Room; desk: Desk; gestures: Gestures }) {
  const { room, desk, gestures } = props;
  const { session } = room;
  const clicks = createMemo(() => {
    const part = selectedPart(session.edits);
    return (part?.clicks ?? []).map((click) => ({ ...click, add: click.add === (part?.adds ?? true) }));
  });
  const box = createMemo(() => gestures.box ?? selectedPart(session.edits)?.box ?? null);
  const brush = createMemo(() => (isPainting(desk.tool) ? gestures.pointer : null));
  return (
    <div class="cutter-marks" aria-hidden="true">
      <Show when={desk.look !== "alone" && box()}>
        {(found) => <Framed desk={desk} from={{ x: found().x0, y: found().y0 }} to={{ x: found().x1, y: found().y1 }} />}
      </Show>
      <For each={desk.look === "photo" ? [] : clicks()}>{(click) => <Dot desk={desk} at={click} kind={click.add ? "add" : "remove"} />}</For>
      <Show when={session.pending}>{(at) => <Dot desk={desk} at={at()} kind="pending" />}</Show>
      <Show when={desk.cursor}>{(at) => <Dot desk={desk} at={at()} kind="cursor" />}</Show>
      <Show when={brush()}>{(at) => <Ring at={at()} radius={desk.radius} />}</Show>
    </div>
  );
}

function Dot(props: { desk: Desk; at: Point; kind: string }) {
  let dot!: HTMLSpanElement;
  createEffect(() => {
    const { x, y } = toStage(props.desk.view, props.at);
    dot.style.setProperty("translate", `${x}px ${y}px`);
  });
  return <span ref={dot} class={`cutter-dot ${props.kind}`} />;
}

function Framed(props: { desk: Desk; from: Point; to: Point }) {
  let frame!: HTMLSpanElement;
  createEffect(() => {
    const from = toStage(props.desk.view, props.from);
    const to = toStage(props.desk.view, props.to);
    frame.style.setProperty("translate", `${from.x}px ${from.y}px`);
    frame.style.setProperty("width", `${to.x - from.x}px`);
    frame.style.setProperty("height", `${to.y - from.y}px`);
  });
  return <span ref={frame} class="cutter-frame" />;
}

function Ring(props: { at: Point; radius: number }) {
  let ring!: HTMLSpanElement;
  createEffect(() => {
    ring.style.setProperty("translate", `${props.at.x - props.radius}px ${props.at.y - props.radius}px`);
    ring.style.setProperty("width", `${props.radius * 2}px`);
    ring.style.setProperty("height", `${props.radius * 2}px`);
  });
  return <span ref={ring} class="cutter-ring" />;
}
