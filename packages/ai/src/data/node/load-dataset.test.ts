import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DatasetDescriptorInput } from "../descriptor.ts";
import type { TableSchema } from "../dataset-schema.ts";
import { splitDataset } from "../split.ts";
import { addDataset } from "./add-dataset.ts";
import { descriptorPath, listDescriptors, readDescriptor, writeDescriptor } from "./descriptor-file.ts";
import { loadDataset } from "./load-dataset.ts";
import { readFileBytes } from "./read-file.ts";
import { writeDataset, writeSplit } from "./write-split.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ciphernx-data-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const schema: TableSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "age", role: "feature", type: "number" },
    { name: "sex", role: "feature", type: "category", categories: ["f", "m"] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};
const csv = "age,sex,ill\n50,f,no\n61.5,m,yes\n,m,no\n33,f,yes\n";
const descriptor: DatasetDescriptorInput = { formatVersion: 1, name: "heart", schema, files: { format: "csv", train: "heart.csv" } };

async function written(change: Partial<DatasetDescriptorInput> = {}, text: string | Uint8Array = csv): Promise<string> {
  const path = await writeDescriptor(folder, { ...descriptor, ...change });
  await writeFile(join(dirname(path), "heart.csv"), text);
  return path;
}

describe("loadDataset", () => {
  it("reads CSV beside its descriptor", async () => {
    const path = await written();
    expect(path).toBe(descriptorPath(folder, "heart"));
    const { train, test } = await loadDataset(path);
    expect(train).toEqual({
      features: Float32Array.of(50, 0, 61.5, 1, Number.NaN, 1, 33, 0),
      featureLength: 2,
      targets: Uint8Array.of(0, 1, 0, 1),
      count: 4,
    });
    expect(test).toBeUndefined();
    expect(await listDescriptors(folder)).toEqual(["heart"]);
    expect(await listDescriptors(join(folder, "nowhere"))).toEqual([]);
  });

  it("gives the same content hash for the same rows, whatever format, file or folder they are in", async () => {
    const plain = await loadDataset(await written());
    const zipped = await loadDataset(await written({}, gzipSync(csv)));
    const other = await loadDataset(
      await written(
        { files: { format: "csv", train: "heart.csv", delimiter: ";" } },
        '\uFEFFill;age;sex\r\nno;5e1;f\r\n"yes";61.50;m\r\nno;;"m"\r\nyes;33;f',
      ),
    );
    const asIdx = await loadDataset(await writeDataset(join(folder, "elsewhere"), "renamed", plain));
    expect([zipped, other, asIdx].map(({ contentHash }) => contentHash)).toEqual(Array.from({ length: 3 }, () => plain.contentHash));
    expect(plain.contentHash).toBe("1f327f348e5d5ccbf00d3a0fc80bb0335ce2aa61675be9bbbd7b36c9d197b192");
    await rename(join(folder, "elsewhere"), join(folder, "moved"));
    expect((await loadDataset(descriptorPath(join(folder, "moved"), "renamed"))).contentHash).toBe(plain.contentHash);
  });

  it("joins several files, takes test files, and holds rows out", async () => {
    const twice = await loadDataset(await written({ files: { format: "csv", train: ["heart.csv", "heart.csv"], test: "heart.csv" } }));
    expect([twice.train.count, twice.test?.count]).toEqual([8, 4]);
    const held = await loadDataset(await written({ holdOut: { fraction: 0.5, seed: 1 } }));
    expect([held.train.count, held.test?.count]).toEqual([2, 2]);
    expect(await loadDataset(descriptorPath(folder, "heart"))).toEqual(held);
  });

  it("keeps the texts of columns of the training rows, whatever their role", async () => {
    const columns: TableSchema["columns"] = [...schema.columns, { name: "site", role: "ignore", type: "text" }];
    const withSite = { ...schema, columns };
    const text = "site,age,sex,ill\noslo, 50 ,f,no\nbern,61.5,m,yes\n,,m,no\nrome,33,f,yes\n";
    const path = await written({ schema: withSite, files: { format: "csv", train: ["heart.csv", "heart.csv"] } }, text);
    const { train, columns: kept } = await loadDataset(path, { keep: ["site", "age"] });
    expect(train.count).toBe(8);
    expect([...(kept ?? [])]).toEqual([
      ["site", ["oslo", "bern", "", "rome", "oslo", "bern", "", "rome"]],
      ["age", ["50", "61.5", "", "33", "50", "61.5", "", "33"]],
    ]);
    expect((await loadDataset(path)).columns).toBeUndefined();
    const held = await loadDataset(await written({ schema: withSite, holdOut: { fraction: 0.5, seed: 1 } }, text), { keep: ["age"] });
    expect(held.columns?.get("age")).toEqual(Array.from({ length: 2 }, (_, row) => String(held.train.features[row * 2]).replace("NaN", "")));
    await expect(loadDataset(path, { keep: ["town"] })).rejects.toThrow('The schema has no column "town"');
    await expect(loadDataset(await written({ schema: withSite }), { keep: ["site"] })).rejects.toThrow('the column "site" is missing');
  });

  it("names the file that is not there, not readable, or no file", async () => {
    await expect(loadDataset(descriptorPath(folder, "none"))).rejects.toMatchObject({
      code: "DATA_UNREADABLE",
      message: expect.stringMatching(/none\.json does not exist/),
    });
    const path = await written({ files: { format: "csv", train: "lost.csv" } });
    await expect(loadDataset(path)).rejects.toMatchObject({
      code: "DATA_UNREADABLE",
      message: expect.stringMatching(/datasets\/lost\.csv does not exist/),
    });
    const asFolder = await written({ files: { format: "csv", train: "." } });
    await expect(loadDataset(asFolder)).rejects.toMatchObject({ code: "DATA_UNREADABLE", message: expect.stringMatching(/is a folder/) });
    if (process.getuid?.() !== 0) {
      const secret = await written();
      await chmod(join(folder, "datasets", "heart.csv"), 0);
      await expect(loadDataset(secret)).rejects.toMatchObject({ code: "DATA_UNREADABLE", message: expect.stringMatching(/may not be read/) });
    }
  });

  it.skipIf(process.platform === "win32")("does not wait for a named pipe", async () => {
    const path = await written({ files: { format: "csv", train: "pipe" } });
    execFileSync("mkfifo", [join(folder, "datasets", "pipe")]);
    await expect(loadDataset(path)).rejects.toMatchObject({ code: "DATA_UNREADABLE", message: expect.stringMatching(/not a regular file/) });
  });

  it("names file, row and column of a wrong cell", async () => {
    const path = await written({}, csv.replace("33", "many"));
    await expect(loadDataset(path)).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(/heart\.csv, row 5, column "age"/),
    });
  });

  it("refuses damaged gzip, and one that unpacks to more than is allowed", async () => {
    const zipped = gzipSync(csv + "50,f,no\n".repeat(50));
    const path = await written({}, zipped.subarray(0, zipped.length - 10));
    await expect(loadDataset(path)).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringMatching(/heart\.csv is damaged/) });
    const bomb = join(folder, "bomb.gz");
    await writeFile(bomb, gzipSync(Buffer.alloc(10_000_000)));
    await expect(readFileBytes(bomb, { maxBytes: 1_000_000 })).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(/more than 1000000 bytes once unpacked/),
    });
  });

  it("stops when it is told to", async () => {
    await expect(loadDataset(await written(), { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });

  it.skipIf(process.platform !== "linux")("leaves no file open, also when reading fails half-way", async () => {
    const openFiles = async (): Promise<number> => (await readdir("/proc/self/fd")).length;
    const path = await written({}, csv.replace("33", "many"));
    const before = await openFiles();
    for (let i = 0; i < 20; i += 1) await loadDataset(path).catch(() => undefined);
    expect(await openFiles()).toBeLessThan(before + 10);
  });
});

describe("descriptors", () => {
  it("replace each other whole", async () => {
    await written();
    await written({ holdOut: { fraction: 0.5, seed: 2 } });
    expect((await readDescriptor(descriptorPath(folder, "heart"))).holdOut).toEqual({ fraction: 0.5, seed: 2 });
    expect((await readdir(join(folder, "datasets"))).toSorted()).toEqual(["heart.csv", "heart.json"]);
  });

  it.each([
    ["{", /is not JSON/],
    ["\u0000", /is not JSON/],
    ["[]", /is not a dataset's descriptor/],
    [JSON.stringify({ ...descriptor, hold_out: 1 }), /hold_out.*Did you mean|hold_out/s],
    [JSON.stringify({ ...descriptor, formatVersion: 2 }), /formatVersion/],
    [JSON.stringify({ ...descriptor, name: "lungs" }), /describes a dataset called "lungs"/],
    [JSON.stringify({ ...descriptor, files: { format: "csv", train: "a", test: "b" }, holdOut: {} }), /not both/],
    [JSON.stringify({ ...descriptor, schema: { kind: "tensor", shape: [2], element: "f32", task: "regression" } }), /hold a table/],
  ])("refuse %j", async (text, message) => {
    await mkdir(join(folder, "datasets"));
    await writeFile(descriptorPath(folder, "heart"), text);
    await expect(readDescriptor(descriptorPath(folder, "heart"))).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(message),
    });
  });

  it("are not written when they are wrong", async () => {
    await expect(writeDescriptor(folder, { ...descriptor, name: "../heart" })).rejects.toMatchObject({ code: "DATA_INVALID" });
    expect(await readdir(folder)).toEqual([]);
  });
});

describe("addDataset", () => {
  it("infers the schema, reads every row, and refers to the files where they lie", async () => {
    await writeFile(join(folder, "heart.csv"), csv.replace("ill", "label"));
    const node = join(folder, "node");
    const added = await addDataset({ name: "heart", folder: node, csv: [join(folder, "heart.csv")], holdOut: { fraction: 0.25, seed: 0 } });
    expect(added).toMatchObject({ trainExamples: 3, testExamples: 1, missing: [{ column: "age", count: 1 }] });
    expect((await readDescriptor(added.descriptorPath)).files).toMatchObject({ train: "../../heart.csv" });
    expect((await loadDataset(added.descriptorPath)).contentHash).toBe(added.contentHash);
  });

  it("takes a schema as YAML, and IDX files", async () => {
    await writeFile(join(folder, "heart.csv"), csv);
    await writeFile(
      join(folder, "schema.yaml"),
      "kind: table\ntask: classification\ncolumns:\n  - {name: age, role: feature, type: number}\n  - {name: sex, role: ignore, type: text}\n  - {name: ill, role: label, type: category, categories: [yes, no]}\n",
    );
    const added = await addDataset({ name: "heart", folder, csv: [join(folder, "heart.csv")], schema: join(folder, "schema.yaml") });
    expect([...(await loadDataset(added.descriptorPath)).train.targets]).toEqual([1, 0, 1, 0]);
    const images = join(folder, "images");
    const labels = join(folder, "labels");
    await writeFile(images, Uint8Array.of(0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 1, 7, 9));
    await writeFile(labels, Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 2, 0, 1));
    const digits = await addDataset({ name: "digits", folder, trainImages: images, trainLabels: labels, testImages: images, testLabels: labels });
    expect(digits).toMatchObject({ trainExamples: 2, testExamples: 2, schema: { kind: "tensor", shape: [1], classes: 2 } });
  });

  it("takes a delimiter by name, and tells which one a file seems to have", async () => {
    const file = join(folder, "heart.csv");
    const options = { name: "heart", folder, csv: [file], label: "ill" };
    await writeFile(file, csv.replaceAll(",", ";"));
    await expect(addDataset(options)).rejects.toMatchObject({ code: "DATA_INVALID", hint: 'Read it with --delimiter ";".' });
    expect((await addDataset({ ...options, delimiter: ";" })).trainExamples).toBe(4);
    await writeFile(file, csv.replaceAll(",", "\t"));
    await expect(addDataset(options)).rejects.toMatchObject({ code: "DATA_INVALID", hint: "Read it with --delimiter tab." });
    for (const delimiter of ["tab", "\\t", "\t"]) expect((await addDataset({ ...options, delimiter })).trainExamples).toBe(4);
  });

  it.each([
    ["", "(the document): Found nothing where a section is expected."],
    ["- table\n", "(the document): Found a list of 1 entry where a section is expected."],
    ["kind: tabel\n", 'kind: Found the text "tabel", which is none of what is allowed. Did you mean "table"?'],
    ["kind: table\ntask: regression\ncolumns: []\n", "columns: Found an empty list; at least 2 entries are expected."],
  ])("refuses %j as a schema, in words of its own", async (text, message) => {
    await writeFile(join(folder, "heart.csv"), csv);
    await writeFile(join(folder, "schema.yaml"), text);
    await expect(addDataset({ name: "heart", folder, csv: [join(folder, "heart.csv")], schema: join(folder, "schema.yaml") })).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining(message) as string,
    });
  });

  it("writes nothing when the data or the call is wrong", async () => {
    const file = join(folder, "heart.csv");
    await writeFile(file, csv);
    await writeFile(join(folder, "schema.json"), JSON.stringify({ ...schema, task: "regression" }));
    await expect(addDataset({ name: "heart", folder, csv: [file] })).rejects.toMatchObject({
      code: "DATA_INVALID",
      hint: expect.stringContaining("age, sex, ill"),
    });
    await expect(addDataset({ name: "heart", folder, csv: [file], schema: join(folder, "schema.json") })).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringMatching(/columns\[2\]\.type/),
    });
    await expect(addDataset({ name: "heart", folder, csv: [join(folder, "none.csv")], label: "ill" })).rejects.toMatchObject({
      code: "DATA_UNREADABLE",
    });
    await expect(addDataset({ name: "heart", folder })).rejects.toMatchObject({ code: "USAGE" });
    await expect(addDataset({ name: "heart", folder, csv: [file], trainImages: file })).rejects.toMatchObject({ code: "USAGE" });
    await expect(addDataset({ name: "heart", folder, trainImages: file, trainLabels: file, testLabels: file })).rejects.toMatchObject({
      code: "USAGE",
    });
    await expect(addDataset({ name: "heart", folder, csv: [file], label: "ill", delimiter: "--" })).rejects.toMatchObject({ code: "USAGE" });
    expect(await listDescriptors(folder)).toEqual([]);
  });
});

describe("writeSplit", () => {
  it("writes folders whose datasets are those of the split in memory", async () => {
    const whole = await loadDataset(await written({ files: { format: "csv", train: ["heart.csv", "heart.csv"], test: "heart.csv" } }));
    const parts = splitDataset(whole, { parties: ["bern", "oslo", "wien", "rome", "bonn"], partition: { kind: "iid" }, seed: 1 });
    const folders = await writeSplit(join(folder, "parties"), "heart", parts);
    expect(folders.map(({ party }) => party)).toEqual(["bern", "oslo", "wien", "rome", "bonn"]);
    for (const [i, { party, descriptorPath: path, contentHash, trainExamples, testExamples }] of folders.entries()) {
      expect(path).toBe(join(folder, "parties", party, "datasets", "heart.json"));
      expect(contentHash).toBe(parts[i]!.dataset.contentHash);
      const loaded = await loadDataset(path);
      expect(loaded.contentHash).toBe(contentHash);
      expect([loaded.train.count, loaded.test?.count ?? 0]).toEqual([trainExamples, testExamples]);
      expect(await readFile(path, "utf8")).not.toContain(folder);
    }
    expect(folders.some(({ testExamples }) => testExamples === 0)).toBe(true);
  });
});
