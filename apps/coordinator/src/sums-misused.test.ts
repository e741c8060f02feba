import { folderRoster, folderSumJournal, loadIdentity, type SumJournal } from "@ciphernx/ai/federation/node";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { tasks } from "@ciphernx/core/store";
import { and, asc, eq } from "@ciphernx/core/store/sql";
import type { SumContribution, TakeSumStepRequest } from "@ciphernx/protocol/proto";
import type { Transport } from "@ciphernx/protocol/wire";
import { connectTransport } from "@ciphernx/protocol/wire/connect";
import type { Transport as RpcTransport } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type RosteredProject, rosteredProject } from "./rostered-project.fixture.ts";
import { classRows, rowsSpec, startWork, testCoordinator, type TestCoordinator, type WorkingNode } from "./test-coordinator.fixture.ts";

const HONEST = ["ash", "birch", "cedar", "elm"] as const;
/** The party that does what it should not; everything but what a test changes is a node's own code. */
const HOSTILE = "fir";

let lent: TestCoordinator;
let project: RosteredProject;
let hostile: WorkingNode | undefined;
const stack = new AsyncDisposableStack();

const SPEC = rowsSpec({ encoding: { range: 1, bits: 16 }, protection: { kind: "secagg" }, rounds: 1, evaluate: { every: 0 } });
const start = (changes: Partial<RunSpecInput> = {}) => lent.nexus.runs.start({ ...SPEC, ...changes }, { signer: project.signer });

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  project = stack.use(await rosteredProject(lent, new Map([...HONEST, HOSTILE].map((name) => [name, `org-of-${name}`]))));
  for (const name of HONEST) stack.use(await work(name));
}, 60_000);
afterAll(async () => {
  await hostile?.[Symbol.asyncDispose]();
  await stack.disposeAsync();
});

interface Deviation {
  /** Changes what the node asks for, or hands in. */
  readonly change?: (request: TakeSumStepRequest) => void;
  readonly sums?: (journal: SumJournal) => Partial<SumJournal>;
}

async function work(name: string, { change, sums }: Deviation = {}): Promise<WorkingNode> {
  const folder = lent.folderOf(name);
  const { identity } = await loadIdentity(folder);
  const journal = folderSumJournal(folder);
  const connect = (token: () => string | undefined): Transport => {
    const transport = connectTransport({ baseUrl: lent.url, token });
    const unary: RpcTransport["unary"] = (method, signal, timeoutMs, header, message, values) => {
      if (method.name === "TakeSumStep") change?.(message as unknown as TakeSumStepRequest);
      return transport.rpc.unary(method, signal, timeoutMs, header, message, values);
    };
    return { ...transport, rpc: { ...transport.rpc, unary } };
  };
  return startWork(lent.url, identity, {
    ...{ rows: classRows(name, 30, 6), roster: await folderRoster(folder, identity), sums: { ...journal, ...sums?.(journal) } },
    connection: { connect, renew: () => Promise.resolve(false) },
  });
}

async function deviate(deviation: Deviation): Promise<void> {
  await hostile?.[Symbol.asyncDispose]();
  hostile = await work(HOSTILE, deviation);
}

/** Flips a bit of bytes. */
function spoil(bytes: Uint8Array): void {
  bytes[7]! ^= 4;
}

/** Changes a step as it is handed in. */
function changing<Case extends NonNullable<SumContribution["step"]["case"]>>(
  step: Case,
  change: (value: NonNullable<Extract<SumContribution["step"], { case: Case }>["value"]>) => unknown,
): Deviation {
  return {
    change({ contribution }) {
      if (contribution?.step.case === step) change(contribution.step.value as never);
    },
  };
}

const tasksOf = (run: string, party: string) =>
  lent.coordinator.store.db
    .select({ state: tasks.state, code: tasks.reasonCode, reason: tasks.reason })
    .from(tasks)
    .where(and(eq(tasks.runId, run), eq(tasks.party, party)))
    .orderBy(asc(tasks.attempt));

async function refusals(run: Awaited<ReturnType<typeof start>>): Promise<readonly { readonly party: string; readonly message: string }[]> {
  const events = await Array.fromAsync(run.events({ follow: false }));
  return events.flatMap((event) => (event.type === "answer-refused" ? [event.payload] : []));
}

describe("a party that deviates before its vector is in", () => {
  const cohort = { quorum: 4 };
  it.each<[string, Deviation, string]>([
    ["signs other keys than it shows", changing("keys", ({ maskKey }) => spoil(maskKey)), "did not sign these keys for this attempt"],
    ["shows the keys of another place", changing("keys", (keys) => (keys.party = 0)), "knows nobody in place 0"],
    [
      "deals no share to one of its holders",
      changing("shares", ({ shares }) => void shares.pop()),
      "did not deal one pair of shares to each of its 4 holders",
    ],
    ["deals twice to the same", changing("shares", ({ shares }) => (shares[0]!.party = shares[1]!.party)), "did not deal one pair of shares to each"],
    [
      "answers before it is asked",
      {
        change({ contribution }) {
          if (contribution?.step.case === "shares") contribution.step = { case: "survivors", value: new Uint8Array(64) };
        },
      },
      'did not take the step "vector"',
    ],
  ])("is named and left out, and the sum goes on: %s", async (_, deviation, reason) => {
    await deviate(deviation);
    const run = await start({ cohort });
    await run.result();
    const [shown] = (await run.show()).rounds;
    expect(shown).toMatchObject({ state: "committed", attempt: 1 });
    expect(await tasksOf(run.id, HOSTILE)).toEqual([
      { state: "rejected", code: "UPDATE_REJECTED", reason: expect.stringContaining(reason) as string },
    ]);
    expect((await refusals(run)).map(({ party }) => party)).toEqual([HOSTILE]);
    expect(shown!.sums[0]!.steps.find(({ step }) => step === "vector")!.taken).toBe(4);
  });
});

describe("a party that sends a vector for which it has exchanged no keys", () => {
  it("is left out, and the others' sum goes on", async () => {
    let isRestored = false;
    let sizeBytes = 0;
    await deviate({
      // As a node has it after it was restarted, where the coordinator knows nothing of its keys.
      sums: (journal) => ({
        vector: async () => ((isRestored = true), new Uint8Array(sizeBytes)),
        entries: (run) => journal.entries(run),
      }),
    });
    const planned = await lent.nexus.runs.plan(SPEC);
    if (planned.ok) sizeBytes = planned.plan.updateBytes;
    const run = await start({ cohort: { quorum: 4 } });
    await run.result();
    expect(isRestored).toBe(true);
    const [shown] = (await run.show()).rounds;
    expect(shown).toMatchObject({ state: "committed", attempt: 1 });
    expect(shown!.sums[0]!.steps.map(({ taken }) => taken)).toEqual([4, 4, 4, 4, 4]);
  });
});

describe("a party that deviates once its vector is in", () => {
  it.each<[string, Deviation, string | undefined]>([
    ["signs another list of survivors", changing("survivors", (signature) => spoil(signature)), "did not sign this list of survivors"],
    ["gives away wrong shares", changing("unmask", ({ shares }) => shares.forEach(({ share }) => spoil(share))), undefined],
    ["gives away no shares", changing("unmask", ({ shares }) => void shares.splice(0)), undefined],
  ])("spoils nothing, and its update stays in the sum: %s", async (_, deviation, reason) => {
    await deviate({});
    const open = await (await start({ protection: { kind: "none" } })).result();
    await deviate(deviation);
    const run = await start();
    expect((await run.result()).modelHash).toBe(open.modelHash);
    const [shown] = (await run.show()).rounds;
    expect(shown).toMatchObject({ attempt: 1 });
    const told = await refusals(run);
    expect(told.map(({ party }) => party)).toEqual(reason === undefined ? [] : [HOSTILE]);
    if (reason !== undefined) expect(told[0]!.message).toContain(reason);
  });
});

describe("a party whose shares nobody can open", () => {
  it("has the attempt given up in its name, since its own mask cannot be taken off", async () => {
    await deviate(changing("shares", ({ shares }) => shares.forEach(({ ciphertext }) => spoil(ciphertext))));
    const run = await start({ cohort: { attempts: 1 } });
    await expect(run.result()).rejects.toMatchObject({
      code: "RUN_FAILED",
      message: expect.stringMatching(/no sum that can be used in 1 attempt: .*fir/) as string,
    });
  });
});

describe("a party that sends garbage in the place of its masked vector", () => {
  it("spoils the attempt: the sum is none that updates add up to, and nobody is named", async () => {
    await deviate({
      sums: (journal) => ({
        async keepVector(sum, bytes) {
          // The same bytes go out next.
          bytes.forEach((byte, index) => (bytes[index] = byte ^ (index * 37 + 11)));
          await journal.keepVector(sum, bytes);
        },
      }),
    });
    const run = await start({ cohort: { attempts: 1 } });
    await expect(run.result()).rejects.toMatchObject({
      message: expect.stringMatching(/no sum that can be used in 1 attempt: The sum of 5 updates is none that updates add up to/) as string,
    });
    expect(await refusals(run)).toEqual([]);
    expect((await run.show()).rounds.map(({ state }) => state)).toEqual(["abandoned"]);
  });
});

describe("a node that asks for what is not its own", () => {
  it("takes no step of another's task", async () => {
    await deviate({});
    const run = await start();
    await run.result();
    const [{ id } = { id: "" }] = await lent.coordinator.store.db
      .select({ id: tasks.id })
      .from(tasks)
      .where(and(eq(tasks.runId, run.id), eq(tasks.party, "ash")));
    const asked = Promise.withResolvers<void>();
    await deviate({
      change(request) {
        request.taskId = id;
        asked.resolve();
      },
    });
    const other = await start({ cohort: { quorum: 4 } });
    await asked.promise;
    await hostile![Symbol.asyncDispose]();
    hostile = undefined;
    await other.result();
    expect((await tasksOf(other.id, HOSTILE))[0]!.state).not.toBe("accepted");
  });
});
