// The room "mask": the editor that marks the garment on a photo.
import { createResource, createSignal, Match, Show, Switch } from "solid-js";
import { render } from "solid-js/web";
import { wrongWith } from "../../plain/js/photos.js";
import { islands, toast, whenReady } from "../shared/dom";
import { readData } from "../shared/words";
import { Editor } from "./client/editor";
import { Icon } from "./client/icons";
import { openFile, openPhoto } from "./client/room";
import type { Start } from "./client/server";
import { begunHere } from "./client/outbox";
import type { Draft } from "./client/shelf";
import { say } from "./client/words";

/** A photo of the shop. */
function OfPhoto(props: { stateUrl: string }) {
  const [opened] = createResource(() => openPhoto(props.stateUrl));
  return <Opening opened={opened} />;
}

/** A photo that somebody drops here, or one that was begun here earlier. */
function OfFile(props: { start: Start }) {
  const [chosen, setChosen] = createSignal<Chosen | null>(null);
  const [opened] = createResource(chosen, ({ file, key }) => openFile(file, props.start, key));
  const choose = (file: File): void => void setChosen({ file });
  return (
    <Show
      when={chosen()}
      fallback={
        <>
          <Drop onFile={choose} />
          <Begun onChoose={setChosen} />
        </>
      }
    >
      <Opening opened={opened} />
    </Show>
  );
}

interface Chosen {
  readonly file: File;
  readonly key?: string;
}

/** What was left before it was saved. */
function Begun(props: { onChoose: (draft: Draft & { file: File }) => void }) {
  const [begun] = createResource(begunHere);
  return (
    <Show when={begun()?.[0]}>
      {(draft) => (
        <button type="button" class="button cutter-begun" onClick={() => props.onChoose(draft())}>
          {say("go_on", { name: draft().file.name })}
        </button>
      )}
    </Show>
  );
}

function Opening(props: { opened: ReturnType<typeof createResource<Awaited<ReturnType<typeof openPhoto>>>>[0] }) {
  return (
    <Switch fallback={<div class="cutter-waiting skeleton" aria-label={say("getting_ready")} />}>
      <Match when={props.opened.error as unknown}>
        <div class="empty">
          <Icon name="offline" />
          <h2>{say("no_photo")}</h2>
          <p>{say("no_photo_long")}</p>
          <button type="button" class="button" onClick={() => location.reload()}>
            {say("again")}
          </button>
        </div>
      </Match>
      <Match when={props.opened()}>{(opened) => <Editor opened={opened()} />}</Match>
    </Switch>
  );
}

function Drop(props: { onFile: (file: File) => void }) {
  const [over, setOver] = createSignal(false);
  const take = (files: FileList | null | undefined): void => {
    const file = [...(files ?? [])].find((one) => one.type.startsWith("image/")) ?? files?.[0];
    const wrong = file && wrongWith(file);
    if (wrong) toast(say(`photo_${wrong}`), "bad");
    else if (file) props.onFile(file);
  };
  const dropped = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    take(event.dataTransfer?.files);
  };
  const dragged = (event: DragEvent): void => {
    event.preventDefault();
    setOver(true);
  };
  return (
    <label class="cutter-drop" data-over={over() ? "" : undefined} onDrop={dropped} onDragOver={dragged} onDragLeave={() => setOver(false)}>
      <Icon name="upload" />
      <strong>{say("drop")}</strong>
      <span class="muted">{say("drop_long")}</span>
      <input class="visually-hidden" type="file" accept="image/jpeg,image/png,image/webp" onChange={(event) => take(event.currentTarget.files)} />
    </label>
  );
}

whenReady(() => {
  for (const place of islands("mask")) {
    place.replaceChildren();
    const { state } = place.dataset;
    const start = readData<Start>("mask-start");
    if (state) render(() => <OfPhoto stateUrl={state} />, place);
    else if (start) render(() => <OfFile start={start} />, place);
  }
});
