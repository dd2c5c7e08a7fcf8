// Buttons around the photo.
import { createEffect, For, Index, Show, type JSX } from "solid-js";
import { furthest, isPainted, marksSomething, type Part, selectedPart } from "../logic/model";
import type { Desk } from "./desk";
import { Icon, type IconName } from "./icons";
import type { Room } from "./room";
import { LOOKS, TOOLS } from "./tools";
import { say } from "./words";

const CLOSER = 1.4;

interface Props {
  room: Room;
  desk: Desk;
}

export function Press(props: { icon: IconName; name: string; keys?: string; onPress: () => void; disabled?: boolean; pressed?: boolean | undefined; class?: string; children?: JSX.Element }) {
  const title = (): string => (props.keys ? `${props.name} (${props.keys})` : props.name);
  return (
    <button
      type="button"
      class={`cutter-press ${props.class ?? ""}`}
      title={title()}
      aria-label={props.children ? undefined : props.name}
      aria-pressed={props.pressed}
      aria-keyshortcuts={props.keys}
      disabled={props.disabled}
      onClick={() => props.onPress()}
    >
      <Icon name={props.icon} />
      {props.children}
    </button>
  );
}

/** Undo, redo, looks, zoom. */
export function Bar(props: Props & { onHelp: () => void; children: JSX.Element }) {
  const { room, desk } = props;
  const { session } = room;
  return (
    <div class="cutter-bar" role="toolbar" aria-label={say("bar")}>
      <Press icon="undo" name={say("undo")} keys="Control+Z" onPress={() => session.undo()} disabled={session.history.past.length === 0} />
      <Press icon="redo" name={say("redo")} keys="Control+Shift+Z" onPress={() => session.redo()} disabled={session.history.future.length === 0} />
      <div class="cutter-looks" role="radiogroup" aria-label={say("look")}>
        <For each={LOOKS}>
          {(look) => (
            <label class="cutter-look">
              <input type="radio" name="cutter-look" value={look} checked={desk.look === look} onChange={() => desk.see(look)} />
              <span>{say(`look_${look}`)}</span>
            </label>
          )}
        </For>
      </div>
      <span class="cutter-zoom">
        <Press icon="further" name={say("zoom_out")} keys="-" onPress={() => desk.zoom(1 / CLOSER)} />
        <Press icon="whole" name={say("whole")} keys="0" onPress={() => desk.whole()} />
        <Press icon="closer" name={say("zoom_in")} keys="+" onPress={() => desk.zoom(CLOSER)} />
      </span>
      <Press icon="keyboard" name={say("help")} keys="?" onPress={() => props.onHelp()} class="fine-only" />
      {props.children}
    </div>
  );
}

export function Tools(props: Props) {
  const { room, desk } = props;
  const clicks = (tool: string): boolean => tool === "add" || tool === "remove";
  return (
    <div class="cutter-tools" role="toolbar" aria-label={say("tools")}>
      <For each={TOOLS}>
        {({ tool, icon, key }) => (
          <Press
            icon={icon}
            name={say(`tool_${tool}`)}
            keys={key.toUpperCase()}
            pressed={desk.tool === tool}
            disabled={clicks(tool) && room.stage === "by-hand"}
            onPress={() => desk.take(tool)}
            class={`tool ${tool}`}
          >
            <span class="cutter-press-name">{say(`tool_${tool}_short`)}</span>
          </Press>
        )}
      </For>
    </div>
  );
}

/** Size of the brush, while one is held. */
export function BrushSize(props: { desk: Desk }) {
  return (
    <label class="cutter-size">
      <span class="visually-hidden">{say("brush_size")}</span>
      <span class="cutter-size-dot small" aria-hidden="true" />
      <input type="range" min="2" max="120" value={props.desk.radius} onInput={(event) => props.desk.size(event.currentTarget.valueAsNumber)} />
      <span class="cutter-size-dot large" aria-hidden="true" />
    </label>
  );
}

/** The three answers to a first click. */
export function Candidates(props: { room: Room }) {
  const { session } = props.room;
  const candidates = () => selectedPart(session.edits)?.candidates ?? null;
  return (
    <Show when={candidates()}>
      {(found) => (
        <div class="cutter-candidates" role="group" aria-label={say("candidates")}>
          <For each={found().planes}>
            {(_plane, at) => (
              <button type="button" class="cutter-candidate" aria-pressed={found().chosen === at()} onClick={() => session.choose(at())}>
                {say(`candidate_${at()}`)}
              </button>
            )}
          </For>
        </div>
      )}
    </Show>
  );
}

export function Parts(props: { room: Room }) {
  const { session, proposals } = props.room;
  let list!: HTMLUListElement;
  /** The focus goes on to the line before, or to the photo, and not to the top of the page. */
  const remove = (id: string): void => {
    session.remove(id);
    if (list.contains(document.activeElement)) return;
    const next = [...list.querySelectorAll<HTMLElement>(".delete")].at(-1) ?? document.querySelector<HTMLElement>(".cutter-stage");
    next?.focus();
  };
  return (
    <section class="cutter-parts" aria-labelledby="cutter-parts-name">
      <div class="cutter-side-head">
        <h2 id="cutter-parts-name">{say("parts")}</h2>
        <Press icon="add" name={say("new_part")} keys="N" onPress={() => session.select(null)} disabled={session.edits.selected === null} />
      </div>
      <ul ref={list} class="cutter-part-list">
        {/* by place: a part is another object after each change, and its buttons would lose the focus */}
        <Index each={session.edits.parts.filter(marksSomething)}>{(part) => <PartLine room={props.room} part={part()} onRemove={remove} />}</Index>
        <Show when={session.edits.selected === null}>
          <li class="cutter-part next">{say("next_part")}</li>
        </Show>
      </ul>
      <div class="cutter-part-foot">
        <Show when={proposals.length > 0}>
          <div class="cutter-proposals">
            <span class="small muted">{say("proposals")}</span>
            <For each={proposals}>
              {(name) => (
                <button type="button" class="chip" aria-pressed={session.edits.parts.some((part) => part.proposal === name && !part.plane)} onClick={() => session.propose(name)}>
                  {say(`part_${name}`)}
                </button>
              )}
            </For>
          </div>
        </Show>
        <Show when={session.edits.parts.length > 0}>
          <button type="button" class="link-button" onClick={() => session.clear()}>
            {say("clear")}
          </button>
        </Show>
      </div>
    </section>
  );
}

function PartLine(props: { room: Room; part: Part; onRemove: (id: string) => void }) {
  const { session } = props.room;
  const part = () => props.part;
  const name = (): string => `${say(kindOf(part()))}${part().adds ? "" : ` · ${say("takes_away")}`}`;
  return (
    <li class="cutter-part" aria-current={session.edits.selected === part().id ? "true" : undefined}>
      <button type="button" class="cutter-part-name" onClick={() => session.select(part().id)}>
        <Icon name={iconOf(part())} />
        <span class="truncate">{name()}</span>
      </button>
      <Press
        icon={part().shown ? "shown" : "hidden"}
        name={say(part().shown ? "hide_part" : "show_part")}
        onPress={() => session.change(part(), { shown: !part().shown })}
        class="quiet"
      />
      <Press icon="bin" name={say("delete_part")} onPress={() => props.onRemove(part().id)} class="quiet delete" />
    </li>
  );
}

function kindOf(part: Part): string {
  if (isPainted(part)) return "kind_painted";
  if (part.proposal !== null && part.clicks.length === 0) return part.proposal === "saved" ? "kind_saved" : "kind_found";
  if (part.proposal !== null) return "kind_corrected";
  return part.box ? "kind_box" : "kind_clicked";
}

function iconOf(part: Part): IconName {
  if (isPainted(part)) return "brush";
  if (part.proposal !== null) return "wand";
  return part.adds ? "plus" : "minus";
}

/** How the edge is finished. */
export function Finishing(props: { room: Room }) {
  const { session, photo } = props.room;
  const most = furthest(photo);
  const finish = () => session.edits.finish;
  return (
    <section class="cutter-finish" aria-labelledby="cutter-finish-name">
      <h2 id="cutter-finish-name">{say("edge")}</h2>
      <Slider name={say("grow")} value={finish().grow} min={-most.grow} max={most.grow} onChange={(grow) => session.finish({ grow })} />
      <Slider name={say("feather")} value={finish().feather} min={0} max={most.feather} onChange={(feather) => session.finish({ feather })} />
      <Switch name={say("fill_holes")} on={finish().fillHoles} onChange={(fillHoles) => session.finish({ fillHoles })} />
      <Switch name={say("drop_specks")} on={finish().dropSpecks} onChange={(dropSpecks) => session.finish({ dropSpecks })} />
    </section>
  );
}

function Slider(props: { name: string; value: number; min: number; max: number; onChange: (value: number) => void }) {
  let input!: HTMLInputElement;
  createEffect(() => (input.value = String(props.value)));
  const text = (): string => say("pixels", { count: `${props.min < 0 && props.value > 0 ? "+" : ""}${props.value}` });
  return (
    <label class="cutter-slider">
      <span>{props.name}</span>
      <span class="cutter-slider-value" aria-hidden="true">{text()}</span>
      <input ref={input} type="range" aria-label={props.name} aria-valuetext={text()} min={props.min} max={props.max} step="1" onInput={(event) => props.onChange(event.currentTarget.valueAsNumber)} />
    </label>
  );
}

function Switch(props: { name: string; on: boolean; onChange: (on: boolean) => void }) {
  return (
    <label class="check switch cutter-switch">
      <input type="checkbox" checked={props.on} onChange={(event) => props.onChange(event.currentTarget.checked)} />
      <span>{props.name}</span>
    </label>
  );
}
