/**
 * The demo of four hospitals from its first process to its last figure: coordinator, database, four nodes, statistics, 30 rounds, and ten
 * draws of held-out patients compared. Against the time that the same run takes in one process, without sockets, database and comparison.
 *
 *   npm run bench -- heart-disease      the records lie in examples/heart-disease (`nexus dataset fetch heart-disease`) or in ../shared
 *
 * @module
 */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Outcome } from "./figures/figure.ts";
import { temporaryFolder } from "./processes/child.ts";

export const name = "heart-disease";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const EXAMPLE = join(ROOT, "examples/heart-disease");
const RECORDS = "fed_heart.csv";
const PLACES = [join(EXAMPLE, RECORDS), join(ROOT, "../shared/datasets/heart-disease", RECORDS)];

export async function run(): Promise<Outcome> {
  const data = PLACES.find((place) => existsSync(place));
  if (data === undefined) {
    console.error("heart-disease is not measured: the patients' records are neither in examples/heart-disease nor in ../shared.");
    return { figures: [] };
  }
  await using folder = await temporaryFolder("heart-disease");
  const nexus = async (args: readonly string[]): Promise<number> => {
    const start = performance.now();
    const options = { cwd: folder.path, env: { ...process.env, NEXUS_HOME: join(folder.path, "home") }, maxBuffer: 16 * 2 ** 20 };
    await promisify(execFile)(process.execPath, ["--conditions=source", join(ROOT, "apps/cli/bin/nexus.js"), ...args, "--json"], options);
    return (performance.now() - start) / 1000;
  };
  const demo = await nexus(["demo", "heart-disease", "--data", data]);
  for (const file of ["run.yaml", "schema.yaml"]) await copyFile(join(EXAMPLE, file), join(folder.path, file));
  await copyFile(data, join(folder.path, RECORDS));
  const alone = await nexus(["sim", join(folder.path, "run.yaml")]);
  return {
    figures: [
      { name: "the demo, everything", value: demo, unit: "s", atMost: 60 },
      { name: "its run alone, in one process", value: alone, unit: "s" },
      { name: "demo / run alone", value: demo / alone, unit: "×" },
    ],
  };
}

if (import.meta.main) console.table((await run()).figures);
