import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatasetSchema } from "@ciphernx/ai/data";
import { initialParameters, networkLayout } from "@ciphernx/ai/nn";
import { checkpointFromOnnx, exportOnnx } from "@ciphernx/ai/onnx";
import { encodeSafetensors, viewParameters } from "@ciphernx/ai/tensor";
import { afterAll, beforeAll, expect, it } from "vitest";
import { runNexus } from "./testing/nexus-process.ts";

const network = {
  inputLength: 6,
  inputShape: [1, 2, 3],
  layers: [
    { kind: "conv2d", channels: 2, size: 2 },
    { kind: "dense", units: 3 },
  ],
  loss: "softmax-cross-entropy",
} as const;
const schema: DatasetSchema = { kind: "tensor", shape: [2, 3], element: "u8", scale: 1 / 255, task: "classification", classes: 3 };
const layout = networkLayout(network);
const parameters = initialParameters(network, 3);
const file = encodeSafetensors(viewParameters(parameters, layout));

let folder: string;
const at = (...parts: readonly string[]): string => join(folder, ...parts);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-export-model-"));
  const hash = createHash("sha256").update(file).digest("hex");
  const card = { version: 1, name: "scans", model: { hash, format: "safetensors", network }, data: { schema } };
  for (const [name, bytes] of [
    ["scans", file],
    ["other", file.toReversed()],
    ["bare", file],
  ] as const) {
    await writeFile(at(`${name}.safetensors`), bytes);
    if (name !== "bare") await writeFile(at(`${name}.card.json`), JSON.stringify(card));
  }
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it("writes a pulled model as ONNX, from which its file can be had again", async () => {
  const { code, stdout, stderr } = await runNexus(["model", "export", at("scans.safetensors"), "--output", at("out.onnx"), "--json"]);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const onnx = await readFile(at("out.onnx"));
  expect(JSON.parse(stdout)).toMatchObject({ data: { file: at("out.onnx"), format: "onnx", sizeBytes: onnx.length } });
  expect(Buffer.compare(onnx, exportOnnx({ network, parameters, name: "scans", schema, card: "scans.card.json" }))).toBe(0);
  expect(Buffer.compare(checkpointFromOnnx(onnx, layout.entries), file)).toBe(0);
});

it("writes beside the model unless it is told where, and prints the path alone for scripts", async () => {
  const { stdout } = await runNexus(["model", "export", at("scans.safetensors"), "--format", "onnx", "--quiet"]);
  expect(stdout).toBe(`${at("scans.onnx")}\n`);
  expect((await readFile(at("scans.onnx"))).length).toBeGreaterThan(file.length);
});

it.each([
  ["a file that is not the card's", "other.safetensors", "MODEL_NOT_USABLE"],
  ["a model without its card", "bare.safetensors", "MODEL_NOT_USABLE"],
  ["a file that is not there", "nowhere.safetensors", "MODEL_NOT_FOUND"],
  ["a name that says another format", "scans.safetensors", "USAGE", "--output", "scans.pt"],
])("refuses %s by name", async (_name, model, code, ...options) => {
  const { stdout } = await runNexus(["model", "export", at(model), ...options, "--json"]);
  expect(JSON.parse(stdout)).toMatchObject({ status: "error", error: { code } });
});
