import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { writeDescriptor } from "@ciphernx/ai/data/node";
import { randomStream } from "@ciphernx/ai/random";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Finished, runNexus } from "../testing/nexus-process.ts";

const SCHEMA = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "patient", role: "id", type: "text" },
    { name: "age", role: "feature", type: "number", range: [0, 120] },
    { name: "pain", role: "feature", type: "category", categories: ["typical", "atypical", "none"] },
    { name: "pressure", role: "feature", type: "number", range: [60, 240] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
} as const;

const spec = (data: string, preprocess: unknown): string =>
  JSON.stringify({
    version: 1,
    name: "hearts",
    seed: 7,
    protection: { kind: "none" },
    rounds: 3,
    data: { dataset: "heart" },
    preprocess,
    model: { kind: "mlp", hidden: [6] },
    train: { optimiser: { kind: "sgd", learningRate: 0.2 }, batchSize: 16 },
    simulation: { source: { data, schema: "schema.json" }, parties: 2, partition: { kind: "iid" } },
  });

/** Patients, some cells of whom are not known; `older` years are added to their ages. */
function patients(name: string, count: number, older = 0): string {
  const random = randomStream(5, "patients", name);
  const lines = Array.from({ length: count }, (_, row) => {
    const age = 20 + older + random.below(60);
    const pain = SCHEMA.columns[2].categories[random.below(3)]!;
    const ill = age - older + (pain === "typical" ? 30 : 0) > 70 ? "yes" : "no";
    const cells = [age, pain, 90 + random.below(90)].map((cell) => (random.uniform() < 0.1 ? "" : cell));
    return [`p${row}`, ...cells, ill].join(",");
  });
  return `patient,age,pain,pressure,ill\n${lines.join("\n")}\n`;
}

let folder: string;
const at = (...parts: readonly string[]): string => join(folder, ...parts);

/** The data folder knows no coordinator: what works here needs none. */
function nexus(...args: readonly string[]): Promise<Finished> {
  return runNexus(args, { env: { NEXUS_HOME: at("home") } });
}

async function printed(...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await nexus(...args);
  expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: "" });
  return stdout;
}

async function failure(...args: readonly string[]): Promise<unknown> {
  const { code, stdout } = await nexus(...args, "--json");
  return { code, ...(JSON.parse(stdout) as object) };
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-gaps-"));
  await writeFile(at("schema.json"), JSON.stringify(SCHEMA));
  await writeFile(at("train.csv"), patients("train", 300));
  await writeFile(at("older.csv"), patients("older", 120, 35));
  await writeFile(at("fills.json"), spec("train.csv", { numbers: { impute: "mean", indicate: true }, categories: { impute: "category" } }));
  await writeFile(at("aged.csv"), patients("train", 300).replaceAll(/^(p\d+),,/gm, "$1,50,"));
  await writeFile(at("strict.json"), spec("aged.csv", { columns: { age: { impute: "none" } } }));
  await Promise.all(
    ["fills", "strict"].map((name) => printed("sim", at(`${name}.json`), "--workers", "1", "--output", at(`${name}.safetensors`), "--quiet")),
  );
});

afterAll(() => rm(folder, { recursive: true, force: true }));

it("judges rows with gaps alike from CSV and JSONL, whole ones as before", async () => {
  const rows = [
    ["a", 63, "typical", 145],
    ["b", null, "none", 120],
    ["c", 41, null, null],
    ["d", null, null, null],
  ] as const;
  const names = ["patient", "age", "pain", "pressure"];
  await writeFile(at("new.csv"), [names.join(","), ...rows.map((row) => row.map((cell) => cell ?? "").join(","))].join("\n"));
  const objects = rows.map((row) => Object.fromEntries(row.map((cell, index) => [names[index]!, cell])));
  await writeFile(at("new.jsonl"), objects.map((row) => JSON.stringify(row)).join("\n"));
  const [csv, jsonl, alone] = await Promise.all([
    printed("predict", at("fills.safetensors"), "--data", at("new.csv")),
    printed("predict", at("fills.safetensors"), "--data", at("new.jsonl")),
    writeFile(at("one.csv"), `${names.join(",")}\na,63,typical,145\n`).then(() =>
      printed("predict", at("fills.safetensors"), "--data", at("one.csv")),
    ),
  ]);
  expect(csv).toBe(jsonl);
  const lines = csv.trim().split("\n");
  expect(lines.map((line) => line.split(",")[0])).toEqual(["patient", "a", "b", "c", "d"]);
  expect(alone.trim().split("\n")[1]).toBe(lines[1]);
  const probabilities = lines.slice(1).map((line) => Number(line.split(",")[3]));
  expect(new Set(probabilities).size).toBe(4);
  for (const probability of probabilities) expect(probability > 0 && probability < 1).toBe(true);
  expect(await printed("predict", "--help")).toContain("missing cell is filled");
});

it("refuses gaps that the model fills nothing into, and names their column", async () => {
  await writeFile(at("gap.csv"), "patient,age,pain,pressure\na,,typical,120\nb,44,,\n");
  expect(await failure("predict", at("strict.safetensors"), "--data", at("gap.csv"))).toMatchObject({
    code: 1,
    error: { code: "DATA_INVALID", details: { missing: [{ column: "age", count: 1 }] } },
  });
});

it("becomes an ONNX file that says which preprocessing is in it", async () => {
  await printed("model", "export", at("fills.safetensors"), "--output", at("fills.onnx"));
  const { lineage } = JSON.parse(await readFile(at("fills.card.json"), "utf8")) as { readonly lineage: { readonly preprocessingHash: string } };
  expect(lineage.preprocessingHash).toMatch(/^[0-9a-f]{64}$/);
  expect((await readFile(at("fills.onnx"))).includes(lineage.preprocessingHash)).toBe(true);
});

it("compares a node's rows with those that the model learnt from, without any coordinator", async () => {
  await printed("dataset", "split", at("fills.json"), "--output", at("parties"));
  const columns = SCHEMA.columns.map((column) => ("range" in column ? { name: column.name, role: column.role, type: column.type } : column));
  const schema = { ...SCHEMA, columns } as unknown as Parameters<typeof writeDescriptor>[1]["schema"];
  await writeDescriptor(at("older"), {
    formatVersion: 1,
    name: "heart",
    schema,
    files: { format: "csv", train: "../../older.csv" },
    holdOut: { fraction: 0.25, seed: 0 },
  });
  const show = (node: string, ...more: readonly string[]) => [
    "dataset",
    "show",
    "heart",
    "--folder",
    node,
    "--model",
    at("fills.safetensors"),
    ...more,
  ];
  const [same, older, json, quiet] = await Promise.all([
    printed(...show(at("parties", "party-01"))),
    printed(...show(at("older"))),
    printed(...show(at("older"), "--json")),
    printed(...show(at("older"), "--quiet")),
  ]);
  expect(same).toContain("150 rows of heart, compared with the 300 rows that the model hearts learnt from.");
  expect(same).not.toContain("drifted far (PSI");
  expect(older).toContain("1 of 3 columns drifted far (PSI above 0.25): age.");
  expect(older).toMatch(/^age +\d\.\d\d +0\.\d\d +large /m);
  expect(quiet).toBe("age\n");
  expect(JSON.parse(json)).toMatchObject({
    status: "ok",
    data: {
      dataset: "heart",
      model: { name: "hearts" },
      drift: { rows: 120, trainedRows: 300, mismatches: [], columns: [{ column: "age", band: "large" }, {}, {}] },
    },
  });
});

it("says why rows and a model cannot be compared", async () => {
  const card = JSON.parse(await readFile(at("fills.card.json"), "utf8")) as {
    readonly model: { readonly network: object };
    readonly data: Readonly<Record<string, unknown>>;
  };
  const { preprocessing: _, ...data } = card.data;
  // Of a model that learnt from the columns as they are.
  const model = { ...card.model, network: { ...card.model.network, inputLength: SCHEMA.columns.filter(({ role }) => role === "feature").length } };
  await writeFile(at("bare.safetensors"), await readFile(at("fills.safetensors")));
  await writeFile(at("bare.card.json"), JSON.stringify({ ...card, model, data }));
  const show = (name: string, ...more: readonly string[]) => failure("dataset", "show", name, ...more);
  expect(
    await Promise.all([
      show("heart", "--folder", at("older"), "--model", at("bare.safetensors")),
      show("heat", "--folder", at("older"), "--model", at("fills.safetensors")),
      show("heart", "--model", at("fills.safetensors")),
      show("heart", "--folder", at("older"), "--model", at("nowhere.safetensors")),
      show("heart", "--folder", at("older"), "--model", "mdl_4kz7"),
    ]),
  ).toMatchObject([
    { code: 1, error: { code: "MODEL_NOT_USABLE", message: expect.stringContaining("keeps nothing of the rows") as string } },
    { code: 1, error: { code: "DATASET_NOT_FOUND", message: expect.stringContaining('is it "heart"?') as string } },
    { code: 2, error: { code: "USAGE" } },
    { code: 1, error: { code: "MODEL_NOT_FOUND" } },
    { code: 4, error: { code: "COORDINATOR_UNREACHABLE" } },
  ]);
});
