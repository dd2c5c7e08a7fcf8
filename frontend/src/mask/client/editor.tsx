// The editor of one photo.
import { createSignal, onCleanup, onMount, Show } from "solid-js";
import { ApiError } from "../../shared/api";
import { toast } from "../../shared/dom";
import { followTheme } from "./colours";
import { Bar, BrushSize, Candidates, Finishing, Parts, Press, Tools } from "./controls";
import { Desk } from "./desk";
import type { Gestures } from "./gestures";
import { Help } from "./help";
import { Icon } from "./icons";
import { listen } from "./keyboard";
import { type Opened, Room, type Saving } from "./room";
import type { Happening } from "./session";
import { Stage } from "./stage";
import { isPainting } from "./tools";
import { say } from "./words";

export function Editor(props: { opened: Opened }) {
  const [spoken, setSpoken] = createSignal("");
  const [help, setHelp] = createSignal(false);
  const [sheet, setSheet] = createSignal(false);
  const room = new Room(props.opened, (what) => setSpoken((before) => afresh(said(what, room), before)), complain);
  const desk = new Desk(room.photo);
  let gestures: Gestures | null = null;
  let root!: HTMLDivElement;
  const save = (): void => void saved(room);
  followTheme();
  onMount(() => {
    const stage = (): HTMLElement | null => root.querySelector(".cutter-stage");
    onCleanup(listen({ room, desk, gestures: () => gestures, stage, save, help: setHelp }));
    onCleanup(() => room.close());
    room.enter().catch(complain);
  });
  return (
    <div ref={root} class="cutter" data-own-keys data-stage={room.stage} data-saving={room.saving} data-where={room.rung?.where} data-threads={threadsOf(room)}>
      <Bar room={room} desk={desk} onHelp={() => setHelp(true)}>
        <Show when={props.opened.state.can_write}>
          <SaveButton room={room} onSave={save} />
        </Show>
      </Bar>
      <div class="cutter-body" inert={room.stage === "opening"}>
        <Show when={props.opened.state.can_write}>
          <Tools room={room} desk={desk} />
        </Show>
        <div class="cutter-middle">
          <Stage room={room} desk={desk} onGestures={(found) => (gestures = found)} />
          <div class="cutter-float">
            <Show when={isPainting(desk.tool)} fallback={<Candidates room={room} />}>
              <BrushSize desk={desk} />
            </Show>
          </div>
          <Notices room={room} />
        </div>
        <Show when={props.opened.state.can_write}>
          <Press icon="sliders" name={say("side")} pressed={sheet()} onPress={() => setSheet(!sheet())} class="cutter-sheet-switch" />
          <aside class="cutter-side" data-open={sheet() ? "" : undefined} aria-label={say("side")}>
            <Parts room={room} />
            <Finishing room={room} />
            <Diagnosis room={room} />
          </aside>
        </Show>
      </div>
      <p class="visually-hidden" role="status" aria-live="polite">
        {spoken()}
      </p>
      <p id="cutter-keys" class="visually-hidden">
        {say("keys_hint")}
      </p>
      <Help open={help()} onClose={() => setHelp(false)} />
    </div>
  );
}

function SaveButton(props: { room: Room; onSave: () => void }) {
  const { room } = props;
  const empty = (): boolean => (room.session.shown?.share ?? 0) === 0;
  const done = (): boolean => room.saving === "saved" || room.saving === "waits";
  return (
    <button
      type="button"
      class="button primary cutter-save"
      aria-busy={room.saving === "saving"}
      aria-keyshortcuts="S"
      disabled={empty() || room.saving === "saving"}
      onClick={() => props.onSave()}
    >
      <Show when={done()}>
        <Icon name={room.saving === "saved" ? "check" : "offline"} />
      </Show>
      {say(SAVE_WORDS[room.saving])}
    </button>
  );
}

const SAVE_WORDS: Record<Saving, string> = { clean: "save", changed: "save", saving: "saving", saved: "saved", waits: "waits", conflict: "save" };

/** What one should know, over the photo; at most one at a time. */
function Notices(props: { room: Room }) {
  const { room } = props;
  const { session } = room;
  const begin = (): boolean => room.stage === "ready" && session.edits.parts.length === 0;
  return (
    <div class="cutter-notices">
      <Show when={room.saving === "conflict"}>
        <Conflict room={room} />
      </Show>
      <Show when={room.restored && room.saving === "changed"}>
        <div class="cutter-notice">
          <p>{say("restored")}</p>
          <button type="button" class="link-button" onClick={() => takeTheirs(room)}>
            {say("drop_mine")}
          </button>
        </div>
      </Show>
      <Show when={room.saving === "waits"}>
        <div class="cutter-notice">
          <Icon name="offline" />
          <p>{say("waits_long")}</p>
        </div>
      </Show>
      <Show when={room.stage === "by-hand"}>
        <div class="cutter-notice warn">
          <p>{say("by_hand")}</p>
        </div>
      </Show>
      <Show when={(room.stage === "opening" || room.stage === "shown") && room.opened.state.can_write}>
        <div class="cutter-notice quiet">
          <span class="cutter-spinner" aria-hidden="true" />
          <p>{say("getting_ready")}</p>
        </div>
      </Show>
      <Show when={begin()}>
        <div class="cutter-notice quiet hint">
          <p>{say("begin")}</p>
        </div>
      </Show>
    </div>
  );
}

/** It takes the focus itself and gives it to no button: Enter may be on its way down. */
function Conflict(props: { room: Room }) {
  let notice!: HTMLDivElement;
  onMount(() => notice.focus());
  return (
    <div ref={notice} class="cutter-notice warn" role="alertdialog" aria-label={say("conflict")} tabindex="-1">
      <p>{say("conflict")}</p>
      <button type="button" class="button compact" onClick={() => void props.room.saveOver().catch(complain)}>
        {say("keep_mine")}
      </button>
      <button type="button" class="button compact" onClick={() => takeTheirs(props.room)}>
        {say("take_theirs")}
      </button>
    </div>
  );
}

/** Which way is in use, for whoever looks for it. */
function Diagnosis(props: { room: Room }) {
  const { room } = props;
  const where = (): string => {
    const { rung } = room;
    if (!rung) return "";
    return rung.where === "server" ? say("on_server") : say("on_device", { threads: rung.threads });
  };
  const pace = (): string => (room.session.pace === null ? "" : say("pace", { ms: Math.round(room.session.pace) }));
  return (
    <p class="cutter-diagnosis small muted" title={room.source ? say(`source_${room.source}`) : undefined}>
      {[where(), pace()].filter(Boolean).join(" · ")}
    </p>
  );
}

function threadsOf(room: Room): number | undefined {
  return room.rung?.where === "device" ? room.rung.threads : undefined;
}

async function saved(room: Room): Promise<void> {
  if (!room.opened.state.can_write || (room.session.shown?.share ?? 0) === 0) return;
  await room.save();
  if (room.saving === "saved") toast(say("saved_long"), "good");
}

function takeTheirs(room: Room): void {
  room.dropMine().then(() => location.reload(), complain);
}

function complain(error: unknown): void {
  console.warn("mask editor:", error);
  toast(error instanceof ApiError && error.code !== "offline" && error.message ? error.message : say("went_wrong"), "bad");
}

/** The same words twice in a row would not be read out: a space that nobody hears makes them others. */
function afresh(words: string, before: string): string {
  return words === before ? `${words}\u00a0` : words;
}

/** "Garment marked, 38 percent of the photo." */
function said(what: Happening, room: Room): string {
  const percent = Math.round((room.session.shown?.share ?? 0) * 100);
  return say(`said_${what}`, { percent });
}
