import { expect, test } from "vitest";
import { chooseSources, readMeasured, remember, UNMEASURED } from "./choice";

const usual = { ready: true, coming: false, online: true, encoder: true, downlink: 10 };

test("an unmeasured device takes what the server has, and makes it itself when that fails", () => {
  expect(chooseSources(usual, UNMEASURED)).toEqual(["server", "device"]);
});

test("the measured faster one comes first", () => {
  expect(chooseSources(usual, { encode: [300, 900, 400], download: [1200, 1500] })).toEqual(["device", "server"]);
  expect(chooseSources(usual, { encode: [2000], download: [300] })).toEqual(["server", "device"]);
});

test("a download that was never measured is guessed from the line", () => {
  expect(chooseSources({ ...usual, downlink: 1 }, { encode: [2000], download: [] })[0]).toBe("device");
  expect(chooseSources({ ...usual, downlink: 50 }, { encode: [2000], download: [] })[0]).toBe("server");
});

test("what the server has not made yet is made here, or waited for", () => {
  expect(chooseSources({ ...usual, ready: false, coming: true }, UNMEASURED)).toEqual(["device", "wait"]);
  const slow = { encode: [9000, 8000], download: [] };
  expect(chooseSources({ ...usual, ready: false, coming: true }, slow)).toEqual(["wait", "device"]);
  expect(chooseSources({ ...usual, ready: false, coming: false }, slow)).toEqual(["device"]);
  expect(chooseSources({ ...usual, ready: false, coming: true, encoder: false }, UNMEASURED)).toEqual(["wait"]);
  expect(chooseSources({ ...usual, ready: false, encoder: false }, UNMEASURED)).toEqual([]);
});

test("without a connection the browser's copy is tried, then the encoder, and nobody waits", () => {
  const offline = { ...usual, online: false };
  expect(chooseSources(offline, { encode: [1], download: [9000] })).toEqual(["server", "device"]);
  expect(chooseSources({ ...offline, ready: false, coming: true }, UNMEASURED)).toEqual(["device"]);
});

test("five measurements are remembered, the newest last", () => {
  const all = [1, 2, 3, 4, 5, 6].reduce((measured, ms) => remember(measured, "encode", ms), UNMEASURED);
  expect(all).toEqual({ encode: [2, 3, 4, 5, 6], download: [] });
  expect(readMeasured(JSON.stringify(all))).toEqual(all);
});

test.each([null, "", "{", "7", "[]", '{"encode": "fast"}', '{"encode": [-1, "x", null]}'])("a disk that says %s says nothing", (text) => {
  expect(readMeasured(text)).toEqual(UNMEASURED);
});
