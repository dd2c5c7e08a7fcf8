// Keys. Letters work wherever the focus is but in a field; arrows and Enter place points while the photo has the focus.
import { toPhoto } from "../logic/geometry";
import { selectedPart } from "../logic/model";
import type { Desk } from "./desk";
import type { Gestures } from "./gestures";
import type { Room } from "./room";
import { isClicking, TOOLS } from "./tools";

const STEP = 12; // stage pixels for an arrow
const CLOSER = 1.25;

export interface Doors {
  readonly room: Room;
  readonly desk: Desk;
  readonly gestures: () => Gestures | null;
  readonly stage: () => HTMLElement | null;
  readonly save: () => void;
  readonly help: (open: boolean) => void;
}

/** Listen; the answer stops it. */
export function listen(doors: Doors): () => void {
  const down = (event: KeyboardEvent): void => {
    if (doors.room.stage === "opening" || event.defaultPrevented || isTyping(event.target) || document.querySelector("dialog[open]")) return;
    const done = event.ctrlKey || event.metaKey ? withControl(event, doors) : onStage(event, doors) || letter(event, doors);
    if (done) event.preventDefault();
  };
  const up = (event: KeyboardEvent): void => {
    if (event.key === " ") letGo();
  };
  const letGo = (): void => doors.gestures()?.holdSpace(false);
  document.addEventListener("keydown", down);
  document.addEventListener("keyup", up);
  window.addEventListener("blur", letGo); // the key that goes up elsewhere is not heard
  return () => {
    document.removeEventListener("keydown", down);
    document.removeEventListener("keyup", up);
    window.removeEventListener("blur", letGo);
  };
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.isContentEditable || target.matches("textarea, select, input:not([type=range], [type=radio], [type=checkbox])");
}

function withControl(event: KeyboardEvent, { room, save }: Doors): boolean {
  const key = event.key.toLowerCase();
  if (key === "z" && event.shiftKey) room.session.redo();
  else if (key === "z") room.session.undo();
  else if (key === "y") room.session.redo();
  else if (key === "s" || key === "enter") save();
  else return false;
  return true;
}

const ARROWS: Readonly<Record<string, readonly [number, number]>> = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

function onStage(event: KeyboardEvent, doors: Doors): boolean {
  if (event.target !== doors.stage()) return false;
  const arrow = ARROWS[event.key];
  if (arrow && event.shiftKey) doors.desk.pan(-arrow[0] * STEP * 4, -arrow[1] * STEP * 4);
  else if (arrow) doors.desk.move(arrow[0] * STEP, arrow[1] * STEP);
  else if (event.key === "Enter") place(event.altKey, doors);
  else if (event.key === " ") doors.gestures()?.holdSpace(true);
  else return false;
  return true;
}

/** A click, or a dab of the brush, where the keyboard is. */
function place(opposite: boolean, { desk, room }: Doors): void {
  if (!room.opened.state.can_write) return;
  const { session } = room;
  const at = desk.cursor ?? toPhoto(desk.view, { x: desk.stage.width / 2, y: desk.stage.height / 2 });
  const { tool } = desk;
  if (isClicking(tool)) session.click({ ...at, add: (tool === "add") !== opposite });
  else if (tool !== "hand") session.stroke({ add: (tool === "brush") !== opposite, radius: desk.radiusInPhoto, path: [at.x, at.y] });
}

function letter(event: KeyboardEvent, doors: Doors): boolean {
  const { room, desk, gestures, save, help } = doors;
  const key = event.key.toLowerCase();
  const tool = TOOLS.find((one) => one.key === key);
  const act = tool ? () => desk.take(tool.tool) : LETTERS[key];
  if (key === "escape") return gestures()?.drop() ?? false;
  if (key === "s") save();
  else if (key === "?") help(true);
  else if (act) act(room, desk);
  else return false;
  return true;
}

const LETTERS: Readonly<Record<string, (room: Room, desk: Desk) => void>> = {
  n: ({ session }) => session.select(null),
  v: (_room, desk) => desk.seeNext(),
  "[": (_room, desk) => desk.size(desk.radius * 0.85 - 1),
  "]": (_room, desk) => desk.size(desk.radius * 1.15 + 1),
  "+": (_room, desk) => desk.zoom(CLOSER),
  "=": (_room, desk) => desk.zoom(CLOSER),
  "-": (_room, desk) => desk.zoom(1 / CLOSER),
  "0": (_room, desk) => desk.whole(),
  "1": ({ session }) => session.choose(0),
  "2": ({ session }) => session.choose(1),
  "3": ({ session }) => session.choose(2),
  delete: removeSelected,
  backspace: removeSelected,
};

function removeSelected({ opened, session }: Room): void {
  const part = selectedPart(session.edits);
  if (part && opened.state.can_write) session.remove(part.id);
}
