import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import type { DatasetSchema, DatasetTerms } from "../../data/index.ts";
import { setTerms, writeDescriptor } from "../../data/node/index.ts";
import { compileOrThrow, parseRunSpec } from "../../spec/index.ts";
import { folderApprovals } from "./approvals-folder.ts";
import { logDecision, readDecisions } from "./decision-log.ts";
import { folderGuard } from "./folder-guard.ts";

const schema: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "classification", classes: 3 };
const spec = parseRunSpec({
  version: 1,
  name: "small",
  seed: 1,
  data: { dataset: "rows" },
  model: { kind: "mlp", hidden: [5] },
  train: { optimiser: { kind: "sgd", learningRate: 1 } },
  protection: { kind: "none" },
  rounds: 3,
});
const dataset = { schema, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) };
const plan = compileOrThrow(spec, { kernelBuild: "b", parties: [{ name: "ash", kernelBuild: "b", dataset }] });
const { specHash } = plan;
const task = { spec, plan, specHash, runId: "run_1", round: 1, party: "ash" };
const approval = { dataset: "rows", specHash, approvedAt: "2026-01-01T00:00:00.000Z" };

const guardOf = (folder: string) => folderGuard({ folder, facts: () => Promise.resolve({ schema, trainExamples: 10, testExamples: 0 }) });

async function nodeFolder(folder: string, terms?: Partial<DatasetTerms>) {
  await writeDescriptor(folder, {
    formatVersion: 1,
    name: "rows",
    schema,
    files: { format: "npz", train: { file: "rows.npz", features: "x", targets: "y" } },
    ...(terms === undefined ? {} : { terms: { protections: ["none"], ...terms } }),
  });
}

/** The code of a refusal; undefined when the task is let in. */
async function refusal(folder: string, changes: Partial<typeof task> = {}): Promise<string | undefined> {
  return guardOf(folder)
    .admit({ ...task, ...changes })
    .then(
      () => undefined,
      (error: { readonly code: string }) => error.code,
    );
}

describe("the owner of a dataset in a node's folder", () => {
  it("lets every run in without terms, and those that keep them with runs: any", async () => {
    await using folder = await temporaryFolder();
    await nodeFolder(folder.path);
    expect(await refusal(folder.path)).toBeUndefined();
    await setTerms(folder.path, "rows", { runs: "any", protections: ["none"], maxRounds: 3 });
    expect(await refusal(folder.path)).toBeUndefined();
    await setTerms(folder.path, "rows", { runs: "any", protections: ["none"], maxRounds: 2 });
    await expect(guardOf(folder.path).admit(task)).rejects.toMatchObject({
      code: "TERMS_REFUSED",
      message: 'The terms of "rows" at ash refuse the run. maxRounds: it asks for 3 rounds, the owner allows 2.',
      hint: expect.stringContaining(`nexus dataset terms rows --folder ${folder.path} --set FILE`) as string,
      details: { dataset: "rows", broken: [{ term: "maxRounds" }] },
    });
  });

  it("approves one spec, whole; another process of the node knows it, and revoking ends it", async () => {
    await using folder = await temporaryFolder();
    await nodeFolder(folder.path, {});
    await expect(guardOf(folder.path).admit(task)).rejects.toMatchObject({
      code: "APPROVAL_REQUIRED",
      message: `The owner of "rows" at ash approves each run, and spec ${specHash} is not approved.`,
      hint: expect.stringContaining(`nexus dataset approve rows --folder ${folder.path} --run ${specHash}`) as string,
    });
    const running = guardOf(folder.path);
    const approvals = folderApprovals(folder.path);
    await approvals.write(approval);
    await running.admit(task);
    expect(await refusal(folder.path)).toBeUndefined();
    expect(await refusal(folder.path, { specHash: "f".repeat(64) })).toBe("APPROVAL_REQUIRED");
    expect(await folderApprovals(folder.path).list("rows")).toEqual([approval]);
    expect([await approvals.remove("rows", specHash), await approvals.remove("rows", specHash)]).toEqual([true, false]);
    await expect(running.admit(task)).rejects.toMatchObject({ code: "APPROVAL_REQUIRED" });
    expect(await approvals.list("rows")).toEqual([]);
  });

  it("approves until a day; the terms hold beside an approval", async () => {
    await using folder = await temporaryFolder();
    await nodeFolder(folder.path, {});
    const approvals = folderApprovals(folder.path);
    await approvals.write({ ...approval, until: "2026-01-02" });
    await expect(guardOf(folder.path).admit(task)).rejects.toMatchObject({
      message: expect.stringContaining("was approved until 2026-01-02") as string,
    });
    await approvals.write({ ...approval, until: "9999-12-31" });
    expect(await refusal(folder.path)).toBeUndefined();
    await setTerms(folder.path, "rows", { runs: "approved", protections: ["secagg"] });
    expect(await refusal(folder.path)).toBe("TERMS_REFUSED");
    await setTerms(folder.path, "rows", { runs: "approved", protections: ["none"], expires: "2026-01-02" });
    expect(await refusal(folder.path)).toBe("TERMS_REFUSED");
  });

  it("lets nothing in when it cannot tell what the owner wants", async () => {
    await using folder = await temporaryFolder();
    expect(await refusal(folder.path)).toBe("DATA_UNREADABLE");
    await nodeFolder(folder.path, {});
    await mkdir(join(folder.path, "approvals", "rows"), { recursive: true });
    const path = join(folder.path, "approvals", "rows", `${specHash}.json`);
    for (const text of ["", "{}", JSON.stringify({ formatVersion: 1, ...approval, dataset: "other" })]) {
      await writeFile(path, text);
      expect(await refusal(folder.path)).toBe("NODE_FOLDER_INVALID");
    }
    const descriptor = join(folder.path, "datasets", "rows.json");
    await writeFile(descriptor, (await readFile(descriptor, "utf8")).replace('"approved"', '"most"'));
    expect(await refusal(folder.path)).toBe("DATA_INVALID");
  });

  it("tells nobody to run what a coordinator made up", async () => {
    await using folder = await temporaryFolder();
    await nodeFolder(folder.path, {});
    expect(await refusal(folder.path, { runId: "x`; rm -r ." })).toBe("MESSAGE_INVALID");
  });

  it("logs refusals, after a line that was never finished as well", async () => {
    await using folder = await temporaryFolder();
    await nodeFolder(folder.path, {});
    await logDecision(folder.path, { act: "approved", dataset: "rows", specHash });
    await writeFile(join(folder.path, "decisions.jsonl"), '{"at":"2026-', { flag: "a" });
    expect(await refusal(folder.path)).toBe("APPROVAL_REQUIRED");
    const decisions = await readDecisions(folder.path);
    expect(decisions).toMatchObject([
      { act: "approved", dataset: "rows", specHash },
      {
        act: "refused",
        dataset: "rows",
        specHash,
        run: "run_1",
        round: 1,
        code: "APPROVAL_REQUIRED",
        reason: expect.stringContaining(specHash) as string,
      },
    ]);
    expect(decisions.every(({ at }) => !Number.isNaN(Date.parse(at)))).toBe(true);
  });
});
