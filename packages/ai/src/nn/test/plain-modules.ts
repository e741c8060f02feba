// Turns a module and all it imports into plain JavaScript files, for hosts that read no TypeScript and resolve no
// packages: an older Node, a browser.
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire, stripTypeScriptTypes } from "node:module";
import { dirname, join, relative, resolve } from "node:path";

/** The end of a static import or re-export: its beginning, and what it names. */
const SPECIFIER = /^((?:import|export|\})[^"'\n]*\bfrom )["']([^"']+)["']/gmu;

/** Writes the graph of `entry` below `folder`, as it lies below `root`; returns the entry's path in `folder`. */
export function writePlainModules(root: string, entry: string, folder: string): string {
  const done = new Set<string>();

  // A folder called node_modules would hide the package.json below from Node.
  const placeOf = (file: string) => join(folder, relative(root, file).replaceAll("node_modules", "vendor").replace(/\.ts$/u, ".js"));

  function visit(file: string): void {
    if (done.has(file)) return;
    done.add(file);
    const text = readFileSync(file, "utf8");
    const plain = file.endsWith(".ts") ? stripTypeScriptTypes(text) : text;
    const to = placeOf(file);
    const rewritten = plain.replace(SPECIFIER, (whole, beginning: string, specifier: string) => {
      if (specifier.startsWith("node:")) return whole;
      const target = specifier.startsWith(".") ? resolve(dirname(file), specifier) : createRequire(file).resolve(specifier);
      visit(target);
      const path = relative(dirname(to), placeOf(target));
      return beginning + JSON.stringify(path.startsWith(".") ? path : `./${path}`);
    });
    mkdirSync(dirname(to), { recursive: true });
    writeFileSync(to, rewritten);
  }

  visit(entry);
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }\n');
  for (const wasm of ["nn.wasm", "nn-fma.wasm"].map((file) => join(root, "packages/ai/wasm", file))) cpSync(wasm, placeOf(wasm));
  return relative(folder, placeOf(entry));
}
