import { datasetSchema } from "@ciphernx/ai/data";
import { compileOrThrow, parseRunSpec } from "@ciphernx/ai/spec";
import { expect, it } from "vitest";
import { formatBytes } from "../output/index.ts";
import { formatPlan } from "./plan.ts";

const schema = datasetSchema.parse({
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number", range: [0, 120] },
    { name: "pain", role: "feature", type: "category", categories: ["typical", "atypical", "none"] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
});

function planOf(preprocess: object, names: readonly string[] = ["ash"]) {
  const spec = parseRunSpec({
    ...{ version: 1, name: "hearts", seed: 1, protection: { kind: "none" }, rounds: 1, data: { dataset: "heart" }, model: { kind: "logistic" } },
    ...{ train: { optimiser: { kind: "sgd", learningRate: 0.1 } }, ...preprocess },
  });
  const dataset = { schema, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) };
  return compileOrThrow(spec, { kernelBuild: "build", parties: names.map((name) => ({ name, kernelBuild: "build", dataset })) });
}

it("says that the result depends on who answers where a round need not wait for all", () => {
  const shownOf = (cohort: object) => formatPlan(planOf({ cohort }, ["ash", "birch"]));
  expect(shownOf({})).toMatch(/^reproducible {2}yes$/m);
  const shown = shownOf({ quorum: 1 });
  expect(shown).toMatch(/^reproducible {2}given the same accepted answers$/m);
  expect(shown).toContain("note          A round may close with 1 of 2 updates: the result depends on who answers in time");
});

it("says of which class figures of held-out rows are", () => {
  expect(formatPlan(planOf({}))).not.toMatch(/^held out/m);
  const shown = formatPlan(planOf({ evaluate: { metrics: ["loss", "auc", "calibration"] } }));
  expect(shown).toMatch(/^held out +auc of class "yes"; calibration$/m);
});

it("says into how many features rows are turned, and what each party tells beforehand", () => {
  const plan = planOf({ preprocess: { numbers: { indicate: true } } });
  expect(plan.preprocess!.statisticsBytes).toBeGreaterThan(1_000);
  const uploads = `each party uploads ${formatBytes(plan.preprocess!.statisticsBytes)} of counts and sums first`;
  expect(formatPlan(plan).split("\n")).toContain(`rows          2 columns become 5 features; ${uploads}`);
  expect(formatPlan(planOf({}))).not.toMatch(/^rows /m);
});
