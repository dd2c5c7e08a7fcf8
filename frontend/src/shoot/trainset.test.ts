// What was typed on a set's page is neither trained over nor left behind.
import { afterEach, beforeEach, expect, test, vi } from "vitest";

beforeEach(async () => {
  document.body.innerHTML = `
    <div data-set><section data-progress=""><p data-ready hidden></p></section>
    <form id="pictures"><textarea></textarea></form>
    <form><button data-start>Start</button><p data-unsaved hidden></p></form></div>`;
  vi.resetModules();
  await import("../../plain/js/trainset.js");
});

afterEach(() => {
  document.body.innerHTML = "";
});

/** Whether the page would be left when the check has ended. */
function leaves(): boolean {
  const told = new CustomEvent("imodel:progress", { detail: { done: true }, bubbles: true, cancelable: true });
  return document.querySelector("[data-progress]")?.dispatchEvent(told) ?? true;
}

function hidden(part: string): boolean {
  return document.querySelector(part)?.hasAttribute("hidden") ?? true;
}

test("an untouched page starts, and follows the check to its result", () => {
  expect(document.querySelector("[data-start]")?.hasAttribute("disabled")).toBe(false);
  expect(leaves()).toBe(true);
  expect(hidden("[data-ready]")).toBe(true);
});

test("from the first change on it is saved before anything starts, and the page stays", () => {
  document.querySelector("textarea")?.dispatchEvent(new Event("input", { bubbles: true }));
  expect(document.querySelector("[data-start]")?.hasAttribute("disabled")).toBe(true);
  expect(hidden("[data-unsaved]")).toBe(false);
  expect(leaves()).toBe(false);
  expect(hidden("[data-ready]")).toBe(false);
});
