// All pictures, and one picture: the grid and the viewer.
import { islands, whenReady } from "../shared/dom";
import { mountHistory } from "./history";
import { mountViewer } from "./viewer";

whenReady(() => {
  for (const form of islands("pictures")) mountHistory(form);
  for (const root of islands("viewer")) mountViewer(root);
});
