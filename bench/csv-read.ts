/**
 * Reading a CSV file of a million rows and twenty columns into typed rows, against a loop that splits the same text as one would first
 * write it. Each reads in a process of its own, so that none inherits the other's memory or compiled code; turns alternate; speeds are
 * medians. Memory is what the process has held at most, less what it held when it had loaded its modules, to the rows that it made.
 *
 * @module
 */
import { execFile } from "node:child_process";
import { createReadStream } from "node:fs";
import { mkdtemp, open, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { TableSchema } from "@ciphernx/ai/data";
import { loadCsvExamples } from "@ciphernx/ai/data/node";
import { randomStream } from "@ciphernx/ai/random";
import { median, type Outcome } from "./figures/figure.ts";

export const name = "csv-read";

const ROWS = 1_000_000;
const FEATURES = 19;
const TURNS = 5;

const NAMES = Array.from({ length: FEATURES }, (_, i) => `c${i}`);
const SCHEMA: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    ...NAMES.map((column) => ({ name: column, role: "feature" as const, type: "number" as const })),
    { name: "label", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};

/** What one reading process says. */
interface Reading {
  readonly seconds: number;
  readonly grownBytes: number;
  readonly resultBytes: number;
  readonly sum: number;
}

export async function run(): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), "ciphernx-bench-"));
  const path = join(folder, "rows.csv");
  try {
    await writeRows(path);
    const megabytes = (await stat(path)).size / 1e6;
    const readings = { reader: [] as Reading[], loop: [] as Reading[] };
    for (let turn = 0; turn < TURNS; turn += 1) {
      for (const way of ["reader", "loop"] as const) readings[way].push(await readInChild(way, path));
    }
    // A reading that is fast but wrong would be no figure.
    const sums = new Set([...readings.reader, ...readings.loop].map(({ sum }) => sum));
    if (sums.size !== 1) throw new Error(`The reader and the loop part: sums ${[...sums].join(", ")}.`);
    const speed = (way: keyof typeof readings): number => megabytes / median(readings[way].map(({ seconds }) => seconds));
    const memory = median(readings.reader.map(({ grownBytes, resultBytes }) => grownBytes / resultBytes));
    return {
      figures: [
        { name: "CSV of 1M rows × 20 columns", value: speed("reader"), unit: "MB/s", atLeast: 150 },
        { name: "memory to result", value: memory, unit: "×", atMost: 2 },
        { name: "loop that splits lines", value: speed("loop"), unit: "MB/s" },
        { name: "reader to loop", value: speed("reader") / speed("loop"), unit: "×" },
      ],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Whole numbers, decimals of one, three and six digits after the point, some cells missing. */
async function writeRows(path: string): Promise<void> {
  const random = randomStream(1, "csv-read");
  const columns = [
    () => String(random.below(100)),
    () => (random.below(1_000_000) / 1_000).toFixed(3),
    () => (random.below(2_000_000) / 1_000_000 - 1).toFixed(6),
    () => (random.below(20) === 0 ? "" : (random.below(1_000) / 10).toFixed(1)),
  ];
  await using file = await open(path, "w");
  let text = `${NAMES.join(",")},label\n`;
  for (let row = 0; row < ROWS; row += 1) {
    for (let i = 0; i < FEATURES; i += 1) text += `${columns[i % columns.length]!()},`;
    text += row % 3 === 0 ? "yes\n" : "no\n";
    if (text.length < 1_000_000 && row < ROWS - 1) continue;
    await file.write(text);
    text = "";
  }
}

async function readInChild(way: "reader" | "loop", path: string): Promise<Reading> {
  const self = fileURLToPath(import.meta.url);
  const { stdout } = await promisify(execFile)(process.execPath, [...process.execArgv, self, way, path]);
  return JSON.parse(stdout) as Reading;
}

interface Rows {
  readonly features: Float32Array;
  readonly targets: ArrayLike<number>;
}

/** The loop that one would first write; it knows the number of rows beforehand. */
async function readPlainly(path: string): Promise<Rows> {
  const features = new Float32Array(ROWS * FEATURES);
  const targets = new Uint8Array(ROWS);
  let row = -1;
  for await (const line of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (row >= 0) {
      const cells = line.split(",");
      for (let i = 0; i < FEATURES; i += 1) features[row * FEATURES + i] = cells[i] === "" ? NaN : Number(cells[i]);
      targets[row] = cells[FEATURES] === "yes" ? 1 : 0;
    }
    row += 1;
  }
  return { features, targets };
}

async function readOnce(way: string, path: string): Promise<Reading> {
  const before = process.memoryUsage().rss;
  const began = performance.now();
  const { features, targets } = way === "reader" ? await loadCsvExamples(SCHEMA, [path]) : await readPlainly(path);
  const seconds = (performance.now() - began) / 1000;
  const grownBytes = process.resourceUsage().maxRSS * 1024 - before;
  let sum = 0;
  for (let i = 0; i < features.length; i += 1) if (!Number.isNaN(features[i])) sum += features[i]!;
  for (let row = 0; row < targets.length; row += 1) sum += targets[row]!;
  return { seconds, grownBytes, resultBytes: features.byteLength + targets.length, sum };
}

if (import.meta.main) {
  const [way, path] = process.argv.slice(2);
  if (way !== undefined && path !== undefined) console.log(JSON.stringify(await readOnce(way, path)));
  else console.table((await run()).figures);
}
