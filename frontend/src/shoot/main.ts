// The Shoot page.
import { islands, whenReady } from "../shared/dom";
import { Wizard } from "./wizard";

whenReady(() => {
  for (const form of islands("shoot")) if (form instanceof HTMLFormElement) new Wizard(form);
});
