import { nodes, openStore, projects, rounds, runs, tasks } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { temporaryFolder, testDatabase } from "@ciphernx/core/store/testing";
import { expect, it } from "vitest";
import { compileOrThrow, parseRunSpec, type TaskPlan } from "../../spec/index.ts";
import { hasParty } from "../../spec/party-tree.ts";
import { createDeliveries } from "./deliver.ts";
import { createRunDocumentCache } from "./run-documents.ts";

const MODEL = "a".repeat(64);
/** More than two statements take. */
const INVITED = 300;
const IDLE = 20;

it("gives each of many nodes that ask at once its own task, and its place in the plan instead of the list of all", async () => {
  await using folder = await temporaryFolder();
  await using database = await testDatabase();
  await using store = await openStore({ dataDir: folder.path, databaseUrl: database.databaseUrl });
  const { db } = store;
  const names = Array.from({ length: INVITED + IDLE }, (_, index) => `party-${String(index).padStart(3, "0")}`);
  const dataset = { schema: { kind: "opaque" } as const, trainExamples: 3, testExamples: 0, contentHash: "0".repeat(64) };
  const spec = parseRunSpec({
    ...{ version: 1, name: "wide", seed: 1, protection: { kind: "none" }, rounds: 1 },
    data: { dataset: "rows" },
    model: { kind: "tensors", tensors: { w: [1] } },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  });
  const plan = compileOrThrow(spec, { kernelBuild: "build", parties: names.map((name) => ({ name, kernelBuild: "build", dataset })) });
  const attempt = { runId: "run_a", round: 1, attempt: 1, baseModelHash: MODEL, deadlineAt: new Date() };
  await db.insert(projects).values({ id: "prj_a", name: "a" });
  await db.insert(nodes).values(
    names.map((name, i) => ({
      id: `nod_${i}`,
      projectId: "prj_a",
      name,
      publicKey: new Uint8Array(32).fill(i % 256),
      status: "approved" as const,
    })),
  );
  await db.insert(runs).values({
    ...{ id: "run_a", projectId: "prj_a", name: "wide", state: "running", rounds: 1, seed: 1 },
    ...{ spec, specHash: plan.specHash, plan, initialModelHash: MODEL, modelHash: MODEL },
  });
  await db.insert(rounds).values({ ...attempt, state: "open", cohort: { parties: names.slice(0, INVITED) } });
  await db
    .insert(tasks)
    .values(
      names
        .slice(0, INVITED)
        .map((party, i) => ({ ...attempt, id: `tsk_${i}`, kind: "fit" as const, nodeId: `nod_${i}`, party, state: "waiting" as const, config: {} })),
    );

  const deliveries = createDeliveries(store, createRunDocumentCache(store));
  // One is answered while it goes out: its mark waits for that answer, and must not undo it.
  const given = await db.transaction(async (tx) => {
    await tx.update(tasks).set({ state: "failed", reasonCode: "INTERNAL" }).where(eq(tasks.id, "tsk_0"));
    return Promise.all(names.map((_, i) => deliveries.next(`nod_${i}`)));
  });
  expect(given.map((delivery) => delivery?.taskId)).toEqual(names.map((_, i) => (i < INVITED ? `tsk_${i}` : undefined)));
  for (const delivery of given.slice(0, INVITED)) {
    const sent = JSON.parse(delivery!.planJson) as TaskPlan;
    const { planned, partyIndex, partyProof } = delivery!.place(delivery!.party)!;
    expect(sent).not.toHaveProperty("parties");
    expect(planned.name).toBe(delivery!.party);
    expect(hasParty(sent, planned, { index: partyIndex, proof: partyProof })).toBe(true);
  }
  expect(given[0]!.place("sybil")).toBeUndefined();

  // Twice at the same time, and once more: whoever asks has nothing to do, so what it was given was lost.
  const again = await Promise.all([deliveries.next("nod_7"), deliveries.next("nod_7")]);
  expect([...again, await deliveries.next("nod_7")].map((delivery) => delivery?.taskId)).toEqual(["tsk_7", "tsk_7", "tsk_7"]);

  // Marked after they went out.
  await expect
    .poll(async () => {
      const rows = await db.select({ state: tasks.state, at: tasks.deliveredAt }).from(tasks).orderBy(tasks.createdAt, tasks.id);
      return rows
        .filter(({ at }) => at !== null)
        .map(({ state }) => state)
        .toSorted();
    })
    .toEqual([...Array.from({ length: INVITED - 1 }, () => "delivered"), "failed"]);
});
