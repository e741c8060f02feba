import { folderRoster, loadIdentity } from "@ciphernx/ai/federation/node";
import { sumSteps } from "@ciphernx/core/store";
import { and, eq } from "@ciphernx/core/store/sql";
import { afterAll, beforeAll, expect, it } from "vitest";
import { rosteredProject, type RosteredProject } from "./rostered-project.fixture.ts";
import { classRows, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

/** More than hold shares of everybody: each draws who holds its own. */
const NAMES = Array.from({ length: 60 }, (_, index) => `node-${String(index).padStart(2, "0")}`);

let lent: TestCoordinator;
let project: RosteredProject;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  project = stack.use(await rosteredProject(lent, new Map(NAMES.map((name, index) => [name, `org-${index % 5}`]))));
  for (const name of NAMES) {
    const { identity } = await loadIdentity(lent.folderOf(name));
    stack.use(await startWork(lent.url, identity, { rows: classRows(name, 20, 0), roster: await folderRoster(lent.folderOf(name), identity) }));
  }
}, 240_000);
afterAll(() => stack.disposeAsync());

it("sums sixty parties' vectors, each of which knows its neighbours' keys alone", { timeout: 240_000 }, async () => {
  const spec = (protection: { kind: "none" } | { kind: "secagg"; corruption: number }) =>
    rowsSpec({ protection, rounds: 1, encoding: { bits: 16 }, cohort: { quorum: 54, deadlineSeconds: 200 }, evaluate: { every: 0 } });
  const run = await lent.nexus.runs.start(spec({ kind: "secagg", corruption: 0.1 }), { signer: project.signer });
  const hidden = await run.result();
  const open = await (await lent.nexus.runs.start(spec({ kind: "none" }), { signer: project.signer })).result();
  expect(hidden.modelHash).toBe(open.modelHash);
  const { db } = lent.coordinator.store;
  const steps = await db.select({ step: sumSteps.step }).from(sumSteps).where(eq(sumSteps.runId, run.id));
  expect(steps.map(({ step }) => step).toSorted()).toEqual(["holders", "keys", "shares", "survivors", "unmask", "vector"]);
  const [answered] = await db
    .select({ parties: sumSteps.parties })
    .from(sumSteps)
    .where(and(eq(sumSteps.runId, run.id), eq(sumSteps.step, "unmask")));
  expect([...answered!.parties]).toEqual([255, 255, 255, 255, 255, 255, 255, 15]);
});
