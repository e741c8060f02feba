import type { RunSpecInput } from "@ciphernx/ai/spec";
import type { Trainer } from "@ciphernx/ai/training";
import { tasks } from "@ciphernx/core/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

/** Each party minimises a/2 · (w − b)² in every coordinate, in steps of its number of rows in batches of 8. */
const PARTIES = { ash: { rows: 40, a: 1, b: 0 }, birch: { rows: 61, a: 4, b: 1 }, cedar: { rows: 53, a: 0.5, b: -2 } } as const;
type Party = keyof typeof PARTIES;
const NAMES = Object.keys(PARTIES) as readonly Party[];
const RATE = 0.05;
const LENGTH = 3;
const START = Float32Array.of(0.5, -1, 2);

function spec(changes: Partial<RunSpecInput> = {}): RunSpecInput {
  return rowsSpec({
    model: { kind: "tensors", tensors: { w: [LENGTH] } },
    train: { optimiser: { kind: "sgd", learningRate: RATE }, batchSize: 8 },
    strategy: { kind: "scaffold" },
    cohort: { size: 2, deadlineSeconds: 30 },
    encoding: { range: 8 },
    evaluate: { every: 0 },
    rounds: 8,
    ...changes,
  });
}

const stepsOf = (party: Party) => Math.ceil(PARTIES[party].rows / 8);
const gradient = (party: Party, w: number) => PARTIES[party].a * (w - PARTIES[party].b);

function trainerOf(party: Party): Trainer {
  return {
    kernelBuild: "custom:quadratic",
    fit({ parameters, correction }) {
      const trained = parameters.map((start, index) => {
        let w = start;
        for (let step = 0; step < stepsOf(party); step += 1) w -= RATE * (gradient(party, w) + correction![index]!);
        return w;
      });
      return Promise.resolve({ parameters: trained, weight: PARTIES[party].rows, metrics: { loss: 0, correct: 0 } });
    },
    evaluate: () => Promise.resolve({ weight: 0, metrics: { loss: 0, correct: 0 } }),
  };
}

/** The algorithm as it is in the paper, with means by rows, in plain f64. */
function byThePaper(cohorts: readonly (readonly Party[])[]): readonly number[] {
  const x: number[] = [...START];
  const c = x.map(() => 0);
  const own = new Map(NAMES.map((party) => [party, x.map(() => 0)]));
  const all = NAMES.reduce((sum, party) => sum + PARTIES[party].rows, 0);
  for (const cohort of cohorts) {
    const rows = cohort.reduce((sum, party) => sum + PARTIES[party].rows, 0);
    const [dx, dc] = [x.map(() => 0), x.map(() => 0)];
    for (const party of cohort) {
      const ci = own.get(party)!;
      for (let i = 0; i < LENGTH; i += 1) {
        let y = x[i]!;
        for (let step = 0; step < stepsOf(party); step += 1) y -= RATE * (gradient(party, y) - ci[i]! + c[i]!);
        const next = ci[i]! - c[i]! + (x[i]! - y) / (stepsOf(party) * RATE);
        dx[i]! += (PARTIES[party].rows / rows) * (y - x[i]!);
        dc[i]! += (PARTIES[party].rows / rows) * (next - ci[i]!);
        ci[i] = next;
      }
    }
    for (let i = 0; i < LENGTH; i += 1) {
      x[i]! += dx[i]!;
      c[i]! += (rows / all) * dc[i]!;
    }
  }
  return x;
}

let lent: TestCoordinator;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  for (const party of NAMES) {
    const rows = classRows(party, PARTIES[party].rows, 0);
    stack.use(await startWork(lent.url, await lent.join(party), { rows, change: () => trainerOf(party) }));
  }
});
afterAll(() => stack.disposeAsync());

describe("scaffold over sockets", () => {
  it("is the paper's algorithm, with two of three parties a round", async () => {
    const run = await lent.nexus.runs.start(spec(), { initial: new Map([["w", { shape: [LENGTH], data: START }]]) });
    const result = await run.result();
    const { rounds } = await run.show();
    const cohorts = rounds.map(({ participations }) => participations.map(({ party }) => party as Party).toSorted());
    expect(cohorts.map(({ length }) => length)).toEqual(Array.from({ length: 8 }, () => 2));
    expect(new Set(cohorts.map(String)).size).toBeGreaterThan(1);
    const found = (await result.parameters()).get("w")!.data;
    const wanted = byThePaper(cohorts);
    for (const [index, value] of found.entries()) expect(value).toBeCloseTo(wanted[index]!, 5);

    // What it costs is what was planned: twice the coordinates up, and c down with the model from the second round on.
    const planned = await lent.nexus.runs.plan(spec());
    const average = await lent.nexus.runs.plan(spec({ strategy: { kind: "fedavg" } }));
    if (!planned.ok || !average.ok) throw new Error("The spec is refused.");
    expect(planned.plan.updateBytes - average.plan.updateBytes).toBe(LENGTH * 4);
    const all = (await lent.coordinator.store.db.select().from(tasks)).filter(({ runId }) => runId === run.id);
    expect(all.map(({ bytesUp }) => bytesUp)).toEqual(Array.from({ length: 16 }, () => planned.plan.updateBytes));
    expect(all.reduce((sum, { bytesDown }) => sum + bytesDown, 0)).toBe(planned.plan.totalBytes.down);
    expect(planned.plan.totalBytes.down - average.plan.totalBytes.down).toBe(14 * planned.plan.stateBytes!);
  });
});
