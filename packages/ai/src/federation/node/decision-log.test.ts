import { readdir, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { expect, it } from "vitest";
import { type DatasetSchema, termsSchema } from "../../data/index.ts";
import { writeDescriptor } from "../../data/node/index.ts";
import { compileOrThrow, parseRunSpec } from "../../spec/index.ts";
import { logDecision, readDecisions, rotateDecisions } from "./decision-log.ts";
import { folderGuard } from "./folder-guard.ts";

const runsOf = async (folder: string) => (await readDecisions(folder)).map(({ run }) => run);

it("begins anew where it has become long, keeps one older log, and is read as one", async () => {
  await using folder = await temporaryFolder();
  rotateDecisions(folder.path, 1);
  expect(await readdir(folder.path)).toEqual([]);
  const note = (run: string) => logDecision(folder.path, { act: "refused", dataset: "rows", run });
  await note("run_1");
  const { size } = await stat(join(folder.path, "decisions.jsonl"));
  rotateDecisions(folder.path, size + 1);
  expect(await readdir(folder.path)).toEqual(["decisions.jsonl"]);
  rotateDecisions(folder.path, size);
  await note("run_2");
  expect((await readdir(folder.path)).toSorted()).toEqual(["decisions.jsonl", "decisions.old.jsonl"]);
  expect(await runsOf(folder.path)).toEqual(["run_1", "run_2"]);
  rotateDecisions(folder.path, size);
  await note("run_3");
  expect(await runsOf(folder.path)).toEqual(["run_2", "run_3"]);
});

it("does not grow without bound where a coordinator asks again and again", async () => {
  await using folder = await temporaryFolder();
  const schema: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "classification", classes: 3 };
  const files = { format: "npz" as const, train: { file: "rows.npz", features: "x", targets: "y" } };
  await writeDescriptor(folder.path, { formatVersion: 1, name: "rows", schema, files, terms: termsSchema.parse({ protections: ["secagg"] }) });
  const spec = parseRunSpec({
    ...{ version: 1, name: "small", seed: 1, protection: { kind: "none" }, rounds: 3, data: { dataset: "rows" }, model: { kind: "softmax" } },
    train: { optimiser: { kind: "sgd", learningRate: 1 } },
  });
  const dataset = { schema, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) };
  const plan = compileOrThrow(spec, { kernelBuild: "b", parties: [{ name: "ash", kernelBuild: "b", dataset }] });
  const guard = folderGuard({ folder: folder.path, facts: () => Promise.resolve({ schema, trainExamples: 10, testExamples: 0 }) });
  const asked = { spec, plan, specHash: plan.specHash, round: 1, party: "ash" };

  const log = join(folder.path, "decisions.jsonl");
  await writeFile(log, "");
  await truncate(log, 10_000_000);
  // Several tasks at a time: the log that one of them begins must not be moved over the one before it by the next.
  const answers = await Promise.allSettled(["run_1", "run_2", "run_3"].map((runId) => guard.admit({ ...asked, runId })));
  expect(answers.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect((await stat(join(folder.path, "decisions.old.jsonl"))).size).toBe(10_000_000);
  expect((await stat(log)).size).toBeLessThan(10_000);
  expect(new Set(await runsOf(folder.path))).toEqual(new Set(["run_1", "run_2", "run_3"]));
});
