import { expect, it } from "vitest";
import type { DatasetSchema } from "../data/index.ts";
import { compile, type CompileFacts, compileOrThrow, parseRunSpec, type RunSpecInput } from "./index.ts";

const ROWS: DatasetSchema = { kind: "tensor", shape: [4], element: "f32", scale: 1, task: "classification", classes: 3 };
const FACTS: CompileFacts = {
  kernelBuild: "build",
  parties: [{ name: "ash", kernelBuild: "build", dataset: { schema: ROWS, trainExamples: 10, testExamples: 0, contentHash: "0".repeat(64) } }],
};
const SPEC: RunSpecInput = {
  version: 1,
  name: "small",
  seed: 1,
  data: { dataset: "rows" },
  model: { kind: "mlp", hidden: [] },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  protection: { kind: "none" },
  rounds: 1,
  encoding: { bits: 8 },
};

it("a plan has room for the sums of its strategy, and says nothing of them where there are none", () => {
  const average = compileOrThrow(parseRunSpec(SPEC), FACTS);
  const nova = compileOrThrow(parseRunSpec({ ...SPEC, strategy: { kind: "fednova" } }), FACTS);
  expect(average).not.toHaveProperty("strategySums");
  expect(nova.strategySums).toEqual(["fednova.localWork"]);
  // One value of 52 bits in limbs of 7, a byte each: 15 parameters, and 4 or 5 values.
  const fileBytes = (coordinates: number) => {
    const json = `{"coordinates":{"dtype":"I8","shape":[${coordinates}],"data_offsets":[0,${coordinates}]}}`;
    return 8 + Math.ceil(json.length / 8) * 8 + coordinates;
  };
  expect([average.updateBytes, nova.updateBytes]).toEqual([fileBytes(15 + 4 * 8), fileBytes(15 + 5 * 8)]);
});

it("FedNova is refused with an optimiser whose work it does not know; its edit makes the spec run", () => {
  const spec = parseRunSpec({ ...SPEC, strategy: { kind: "fednova" }, train: { optimiser: { kind: "adam", learningRate: 0.01 } } });
  const compiled = compile(spec, FACTS);
  if (compiled.ok) throw new Error("It was compiled.");
  expect(compiled.refusals).toEqual([expect.objectContaining({ path: "train.optimiser", reason: expect.stringContaining("not of adam") as string })]);
  const [edit] = compiled.refusals[0]!.edits!;
  expect(edit!.path).toBe("strategy");
  expect(
    compile(parseRunSpec({ ...SPEC, train: { optimiser: { kind: "adam", learningRate: 0.01 } }, strategy: edit!.value as never }), FACTS),
  ).toMatchObject({
    ok: true,
  });
});
