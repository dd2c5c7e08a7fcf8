// Twins of the big files, compressed once here: collectstatic leaves what is above 4 MB alone, because it runs at a start.
// Their names hold hashes, so a later build takes the twins of an earlier one.
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import type { Plugin } from "vite";

const QUALITY = 9; // 11 takes ten times as long for 10 % less
const LARGE = 4 * 2 ** 20; // bytes; as LARGEST in imodel_site/static.py

export function compressed(): Plugin {
  let folder = "";
  let earlier = "";
  return {
    name: "imodel-compressed",
    apply: "build",
    configResolved(config) {
      folder = join(config.root, config.build.outDir, "assets");
      earlier = join(config.root, "node_modules", ".compressed");
    },
    closeBundle() {
      mkdirSync(earlier, { recursive: true });
      const large = readdirSync(folder).filter((name) => name.endsWith(".wasm"));
      for (const path of large.map((name) => join(folder, name))) if (statSync(path).size > LARGE) twins(path, earlier);
    },
  };
}

function twins(path: string, earlier: string): void {
  for (const [suffix, compress] of [[".br", brotli], [".gz", gzipSync]] as const) {
    const kept = join(earlier, basename(path) + suffix);
    if (!existsSync(kept)) writeFileSync(kept, compress(readFileSync(path)));
    copyFileSync(kept, path + suffix);
  }
}

/** Browsers take it over https only; on http they get the .gz. */
function brotli(data: Buffer): Buffer {
  return brotliCompressSync(data, { params: { [constants.BROTLI_PARAM_QUALITY]: QUALITY, [constants.BROTLI_PARAM_SIZE_HINT]: data.length } });
}
