/**
 * What secure aggregation costs the whole demo: `nexus demo` with its twenty rounds of ten processes, from the start of the coordinator to the comparison, with
 * and without it in turns; medians. The two give the same model, which is checked.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { median, type Outcome } from "./figures/figure.ts";
import { temporaryFolder } from "./processes/child.ts";

export const name = "demo-protected";

const TURNS = 3;
const BIN = fileURLToPath(new URL("../apps/cli/bin/nexus.js", import.meta.url));

interface Shown {
  readonly data: { readonly seconds: number; readonly modelHash: string };
}

export async function run(): Promise<Outcome> {
  await using folder = await temporaryFolder(name);
  const show = async (kind: "none" | "secagg"): Promise<Shown["data"]> => {
    const args = ["--conditions=source", BIN, "demo", "--protection", kind, "--output", join(folder.path, kind), "--json"];
    const { stdout } = await promisify(execFile)(process.execPath, args, { maxBuffer: 2 ** 26 });
    return (JSON.parse(stdout) as Shown).data;
  };
  const times = { none: [] as number[], secagg: [] as number[] };
  for (let turn = 0; turn < TURNS; turn += 1) {
    const [open, hidden] = [await show("none"), await show("secagg")];
    if (open.modelHash !== hidden.modelHash) throw new Error("Protection changed the model.");
    times.none.push(open.seconds);
    times.secagg.push(hidden.seconds);
  }
  const [open, hidden] = [median(times.none), median(times.secagg)];
  return {
    figures: [
      { name: "demo without protection", value: open, unit: "s" },
      { name: "demo with secure aggregation", value: hidden, unit: "s" },
      { name: "secure aggregation to none", value: hidden / open, unit: "×", atMost: 1.3 },
    ],
  };
}

if (import.meta.main) console.table((await run()).figures);
