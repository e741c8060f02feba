import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT } from "../workspaces.ts";

/** The patients' records are no part of the project: where they lie beside it, the story is told in a test. */
const RECORDS = join(ROOT, "../shared/datasets/heart-disease/fed_heart.csv");
const isHere = existsSync(RECORDS);
if (!isHere) console.log(`not run: the heart-disease demo, because ${RECORDS} is not here`);

const WAYS = ["localOnly", "federated", "pooled"] as const;
type ByWay = Readonly<Record<(typeof WAYS)[number], { readonly mean: number; readonly deviation: number }>>;

const run = promisify(execFile);
const nexus = (args: readonly string[], cwd: string) =>
  run(process.execPath, [join(ROOT, "apps/cli/bin/nexus.js"), ...args], { cwd, maxBuffer: 64_000_000 });

let folder = "";
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-heart-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe("the demo of four hospitals", () => {
  it.skipIf(!isHere)("tells what each way to a model is worth, on all patients and on each hospital's own", { timeout: 240_000 }, async () => {
    const { stdout } = await nexus(["demo", "heart-disease", "--data", RECORDS, "--draws", "3", "--json"], folder);
    const { data } = JSON.parse(stdout) as {
      data: {
        union: ByWay;
        own: ByWay;
        figures: Record<string, { union: ByWay; own: ByWay }>;
        hospitals: (ByWay & { party: string; unreliable: boolean; gain: { mean: number } })[];
        sameHash: boolean;
        modelFile: string;
        history: { evaluated: Record<string, number> | null }[];
      };
    };
    expect(data.sameHash).toBe(true);
    for (const figures of [data.union, data.own]) {
      for (const way of WAYS) {
        expect(figures[way].mean).toBeGreaterThan(0.7);
        expect(figures[way].mean).toBeLessThan(0.96);
        expect(figures[way].deviation).toBeGreaterThan(0);
      }
    }
    expect(data.union.federated.mean).toBeGreaterThan(data.union.localOnly.mean + 0.04);
    expect(Math.abs(data.union.federated.mean - data.union.pooled.mean)).toBeLessThan(0.03);
    expect(data.hospitals.map(({ party, unreliable }) => [party, unreliable])).toEqual([
      ["cleveland", false],
      ["hungarian", false],
      ["switzerland", true],
      ["va", false],
    ]);
    expect(Object.keys(data.figures)).toEqual(["accuracy", "f1", "calibration"]);
    // The run's own figure, from the sums of four nodes, and that of the comparison, from all rows together.
    expect(Object.keys(data.history.at(-1)!.evaluated!)).toEqual(expect.arrayContaining(["loss", "accuracy", "auc", "f1", "calibration"]));

    // The pulled model judges records with gaps, by the preprocessing in its card.
    await nexus(["predict", data.modelFile, "--data", RECORDS, "--output", "judged.jsonl"], folder);
    const judged = (await readFile(join(folder, "judged.jsonl"), "utf8")).trimEnd().split("\n");
    expect(judged).toHaveLength(920);
  });

  it("says where the records come from when they are not there", async () => {
    await expect(nexus(["demo", "heart-disease", "--data", join(folder, "nowhere.csv")], folder)).rejects.toMatchObject({
      stderr: expect.stringMatching(/not part of the project[\s\S]*nexus dataset fetch heart-disease/) as string,
    });
  });
});
