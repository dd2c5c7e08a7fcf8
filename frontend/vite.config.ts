// One bundle for each room: src/<room>/main.ts(x). What is built lies in static/dist and is served by Django (docs/frontend.md).
import { existsSync, readdirSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { VitePWA } from "vite-plugin-pwa";
import solid from "vite-plugin-solid";
import { configDefaults, defineConfig } from "vitest/config";
import { compressed } from "./vite/compressed";

const here = dirname(fileURLToPath(import.meta.url));
const LARGEST_PRECACHED = 16 * 2 ** 20; // bytes; the wasm is 14.2 MB

/** By room, so that a bundle is called after it. */
function entries(): Record<string, string> {
  const rooms = readdirSync(resolve(here, "src")).sort();
  const mains = rooms.flatMap((room) => ["main.ts", "main.tsx"].map((main) => [room, resolve(here, "src", room, main)] as const));
  return Object.fromEntries(mains.filter(([, main]) => existsSync(main)));
}

export default defineConfig(({ mode }) => ({
  root: here,
  base: "/static/dist/",
  publicDir: false,
  plugins: [
    solid(),
    VitePWA({
      strategies: "injectManifest",
      srcDir: "src/sw",
      filename: "sw.ts",
      injectRegister: false, // src/pwa registers /sw.js, which Django serves with scope /
      manifest: false, // a view, because its words are translated
      injectManifest: {
        globPatterns: ["assets/**/*.{js,mjs,css,wasm,onnx}"],
        modifyURLPrefix: { "": "/static/dist/" },
        dontCacheBustURLsMatching: /assets\//,
        maximumFileSizeToCacheInBytes: LARGEST_PRECACHED,
      },
    }),
    compressed(),
  ],
  // The default bundle of onnxruntime-web hangs without a word in a worker with two threads; the one that loads its wasm by
  // address does not. In the worker: import both files with ?url and set ort.env.wasm.wasmPaths = {wasm, mjs}.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", mode === "production" ? "production" : "development"] },
  assetsInclude: ["**/*.onnx"],
  worker: { format: "es" },
  build: {
    outDir: "../static/dist",
    emptyOutDir: true,
    manifest: "manifest.json",
    assetsInlineLimit: 0, // the content policy allows no data: addresses for code
    target: "es2022",
    chunkSizeWarningLimit: 700,
    reportCompressedSize: false,
    rolldownOptions: { input: entries() },
  },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    exclude: configDefaults.exclude,
    setupFiles: ["src/shared/testing.ts"],
    maxWorkers: 1,
  },
}));
