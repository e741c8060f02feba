import type { ColumnSchema, RegisteredSchema } from "@ciphernx/ai/data";
import { createHash } from "node:crypto";
import { connect, defineNode, type NodeDefinition, type RunEvent } from "@ciphernx/ai/client";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { decodeParameters, type ParameterSet } from "@ciphernx/ai/tensor";
import { projects, runs } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

let lent: TestCoordinator;
const stack = new AsyncDisposableStack();
beforeAll(async () => {
  lent = stack.use(await testCoordinator());
});
afterAll(() => stack.disposeAsync());

/** Serves a party until the test file ends, or until what is returned is disposed of. */
async function serve(name: string, definition: NodeDefinition): Promise<AsyncDisposable> {
  const stop = new AbortController();
  const connected = Promise.withResolvers<void>();
  const { token } = await lent.nexus.nodes.createJoinToken({ approved: true });
  const serving = defineNode(definition).serve({
    ...{ url: lent.url, token, name, folder: lent.folderOf(name), signal: stop.signal },
    onEvent: ({ type }) => type === "connected" && connected.resolve(),
  });
  await Promise.race([connected.promise, serving]);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await serving;
    },
  };
}

/** Rows x → y of a plane with a little disorder, other rows for each party. */
function planeRows(party: number, count: number): readonly { readonly x: readonly number[]; readonly y: number }[] {
  return Array.from({ length: count }, (_, row) => {
    const x = [0, 1, 2].map((column) => (((row * 7 + column * 5 + party * 3) * 2654435761) % 1000) / 500 - 1);
    const disorder = ((row * 31 + party * 17) % 11) / 100 - 0.05;
    return { x, y: 2 * x[0]! - 1 * x[1]! + 0.5 * x[2]! + 3 + disorder };
  });
}

type Rows = ReturnType<typeof planeRows>;

/** Features between −1 and 1: with this rate the error about halves in a step. */
const RATE = 1.5;

/** One step of gradient descent on half the mean squared error, in tensors of the party's own. */
function step(parameters: ParameterSet, rows: Rows, rate: number): ParameterSet {
  const w = [...parameters.get("w")!.data];
  let b = parameters.get("b")!.data[0]!;
  const gradient = [0, 0, 0, 0];
  for (const { x, y } of rows) {
    const error = x.reduce((sum, value, index) => sum + value * w[index]!, b) - y;
    for (const [index, value] of x.entries()) gradient[index]! += (error * value) / rows.length;
    gradient[3]! += error / rows.length;
  }
  for (const index of w.keys()) w[index]! -= rate * gradient[index]!;
  b -= rate * gradient[3]!;
  return new Map([
    ["w", { shape: [3], data: Float32Array.from(w) }],
    ["b", { shape: [1], data: Float32Array.of(b) }],
  ]);
}

function squaredErrors(parameters: ParameterSet, rows: Rows): number {
  const w = parameters.get("w")!.data;
  return rows.reduce(
    (sum, { x, y }) => sum + (x.reduce((total, value, index) => total + value * w[index]!, parameters.get("b")!.data[0]!) - y) ** 2,
    0,
  );
}

function planeParty(rows: Rows, changes: Partial<NodeDefinition> = {}): NodeDefinition {
  return {
    dataset: { name: "plane", trainExamples: rows.length, testExamples: rows.length },
    fit: ({ parameters }) => ({
      parameters: step(parameters, rows, RATE),
      examples: rows.length,
      metrics: { squares: squaredErrors(parameters, rows) },
    }),
    evaluate: ({ parameters }) => ({ examples: rows.length, metrics: { squares: squaredErrors(parameters, rows) } }),
    ...changes,
  };
}

const PLANE: RunSpecInput = {
  version: 1,
  name: "plane",
  seed: 1,
  data: { dataset: "plane" },
  model: { kind: "tensors", tensors: { w: [3], b: [1] } },
  train: { optimiser: { kind: "sgd", learningRate: 1 } },
  protection: { kind: "none" },
  rounds: 12,
  encoding: { range: 16 },
  evaluate: { every: 12, metrics: ["squares"] },
};

const SOUTH = planeRows(1, 30);
const NORTH = planeRows(2, 90);

describe("two parties with a trainer of their own", () => {
  beforeAll(async () => {
    stack.use(await serve("north", planeParty(NORTH)));
    stack.use(await serve("south", planeParty(SOUTH)));
  });

  it("reach together what one would reach who had all their rows", async () => {
    const run = await lent.nexus.runs.start({ ...PLANE, data: { dataset: "plane", parties: ["north", "south"] } });
    const result = await run.result();
    const learnt = await result.parameters();

    const pooled = [...NORTH, ...SOUTH];
    let alone: ParameterSet = new Map([
      ["w", { shape: [3], data: new Float32Array(3) }],
      ["b", { shape: [1], data: new Float32Array(1) }],
    ]);
    for (let round = 0; round < 12; round += 1) alone = step(alone, pooled, RATE);
    // One step a round: the weighted mean of the parties' gradients is the gradient of the pooled rows.
    for (const name of ["w", "b"]) {
      expect(learnt.get(name)!.shape).toEqual(alone.get(name)!.shape);
      for (const [index, value] of alone.get(name)!.data.entries()) expect(learnt.get(name)!.data[index]).toBeCloseTo(value, 4);
    }
    expect([...learnt.get("w")!.data, ...learnt.get("b")!.data].map((value) => Math.round(value * 10) / 10)).toEqual([2, -1, 0.5, 3]);
    expect(result.card).toMatchObject({
      reproducible: false,
      labels: ["The parties' own trainers decide the bits of the updates."],
      metrics: { evaluated: { squares: expect.closeTo(squaredErrors(learnt, pooled) / pooled.length, 5) as number } },
    });
  });

  it("start from parameters that are given", async () => {
    const initial: ParameterSet = new Map([
      ["w", { shape: [3], data: Float32Array.of(2, -1, 0.5) }],
      ["b", { shape: [1], data: Float32Array.of(100) }],
    ]);
    const spec: RunSpecInput = { ...PLANE, rounds: 1, encoding: { range: 400 }, data: { dataset: "plane", parties: ["north"] } };
    const result = await (await lent.nexus.runs.start(spec, { initial })).result();
    const learnt = await result.parameters();
    const wanted = step(initial, NORTH, RATE);
    for (const name of ["w", "b"])
      for (const [index, value] of wanted.get(name)!.data.entries()) expect(learnt.get(name)!.data[index]).toBeCloseTo(value, 4);

    // A model of a run is a checkpoint by its hash, and a checkpoint of another form is refused.
    const again = await lent.nexus.runs.start({ ...spec, checkpoint: result.modelHash });
    expect((await again.show()).rounds[0]?.baseModelHash ?? result.modelHash).toBe(result.modelHash);
    await again.result();
    const wrong: ParameterSet = new Map([["w", { shape: [4], data: new Float32Array(4) }]]);
    await expect(lent.nexus.runs.start(spec, { initial: wrong })).rejects.toMatchObject({
      code: "SPEC_REFUSED",
      message: expect.stringContaining("b [1], w [3]") as string,
    });
    await expect(lent.nexus.runs.start({ ...spec, checkpoint: "d".repeat(64) })).rejects.toMatchObject({ code: "BLOB_NOT_FOUND" });
  });
});

describe("a run", () => {
  const spec: RunSpecInput = { ...PLANE, rounds: 3, data: { dataset: "plane", parties: ["north", "south"] } };

  it("tells what happens in numbered events without gaps, from any number on, also when it is long over", async () => {
    const run = await lent.nexus.runs.start(spec);
    const seen: RunEvent[] = [];
    for await (const event of run.events()) seen.push(event);
    expect(seen.map(({ number }) => number)).toEqual(seen.map((_, index) => index + 1));
    expect(seen.map(({ type }) => type)).toEqual(["run-started", ...[1, 2, 3].flatMap(() => ["round-opened", "round-committed"]), "run-finished"]);
    const { modelHash } = await run.result();
    expect(seen.at(-1)).toMatchObject({ type: "run-finished", payload: { outcome: "completed", reason: null, modelHash } });
    expect(seen.filter((event) => event.type === "round-committed").map(({ payload }) => payload)).toMatchObject(
      [1, 2, 3].map((round) => ({ round, rounds: 3, accepted: 2, missed: [] })),
    );

    // Another connection goes on from wherever the first one was, its end included.
    await using other = connect({ url: lent.url, token: lent.token });
    for (const after of [0, 3, seen.length - 1, seen.length]) {
      const rest: RunEvent[] = [];
      for await (const event of other.runs.handle(run.id).events({ after })) rest.push(event);
      expect(rest).toEqual(seen.slice(after));
    }
  });

  it("gives its watchers every event once while it goes on", async () => {
    const run = await lent.nexus.runs.start({ ...spec, rounds: 5 });
    const numbers: number[] = [];
    for await (const event of run.events()) {
      numbers.push(event.number);
      if (event.type === "round-committed" && event.payload.round === 2) break;
    }
    for await (const event of run.events({ after: numbers.at(-1)! })) numbers.push(event.number);
    expect(numbers).toEqual(Array.from({ length: 12 }, (_, index) => index + 1));
    await expect(run.result({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: "INTERRUPTED" });
  });

  it("is started once for a key, and a key is good for one spec", async () => {
    const [one, two] = await Promise.all([
      lent.nexus.runs.start(spec, { idempotencyKey: "key" }),
      lent.nexus.runs.start(spec, { idempotencyKey: "key" }),
    ]);
    expect(two.id).toBe(one.id);
    const [first, second] = await Promise.all([one.result(), two.result()]);
    expect(second.modelHash).toBe(first.modelHash);
    expect((await lent.nexus.runs.start(spec, { idempotencyKey: "key" })).id).toBe(one.id);
    await expect(lent.nexus.runs.start({ ...spec, seed: 2 }, { idempotencyKey: "key" })).rejects.toMatchObject({
      code: "RUN_STATE",
      message: expect.stringContaining(one.id) as string,
    });
    expect((await lent.nexus.runs.start(spec)).id).not.toBe(one.id);
  });

  it("gives its model by its own id and by the model's, verified", async () => {
    const run = await lent.nexus.runs.start({ ...spec, name: "with-model" });
    const result = await run.result();
    const model = await lent.nexus.models.get(run.id);
    expect(model).toMatchObject({ id: result.modelId, hash: result.modelHash, name: "with-model" });
    const file = await lent.nexus.models.file(model);
    expect(createHash("sha256").update(file).digest("hex")).toBe(result.modelHash);
    expect(decodeParameters(file)).toEqual(await result.parameters());
    await expect(lent.nexus.models.get("mdl_none")).rejects.toMatchObject({ code: "MODEL_NOT_FOUND" });
    await expect(lent.nexus.runs.get("run_none")).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    await expect(lent.nexus.runs.handle("run_none").result()).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
  });

  it("is none for whom another project is served", async () => {
    const run = await lent.nexus.runs.start({ ...spec, name: "of-others" });
    await run.result();
    const { db } = lent.coordinator.store;
    await db.insert(projects).values({ id: "prj_others", name: "others" });
    await db.update(runs).set({ projectId: "prj_others" }).where(eq(runs.id, run.id));
    for (const call of [() => lent.nexus.runs.get(run.id), () => run.stop(), () => run.resume(), () => run.result()]) {
      await expect(call()).rejects.toMatchObject({ code: "RUN_NOT_FOUND" });
    }
  });

  it("is planned without being started; refusals come as data, mistakes as an error that needs no coordinator", async () => {
    const before = (await lent.nexus.runs.list()).length;
    const planned = await lent.nexus.runs.plan(spec);
    expect(planned).toMatchObject({ ok: true, plan: { parties: [{ name: "north" }, { name: "south" }], model: { parameters: 4 } } });
    const refused = await lent.nexus.runs.plan({ ...spec, data: { dataset: "plane", parties: ["north", "sotuh"] } });
    expect(refused).toMatchObject({
      ok: false,
      refusals: [{ path: "data.parties[1]", remedy: 'Did you mean "south"?', edits: [{ path: "data.parties[1]", value: "south" }] }],
    });
    await using nowhere = connect({ url: "http://127.0.0.1:9", token: "" });
    await expect(nowhere.runs.start({ ...spec, rounds: 0 })).rejects.toMatchObject({ code: "SPEC_INVALID" });
    await expect(nowhere.runs.plan("version: 1\nversion: 1\n")).rejects.toMatchObject({
      code: "SPEC_UNREADABLE",
      message: expect.stringContaining("line 2") as string,
    });
    await expect(nowhere.runs.start(spec)).rejects.toMatchObject({ code: "COORDINATOR_UNREACHABLE" });
    expect(await lent.nexus.runs.list()).toHaveLength(before);
  });

  it("is refused before it starts where a party has registered missing cells that a network would learn from", async () => {
    const columns: ColumnSchema[] = [
      { name: "age", role: "feature", type: "number" },
      { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
    ];
    const schema: RegisteredSchema = { kind: "table", task: "classification", columns, missingCells: [{ column: "age", count: 3 }] };
    await using nodes = new AsyncDisposableStack();
    nodes.use(await serve("gappy", planeParty(NORTH, { dataset: { name: "gaps", trainExamples: 90, schema } })));
    const gaps: RunSpecInput = { ...PLANE, data: { dataset: "gaps" }, reproducibility: "any-kernel", evaluate: { every: 0 } };
    expect(await lent.nexus.runs.plan(gaps)).toMatchObject({ ok: true, plan: { schema: { columns } } });
    expect(await lent.nexus.runs.plan({ ...gaps, model: { kind: "mlp" } })).toMatchObject({
      ok: false,
      refusals: [{ path: "preprocess", reason: expect.stringContaining('missing cells at gappy in "age" (3)') as string }],
    });
  });

  it("can be stopped and resumed, with the model of the undisturbed run", async () => {
    const long = { ...spec, rounds: 6 };
    const undisturbed = await (await lent.nexus.runs.start(long)).result();
    const run = await lent.nexus.runs.start(long);
    for await (const event of run.events()) if (event.type === "round-committed" && event.payload.round === 2) break;
    await run.stop();
    const stopped: RunEvent[] = [];
    for await (const event of run.events()) stopped.push(event);
    expect(stopped.at(-1)).toMatchObject({ type: "run-finished", payload: { outcome: "stopped" } });
    await expect(run.stop()).rejects.toMatchObject({
      code: "RUN_STATE",
      message: expect.stringContaining("stopped and cannot be stopped") as string,
    });
    await run.resume();
    await expect(run.resume()).rejects.toMatchObject({ code: "RUN_STATE" });
    expect((await run.result()).modelHash).toBe(undisturbed.modelHash);
    const rounds = (await run.show()).rounds.filter(({ state }) => state === "committed");
    expect(rounds.map(({ round }) => round)).toEqual(Array.from({ length: 6 }, (_, index) => index + 1));
  });
});

describe("a party whose trainer errs is named with round and reason, and the round goes on", () => {
  const wrong: readonly (readonly [string, NodeDefinition["fit"], string])[] = [
    [
      "another shape",
      () => ({
        parameters: new Map([
          ["w", { shape: [1, 3], data: new Float32Array(3) }],
          ["b", { shape: [1], data: new Float32Array(1) }],
        ]),
        examples: 5,
        metrics: { squares: 0 },
      }),
      'TRAINER_FAILED: The tensor "w" that the trainer of erring returned is [1, 3] with 3 values; the model has [3].',
    ],
    [
      "too few values",
      () => ({
        parameters: new Map([
          ["w", { shape: [3], data: new Float32Array(2) }],
          ["b", { shape: [1], data: new Float32Array(1) }],
        ]),
        examples: 5,
        metrics: { squares: 0 },
      }),
      "with 2 values",
    ],
    [
      "a tensor missing",
      () => ({ parameters: new Map([["w", { shape: [3], data: new Float32Array(3) }]]), examples: 5, metrics: { squares: 0 } }),
      'The tensor "b" that the trainer of erring returned is missing',
    ],
    [
      "a tensor too many",
      ({ parameters }) => ({
        parameters: new Map([...parameters, ["c", { shape: [1], data: new Float32Array(1) }]]),
        examples: 5,
        metrics: { squares: 0 },
      }),
      'a tensor "c" that the model does not have',
    ],
    ["no sum", ({ parameters }) => ({ parameters, examples: 5, metrics: {} }), 'reported no sum "squares"'],
    ["more examples than it has", ({ parameters }) => ({ parameters, examples: 1_000_000, metrics: { squares: 0 } }), "reported 1000000 examples"],
    ["half an example", ({ parameters }) => ({ parameters, examples: 0.5, metrics: { squares: 0 } }), "reported 0.5 examples"],
    [
      "an exception",
      () => Promise.reject(new Error("the disk of the clinic is away")),
      "TRAINER_FAILED: The trainer of erring failed: the disk of the clinic is away",
    ],
  ];

  it("for every way to err", async () => {
    let fit: NodeDefinition["fit"] = wrong[0]![1];
    await using nodes = new AsyncDisposableStack();
    nodes.use(await serve("erring", planeParty(planeRows(3, 5), { fit: (task) => fit(task) })));
    const spec: RunSpecInput = {
      ...PLANE,
      rounds: 1,
      data: { dataset: "plane", parties: ["erring", "north", "south"] },
      cohort: { quorum: 2 },
      evaluate: { every: 0, metrics: ["squares"] },
    };
    for (const [, errs, reason] of wrong) {
      fit = errs;
      const run = await lent.nexus.runs.start(spec);
      await run.result();
      const { rounds } = await run.show();
      const part = rounds.flatMap(({ round, participations }) =>
        participations.map(({ party, state, reason: said }) => ({ round, party, state, said })),
      );
      expect(part).toEqual([
        { round: 1, party: "erring", state: "failed", said: expect.stringContaining(reason) as string },
        { round: 1, party: "north", state: "accepted", said: "" },
        { round: 1, party: "south", state: "accepted", said: "" },
      ]);
      const events: RunEvent[] = [];
      for await (const event of run.events()) events.push(event);
      expect(events.find(({ type }) => type === "answer-refused")?.payload).toMatchObject({ round: 1, party: "erring", kind: "fit" });
      expect(events.find(({ type }) => type === "round-committed")?.payload).toMatchObject({ accepted: 2, missed: ["erring"] });
    }
  });

  it("and a run whose quorum needs it fails with its name", async () => {
    await using nodes = new AsyncDisposableStack();
    nodes.use(await serve("failing", planeParty(planeRows(4, 5), { fit: () => Promise.reject(new Error("no")) })));
    const run = await lent.nexus.runs.start({
      ...PLANE,
      rounds: 1,
      data: { dataset: "plane", parties: ["failing", "north"] },
      cohort: { attempts: 2 },
    });
    await expect(run.result()).rejects.toMatchObject({
      code: "RUN_FAILED",
      message: expect.stringMatching(/QUORUM_NOT_REACHED: .* quorum of 2 in 2 attempts: failing failed \(TRAINER_FAILED: .*no\)\.$/) as string,
    });
    const { rounds } = await run.show();
    expect(rounds.map(({ attempt, state }) => [attempt, state])).toEqual([
      [1, "abandoned"],
      [2, "abandoned"],
    ]);
  });

  it("and held-out rows that cannot be judged cost the figures, not the round", async () => {
    await using nodes = new AsyncDisposableStack();
    nodes.use(await serve("blind", planeParty(planeRows(5, 5), { evaluate: () => Promise.reject(new Error("no rows")) })));
    const run = await lent.nexus.runs.start({
      ...PLANE,
      rounds: 1,
      data: { dataset: "plane", parties: ["blind"] },
      evaluate: { metrics: ["squares"] },
    });
    const { card } = await run.result();
    expect(card).toMatchObject({ metrics: { evaluated: null } });
    expect((await run.show()).rounds[0]!.participations.find(({ kind }) => kind === "evaluate")).toMatchObject({
      party: "blind",
      state: "failed",
      reason: expect.stringContaining("no rows") as string,
    });
  });
});
