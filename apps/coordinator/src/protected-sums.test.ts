import { createHash } from "node:crypto";
import { folderRoster, folderSumJournal, loadIdentity, type SumJournal } from "@ciphernx/ai/federation/node";
import { exposure, type RunPlan, type RunSpecInput } from "@ciphernx/ai/spec";
import { loadKernel } from "@ciphernx/ai/nn";
import { sign } from "@ciphernx/crypto/keys";
import { NodeService } from "@ciphernx/protocol/proto";
import { sessionBytes } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import { createClient } from "@connectrpc/connect";
import { rounds, sumContributions, sumSteps, tasks } from "@ciphernx/core/store";
import { and, eq } from "@ciphernx/core/store/sql";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RosteredProject, rosteredProject } from "./rostered-project.fixture.ts";
import {
  classRows,
  eventually,
  openTestSession,
  rowsSpec,
  startWork,
  testCoordinator,
  type TestCoordinator,
  type WorkingNode,
} from "./test-coordinator.fixture.ts";

const NAMES = ["ash", "birch", "cedar", "elm", "fir"] as const;
const SECAGG = { kind: "secagg" } as const;
const ENCODING = { range: 1, bits: 16 } as const;

let lent: TestCoordinator;
let project: RosteredProject;
const nodes = new Map<string, WorkingNode>();
const stack = new AsyncDisposableStack();

const spec = (changes: Partial<RunSpecInput> = {}) => rowsSpec({ encoding: ENCODING, rounds: 2, ...changes });
const start = (changes: Partial<RunSpecInput>) => lent.nexus.runs.start(spec(changes), { signer: project.signer });

/** Starts a node that has joined, over what its folder keeps. */
async function work(name: string, sums: SumJournal = folderSumJournal(lent.folderOf(name)), heldOut = 6): Promise<WorkingNode> {
  const { identity } = await loadIdentity(lent.folderOf(name));
  const options = { rows: classRows(name, 20 + name.length, heldOut), roster: await folderRoster(lent.folderOf(name), identity), sums };
  const node = await startWork(lent.url, identity, options);
  nodes.set(name, node);
  return node;
}

/** Ends a node where it stands, as kill -9 does: nothing that comes after leaves it. */
function killing(name: string) {
  const done = Promise.withResolvers<void>();
  return {
    done: done.promise,
    async here(): Promise<never> {
      // The node's signal is aborted before its journal fails.
      nodes.get(name)![Symbol.asyncDispose]().then(done.resolve, done.reject);
      throw new Error("killed");
    },
  };
}

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  project = stack.use(await rosteredProject(lent, new Map(NAMES.map((name) => [name, `org-of-${name}`]))));
  for (const name of NAMES) await work(name);
  stack.defer(async () => {
    for (const node of nodes.values()) await node[Symbol.asyncDispose]();
  });
}, 60_000);
afterAll(() => stack.disposeAsync());

describe("a protected run", () => {
  it("has the model and the figures of one without protection, and the coordinator sees nothing else", async () => {
    const [open, hidden] = [await (await start({ protection: { kind: "none" } })).result(), await start({ protection: SECAGG })];
    const result = await hidden.result();
    expect(result.modelHash).toBe(open.modelHash);
    const { db } = lent.coordinator.store;
    const shown = (run: string) =>
      db
        .select({
          round: rounds.round,
          fit: rounds.fitMetrics,
          evaluated: rounds.evaluateMetrics,
          saturated: rounds.saturated,
          accepted: rounds.accepted,
        })
        .from(rounds)
        .where(eq(rounds.runId, run))
        .orderBy(rounds.round);
    expect(await shown(hidden.id)).toEqual(await shown(open.runId));

    const answers = await db.select().from(tasks).where(eq(tasks.runId, hidden.id));
    expect(new Set(answers.map(({ state, weight, metrics }) => JSON.stringify({ state, weight, metrics })))).toEqual(
      new Set([JSON.stringify({ state: "accepted", weight: 0, metrics: {} })]),
    );
    const steps = await db.select().from(sumSteps).where(eq(sumSteps.runId, hidden.id));
    // Two rounds; the first round's model is judged with the second's updates, the last one by itself.
    expect(steps.map(({ step }) => step).toSorted()).toEqual(
      ["keys", "shares", "vector", "survivors", "unmask"].flatMap((step) => [step, step, step]).toSorted(),
    );
    const events = [];
    for await (const { type, payload } of hidden.events()) if (type === "round-judged" || type === "round-committed") events.push(payload);
    const [first, second] = await shown(open.runId);
    expect(events).toMatchObject([
      { round: 1, evaluated: null },
      { round: 1, evaluated: first!.evaluated },
      { round: 2, evaluated: second!.evaluated },
    ]);
    const { run, rounds: shownRounds } = await hidden.show();
    expect(shownRounds.map(({ sums }) => sums.map(({ kind, graph, parties, threshold }) => ({ kind, graph, parties, threshold })))).toEqual([
      [{ kind: "fit", graph: "complete", parties: NAMES.length, threshold: 4 }],
      ["fit", "evaluate"].map((kind) => ({ kind, graph: "complete", parties: NAMES.length, threshold: 4 })),
    ]);
    expect(shownRounds[0]!.sums[0]!.steps.map(({ step, taken, dropped }) => ({ step, taken, dropped }))).toEqual(
      ["keys", "shares", "vector", "survivors", "unmask"].map((step) => ({ step, taken: NAMES.length, dropped: [] })),
    );
    expect(JSON.parse(run.exposureJson)).toEqual(exposure(JSON.parse(run.planJson) as RunPlan));
    // Nobody needs the shares any more.
    await eventually(async () => ((await db.select().from(sumContributions)).length === 0 ? true : undefined));
  });

  it("sums a strategy's own vectors and sums as well", async () => {
    const changes = { strategy: { kind: "scaffold" as const }, train: { optimiser: { kind: "sgd" as const, learningRate: 0.2 }, batchSize: 8 } };
    const open = await (await start({ ...changes, protection: { kind: "none" } })).result();
    const hidden = await (await start({ ...changes, protection: SECAGG })).result();
    expect(hidden.modelHash).toBe(open.modelHash);
  });
});

describe("a node that falls away in the middle of a sum", () => {
  it("is left out when it had not sent its vector, and the sum goes on", async () => {
    await nodes.get("fir")![Symbol.asyncDispose]();
    const journal = folderSumJournal(lent.folderOf("fir"));
    const killed = killing("fir");
    await work("fir", { ...journal, keepVector: () => killed.here() });
    const run = await start({ protection: SECAGG, cohort: { quorum: 4, deadlineSeconds: 8 }, rounds: 1, evaluate: { every: 0 } });
    await killed.done;
    await work("fir");
    const result = await run.result();
    const [row] = await lent.coordinator.store.db
      .select({ accepted: rounds.accepted })
      .from(rounds)
      .where(and(eq(rounds.runId, run.id), eq(rounds.state, "committed")));
    expect(row!.accepted).toEqual(["ash", "birch", "cedar", "elm"]);
    const [shown] = (await run.show()).rounds;
    expect(shown!.sums[0]!.steps.filter(({ dropped }) => dropped.length > 0).map(({ step, dropped }) => ({ step, dropped }))).toEqual([
      { step: "vector", dropped: ["fir"] },
    ]);
    expect(result.modelHash).toMatch(/^[0-9a-f]{64}$/);
    const [own] = await lent.coordinator.store.db
      .select({ code: tasks.reasonCode, reason: tasks.reason })
      .from(tasks)
      .where(and(eq(tasks.runId, run.id), eq(tasks.party, "fir")));
    expect(own).toMatchObject({ code: "SUM_REFUSED", reason: expect.stringContaining("lost its keys: it was restarted") as string });
  }, 60_000);

  it("sends exactly the vector that it had made ready, and counts", async () => {
    await nodes.get("elm")![Symbol.asyncDispose]();
    const journal = folderSumJournal(lent.folderOf("elm"));
    const killed = killing("elm");
    let masked: Uint8Array | undefined;
    await work("elm", {
      ...journal,
      keepVector: async (sum, bytes) => {
        masked = Uint8Array.from(bytes);
        await journal.keepVector(sum, bytes);
        await killed.here();
      },
    });
    const run = await start({ protection: SECAGG, rounds: 1, evaluate: { every: 0 } });
    await killed.done;
    await work("elm");
    const result = await run.result();
    const { db } = lent.coordinator.store;
    const [sent] = await db
      .select({ hash: tasks.blobHash })
      .from(tasks)
      .where(and(eq(tasks.runId, run.id), eq(tasks.party, "elm"), eq(tasks.kind, "fit")));
    expect(sent!.hash).toBe(createHash("sha256").update(masked!).digest("hex"));
    const [answered] = await db
      .select({ parties: sumSteps.parties })
      .from(sumSteps)
      .where(and(eq(sumSteps.runId, run.id), eq(sumSteps.step, "unmask")));
    // All but elm, the fourth.
    expect([...answered!.parties]).toEqual([0b10111]);
    expect(result.modelHash).toBe((await (await start({ protection: { kind: "none" }, rounds: 1, evaluate: { every: 0 } })).result()).modelHash);
  }, 90_000);
});

describe("a node at work in a sum", () => {
  it("is wanted until its sum is unmasked, though its vector has arrived", async () => {
    await nodes.get("cedar")![Symbol.asyncDispose]();
    const { identity } = await loadIdentity(lent.folderOf("cedar"));
    const journal = folderSumJournal(lent.folderOf("cedar"));
    const asked: { readonly task: string; readonly cancelled: readonly string[] }[] = [];
    const beat = async (task: string) => {
      const session = await openTestSession(lent.url, identity);
      const { cancelledTaskIds } = await session.call((client) => client.heartbeat({ taskIds: [task] }));
      asked.push({ task, cancelled: cancelledTaskIds });
      await session.transport.close();
    };
    await work("cedar", {
      ...journal,
      append: async (entry) => {
        if (entry.step === "answered") await beat(entry.taskId);
        return journal.append(entry);
      },
    });
    await (await start({ protection: SECAGG, rounds: 1, evaluate: { every: 0 } })).result();
    expect(asked).toEqual([{ task: expect.any(String) as string, cancelled: [] }]);
    await beat(asked[0]!.task);
    expect(asked[1]!.cancelled).toEqual([asked[0]!.task]);
  });
});

describe("an evaluation by fewer parties than a sum may have", () => {
  it("is not made, and leaves nobody with something to do", async () => {
    for (const name of ["ash", "birch", "cedar"]) {
      await nodes.get(name)![Symbol.asyncDispose]();
      await work(name, undefined, 0);
    }
    const run = await start({ protection: SECAGG, rounds: 2 });
    await run.result();
    const { db } = lent.coordinator.store;
    const evaluated = await db.select({ evaluated: rounds.evaluateMetrics }).from(rounds).where(eq(rounds.runId, run.id));
    expect(evaluated).toEqual([{ evaluated: null }, { evaluated: null }]);
    const states = await db
      .select({ state: tasks.state })
      .from(tasks)
      .where(and(eq(tasks.runId, run.id), eq(tasks.kind, "evaluate")));
    expect(new Set(states.map(({ state }) => state))).toEqual(new Set(["expired"]));
    // Figures that rode with the updates of five would be those of two.
    expect(await lent.nexus.runs.plan(spec({ protection: SECAGG }))).toMatchObject({ plan: { protection: { metricsRide: false } } });
  });
});

describe("a plan", () => {
  it("is refused without as many organisations as a sum needs, and says what to do", async () => {
    const planned = await lent.nexus.runs.plan(spec({ protection: { ...SECAGG, kMin: 6 } }));
    expect(planned).toMatchObject({
      ok: false,
      refusals: [{ path: "protection.kMin", reason: expect.stringContaining("5 organisations") as string }, { path: "cohort.size" }],
    });
    const few = await lent.nexus.runs.plan(spec({ protection: SECAGG, cohort: { quorum: 2 } }));
    expect(few).toMatchObject({ ok: false, refusals: [{ path: "cohort.quorum", edits: [{ value: 4 }] }] });
  });

  it("is refused where a party's software cannot mask, until it connects with one that can", async () => {
    const { identity } = await loadIdentity(lent.folderOf("ash"));
    await nodes.get("ash")![Symbol.asyncDispose]();
    await using transport = connectTransport({ baseUrl: lent.url });
    const client = createClient(NodeService, transport.rpc);
    const { nodeId, key } = identity;
    const { nonce } = await client.challenge({ nodeId });
    const opening = { nodeId, nonce, kernelBuild: (await loadKernel()).build, softwareVersion: "another" };
    await client.openSession({ ...opening, signature: await sign(key, sessionBytes(opening)) });
    const planned = await lent.nexus.runs.plan(spec({ protection: SECAGG }));
    expect(planned).toMatchObject({
      ok: false,
      refusals: [{ path: "protection.kind", reason: expect.stringContaining("The node ash runs software that cannot mask") as string }],
    });
    expect(await lent.nexus.runs.plan(spec({ protection: { kind: "none" } }))).toMatchObject({ ok: true });
    await work("ash");
    expect(await lent.nexus.runs.plan(spec({ protection: SECAGG }))).toMatchObject({ ok: true });
  });

  it("tells the parameters with what is assumed", async () => {
    const planned = await lent.nexus.runs.plan(spec({ protection: SECAGG }));
    expect(planned).toMatchObject({
      ok: true,
      plan: { protection: { kind: "secagg", graph: "complete", holders: 5, threshold: 4, corrupt: 2, bits: 19, kMin: 3 } },
    });
  });
});
