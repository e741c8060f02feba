import { folderKeptValues, type KeptValues } from "@ciphernx/ai/federation/node";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import type { ParameterSet } from "@ciphernx/ai/tensor";
import type { Trainer, TrainingTask } from "@ciphernx/ai/training";
import { tasks } from "@ciphernx/core/store";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, eventually, rowsSpec, startWork, testCoordinator, type TestCoordinator, type WorkingNode } from "./test-coordinator.fixture.ts";

/** In canonical order: two parameters that are shared, three that stay, one that is shared. */
const TENSORS = { a: [2], own: [3], z: [1] };
const INITIAL: ParameterSet = new Map([
  ["a", { shape: [2], data: Float32Array.of(0, 0) }],
  ["own", { shape: [3], data: Float32Array.of(1, 2, 3) }],
  ["z", { shape: [1], data: Float32Array.of(-1) }],
]);
/** By how much each party changes every parameter in a fit: shared ones, and its own. */
const STEPS = { ash: { shared: 1, own: 10 }, birch: { shared: 3, own: 100 } } as const;
type Party = keyof typeof STEPS;

function spec(changes: Partial<RunSpecInput> = {}): RunSpecInput {
  return rowsSpec({
    model: { kind: "tensors", tensors: TENSORS },
    strategy: { kind: "fedavgm", momentum: 0, local: ["own"] },
    encoding: { range: 4 },
    rounds: 3,
    ...changes,
  });
}

let lent: TestCoordinator;
const nodes = new Map<Party, WorkingNode>();
const identities = new Map<Party, Awaited<ReturnType<TestCoordinator["join"]>>>();
/** The own values that each task began with: `fit 2`, 11. */
let seen: Record<Party, (readonly [string, number])[]>;
/** What happens before a fit. */
let hook: (task: TrainingTask) => Promise<void> | void;
const stack = new AsyncDisposableStack();

/** Adds the party's steps, and notes what it was given. */
function trainerOf(party: Party, trainer: Trainer): Trainer {
  const note = (kind: string, { parameters, round }: TrainingTask) => {
    expect([parameters[3]! - parameters[2]!, parameters[4]! - parameters[3]!]).toEqual([1, 1]);
    seen[party].push([`${kind} ${round}`, parameters[2]!]);
  };
  return {
    kernelBuild: trainer.kernelBuild,
    async fit(task) {
      await hook(task);
      note("fit", task);
      const { shared, own } = STEPS[party];
      const parameters = task.parameters.map((value, index) => value + (index >= 2 && index < 5 ? own : shared));
      return { parameters, weight: 20, metrics: { loss: 0, correct: 0 } };
    },
    evaluate(task) {
      note("evaluate", task);
      return Promise.resolve({ weight: 4, metrics: { loss: 0, correct: 0 } });
    },
  };
}

async function work(party: Party, kept?: KeptValues): Promise<void> {
  nodes.set(
    party,
    await startWork(lent.url, identities.get(party)!, {
      rows: classRows(party, 20, 4),
      change: (trainer) => trainerOf(party, trainer),
      ...(kept === undefined ? {} : { kept }),
    }),
  );
}

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  stack.defer(async () => {
    for (const node of nodes.values()) await node[Symbol.asyncDispose]();
  });
  for (const party of ["ash", "birch"] as const) {
    identities.set(party, await lent.join(party));
    await work(party);
  }
});
afterAll(() => stack.disposeAsync());

async function runToEnd(changes: Partial<RunSpecInput> = {}) {
  seen = { ash: [], birch: [] };
  const run = await lent.nexus.runs.start(spec(changes), { initial: INITIAL });
  return { run, result: await run.result() };
}

/** Each own value, by hand: 1 + step × fits that counted. An evaluation comes after the fit of its round. */
function byHand(party: Party): readonly (readonly [string, number])[] {
  const { own } = STEPS[party];
  return [1, 2, 3].flatMap((round) => [
    [`fit ${round}`, 1 + own * (round - 1)],
    [`evaluate ${round}`, 1 + own * round],
  ]);
}

describe("tensors that stay with the parties", () => {
  it("go on at each party from round to round, the others are averaged, and the file holds the initial ones", async () => {
    hook = () => {};
    const { run, result } = await runToEnd();
    expect(seen).toEqual({ ash: byHand("ash"), birch: byHand("birch") });
    const parameters = await result.parameters();
    // The mean of 1 and 3, three times.
    for (const value of parameters.get("a")!.data) expect(value).toBeCloseTo(6, 6);
    expect(parameters.get("z")!.data[0]).toBeCloseTo(5, 6);
    expect(parameters.get("own")!.data).toEqual(Float32Array.of(1, 2, 3));
    expect(result.card).toMatchObject({ model: { local: { tensors: ["own"] } }, training: { strategy: { local: ["own"] } } });

    // What left the parties: three coordinates of four bytes, and the sums.
    const planned = await lent.nexus.runs.plan(spec());
    const all = await lent.nexus.runs.plan(spec({ strategy: { kind: "fedavgm", momentum: 0 } }));
    if (!planned.ok || !all.ok) throw new Error("The spec is refused.");
    expect(all.plan.updateBytes - planned.plan.updateBytes).toBe(3 * 4);
    const rows = await lent.coordinator.store.db.select().from(tasks);
    const uploads = rows.filter(({ runId, kind }) => runId === run.id && kind === "fit").map(({ blobSizeBytes }) => Number(blobSizeBytes));
    expect(uploads).toEqual(Array.from({ length: 6 }, () => planned.plan.updateBytes));
  });

  it("forget what an attempt left that was given up", async () => {
    let failures = 1;
    hook = async ({ party, round }) => {
      if (party !== "birch" || round !== 2 || failures === 0) return;
      // Ash has answered: what it left must not count.
      await eventually(() => seen.ash.some(([task]) => task === "fit 2") || undefined);
      failures -= 1;
      throw new Error("not now");
    };
    const { run, result } = await runToEnd();
    const { rounds } = await run.show();
    expect(rounds.map(({ round, attempt, state }) => [round, attempt, state])).toEqual([
      [1, 1, "committed"],
      [2, 1, "abandoned"],
      [2, 2, "committed"],
      [3, 1, "committed"],
    ]);
    const [first, second, ...rest] = byHand("ash");
    expect(seen).toEqual({ ash: [first, second, ["fit 2", 11], ...rest], birch: byHand("birch") });
    expect((await result.parameters()).get("own")!.data).toEqual(Float32Array.of(1, 2, 3));
  });

  it("are found again by a node that restarts with its folder; one that lost them starts from the initial ones and says so", async () => {
    const kept = folderKeptValues(lent.folderOf("ash"));
    await nodes.get("ash")![Symbol.asyncDispose]();
    hook = () => {};
    await work("ash", kept);
    const restarted = new Set<Party>();
    const restarts: Promise<void>[] = [];
    hook = ({ party, round, signal }) => {
      const name = party as Party;
      if (round !== 2 || restarted.has(name)) return;
      restarted.add(name);
      const old = nodes.get(name)!;
      // Ending the old process aborts the task at once: it answers nothing any more.
      const restart = async () => {
        await old[Symbol.asyncDispose]();
        await work(name, name === "ash" ? kept : undefined);
      };
      restarts.push(restart());
      signal!.throwIfAborted();
    };
    const { result } = await runToEnd();
    await Promise.all(restarts);
    expect(seen.ash).toEqual(byHand("ash"));
    expect(seen.birch).toEqual([
      ["fit 1", 1],
      ["evaluate 1", 101],
      ["fit 2", 1],
      ["evaluate 2", 101],
      ["fit 3", 101],
      ["evaluate 3", 201],
    ]);
    const lost = (party: Party) => nodes.get(party)!.events.filter(({ type }) => type === "kept-values-lost");
    expect(lost("ash")).toEqual([]);
    expect(lost("birch")).toMatchObject([{ task: { round: 2 }, reason: expect.stringContaining("memory") as string }]);
    expect((await result.parameters()).get("a")!.data[0]).toBeCloseTo(6, 6);
  });
});
