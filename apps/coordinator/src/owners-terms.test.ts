import type { DatasetTerms } from "@ciphernx/ai/data";
import { setTerms, writeDescriptor } from "@ciphernx/ai/data/node";
import { folderApprovals, folderGuard, readDecisions } from "@ciphernx/ai/federation/node";
import { parseRunSpec, runSpecHash, type RunSpecInput } from "@ciphernx/ai/spec";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { classRows, ROWS_SCHEMA, rowsSpec, startWork, testCoordinator, type TestCoordinator } from "./test-coordinator.fixture.ts";

const ROWS = classRows("ash", 20, 4);
const APPROVED: DatasetTerms = { runs: "approved", protections: ["none"] };
let lent: TestCoordinator;
let folder: string;
/** What happens at ash before each fit, and how many there were. */
let before: (round: number) => Promise<unknown>;
let fits: number;
const stack = new AsyncDisposableStack();

beforeAll(async () => {
  lent = stack.use(await testCoordinator());
  folder = lent.folderOf("ash");
  const ash = await lent.join("ash");
  await writeDescriptor(folder, {
    formatVersion: 1,
    name: "rows",
    schema: ROWS_SCHEMA,
    files: { format: "npz", train: { file: "rows.npz", features: "x", targets: "y" } },
  });
  const guard = folderGuard({ folder, facts: () => Promise.resolve({ schema: ROWS_SCHEMA, trainExamples: 20, testExamples: 4 }) });
  const count = async ({ round }: { readonly round: number }) => {
    fits += 1;
    await before(round);
  };
  stack.use(
    await startWork(lent.url, ash, {
      rows: ROWS,
      guard,
      change: (trainer) => ({ ...trainer, fit: async (task) => (await count(task), trainer.fit(task)) }),
    }),
  );
  stack.use(await startWork(lent.url, await lent.join("birch"), { rows: classRows("birch", 20, 4) }));
});
afterAll(() => stack.disposeAsync());

async function start(changes: Partial<RunSpecInput> = {}) {
  before = () => Promise.resolve();
  fits = 0;
  const spec = parseRunSpec(rowsSpec({ cohort: { deadlineSeconds: 30, attempts: 1 }, ...changes }));
  return { run: await lent.nexus.runs.start(spec), specHash: runSpecHash(spec) };
}

const approve = (specHash: string) => folderApprovals(folder).write({ dataset: "rows", specHash, approvedAt: new Date().toISOString() });

describe("the owner of a party's rows decides, over sockets", () => {
  it("a run that nobody approved fails by name, and goes on once it is approved", async () => {
    await setTerms(folder, "rows", APPROVED);
    const { run, specHash } = await start();
    await expect(run.result()).rejects.toMatchObject({
      message: expect.stringMatching(
        new RegExp(
          `QUORUM_NOT_REACHED.*ash failed \\(APPROVAL_REQUIRED: The owner of "rows" at ash approves each run, and spec ${specHash} is not approved\\)`,
        ),
      ) as string,
    });
    expect(fits).toBe(0);
    await approve(specHash);
    await run.resume();
    expect((await run.result()).modelHash).toMatch(/^[0-9a-f]{64}$/);
    expect(await readDecisions(folder)).toMatchObject([{ act: "refused", code: "APPROVAL_REQUIRED", run: run.id, round: 1 }]);
  });

  it("what is revoked in the middle of a fit is not sent, and the next task is refused", async () => {
    await setTerms(folder, "rows", APPROVED);
    const { run, specHash } = await start({ seed: 8 });
    await expect(run.result()).rejects.toThrow("APPROVAL_REQUIRED");
    await approve(specHash);
    before = (round) => (round === 2 ? folderApprovals(folder).remove("rows", specHash) : Promise.resolve());
    await run.resume();
    await expect(run.result()).rejects.toThrow(/Round 2 .*ash failed \(APPROVAL_REQUIRED/);
    expect(fits).toBe(2);
    await run.resume();
    await expect(run.result()).rejects.toThrow(/Round 2 .*ash failed \(APPROVAL_REQUIRED/);
    expect(fits).toBe(2);
    before = () => Promise.resolve();
    await approve(specHash);
    await run.resume();
    await run.result();
  });

  it("a run that breaks a term is refused with what it asks for and what is allowed", async () => {
    await setTerms(folder, "rows", { runs: "any", protections: ["none"], maxEpochs: 1, maxRounds: 2 });
    const { run } = await start();
    await expect(run.result()).rejects.toThrow(
      'ash failed (TERMS_REFUSED: The terms of "rows" at ash refuse the run. maxRounds: it asks for 3 rounds, the owner allows 2)',
    );
    const kept = await start({ rounds: 2 });
    await kept.run.result();
    expect(fits).toBe(2);
  });
});
