import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { expectWhole, type Federation, online, startFederation, undisturbedHash } from "./federation.ts";
import { killAtEach, roundsFor } from "./kill-at-each.ts";
import { type NodeProcess, startNodeProcess } from "./node-process.ts";
import { PARTIES, runSpec } from "./parties.ts";
import { POINTS, sumPointsOf } from "./points.ts";

/** Three of four open a sum: after its vector one may go. */
const NAMES = [...PARTIES, "clinic-d"];
/** The party that is killed: the one whose answer `POINTS.answering` is. */
const KILLED = "clinic-b";
const protectedSpec = (rounds: number): RunSpecInput => ({ ...runSpec(rounds), encoding: { bits: 24 }, protection: { kind: "secagg" } });

let federation: Federation;
let node: NodeProcess;
const place = () => ({ name: KILLED, folder: join(federation.folder, KILLED) });

beforeAll(async () => {
  federation = await startFederation({ isRostered: true, parties: NAMES.filter((name) => name !== KILLED), elsewhere: [KILLED] });
  node = startNodeProcess(place());
  await online(federation.nexus, NAMES);
}, 60_000);

afterAll(async () => {
  await node.stop();
  await federation[Symbol.asyncDispose]();
});

interface Noted {
  readonly step: string;
  readonly kind: string;
  readonly round: number;
  readonly attempt: number;
}

/** What the killed party noted of the sums of its one protected run. */
async function noted(): Promise<readonly Noted[]> {
  const folder = join(place().folder, "sums");
  const names = (await readdir(folder)).filter((name) => name.endsWith(".jsonl"));
  expect(names).toHaveLength(1);
  const lines = (await readFile(join(folder, names[0]!), "utf8")).split("\n").filter((line) => line !== "");
  return lines.map((line) => JSON.parse(line) as Noted);
}

describe("kill −9 of a node at every point of a protected round", () => {
  it("costs an attempt at most: it sends what it had made ready, or nothing, and the model is the same", { timeout: 300_000 }, async () => {
    const points = [...sumPointsOf(KILLED).slice(0, 4), POINTS.answering, ...sumPointsOf(KILLED).slice(4)];
    const rounds = roundsFor(points);
    const expected = await undisturbedHash(federation, rounds, { ...protectedSpec(rounds), protection: { kind: "none" } });
    const run = await killAtEach(federation, points, {
      spec: protectedSpec,
      async kill({ coordinator }, gate) {
        await node.kill();
        node = startNodeProcess(place());
        await coordinator.open(gate);
      },
    });
    expect((await run.result()).modelHash).toBe(expected);
    await expectWhole(federation, run, rounds);

    const entries = await noted();
    const sums = Map.groupBy(entries, ({ kind, round }) => `${kind} ${round}`);
    for (const ofRound of sums.values()) {
      // Keys were made once for an attempt, and one sum of a round was helped to unmask.
      const begun = ofRound.filter(({ step }) => step === "begun").map(({ attempt }) => attempt);
      expect(begun).toEqual([...new Set(begun)]);
      expect(new Set(ofRound.filter(({ step }) => step === "answered").map(({ attempt }) => attempt)).size).toBeLessThanOrEqual(1);
    }
  });
});
