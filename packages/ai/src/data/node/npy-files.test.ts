import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEFLATED_NPZ, fromBase64, NPY_FILES, STORED_NPZ } from "../npy/npy.fixture.ts";
import { addDataset } from "./add-dataset.ts";
import { readDescriptor } from "./descriptor-file.ts";
import { loadDataset } from "./load-dataset.ts";
import { listNpzArrays, loadNpzArray } from "./npy-files.ts";
import { openZip } from "./zip-file.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ciphernx-npy-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, bytes: Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, bytes);
  return path;
}

/** The same bytes with some replaced, at a place counted from the start, or from the end where it is negative. */
function changed(bytes: Uint8Array, at: number, ...values: readonly number[]): Uint8Array {
  const copy = bytes.slice();
  copy.set(values, at < 0 ? copy.length + at : at);
  return copy;
}

/** Where the n-th directory entry begins. */
function directoryEntry(bytes: Uint8Array, index: number): number {
  let at = -1;
  for (let i = 0; i <= index; i += 1) at = Buffer.from(bytes).indexOf("PK\u0001\u0002", at + 1, "latin1");
  return at;
}

describe("NPZ archives", () => {
  it("are read as numpy writes them, stored or deflated", async () => {
    const stored = await file("stored.npz", fromBase64(STORED_NPZ));
    expect(await listNpzArrays(stored)).toEqual(["x_train", "y_train", "x_test", "y_test"]);
    expect(await loadNpzArray(stored, "x_train")).toEqual({ shape: [2, 3], data: Uint8Array.of(0, 1, 2, 3, 4, 5) });
    const deflated = await file("deflated.npz", fromBase64(DEFLATED_NPZ));
    expect(await loadNpzArray(deflated, "x")).toEqual({ shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) });
    await expect(loadNpzArray(deflated, "z")).rejects.toMatchObject({ code: "DATA_INVALID", hint: "Its arrays are: x, y." });
  });

  it("make datasets with the parts that their arrays are named after", async () => {
    const node = join(folder, "node");
    const added = await addDataset({ name: "a", folder: node, data: [await file("a.npz", fromBase64(STORED_NPZ))] });
    expect(added).toMatchObject({ trainExamples: 2, testExamples: 1, schema: { kind: "tensor", shape: [3], element: "u8", classes: 2 } });
    const { train } = await loadDataset(added.descriptorPath);
    expect([train.features, train.targets]).toEqual([Uint8Array.of(0, 1, 2, 3, 4, 5), Uint8Array.of(1, 0)]);
    expect((await readDescriptor(added.descriptorPath)).files).toMatchObject({ format: "npz", train: { file: "../../a.npz", features: "x_train" } });
    const column = await addDataset({ name: "b", folder: node, data: [await file("b.npz", fromBase64(DEFLATED_NPZ))] });
    expect(column).toMatchObject({ trainExamples: 2, schema: { element: "f32" } });
  });

  it("refuse every truncation and every changed byte, or give the same array", async () => {
    const whole = fromBase64(DEFLATED_NPZ);
    const wanted = await loadNpzArray(await file("whole.npz", whole), "x");
    for (let at = 0; at < whole.length; at += 3) {
      for (const bytes of [whole.subarray(0, at), changed(whole, at, whole[at]! ^ 0x41)]) {
        const path = await file("damaged.npz", bytes);
        const outcome: unknown = await loadNpzArray(path, "x").catch((error: unknown) => error);
        if (outcome instanceof Error) expect(outcome).toMatchObject({ code: "DATA_INVALID" });
        else expect(outcome).toEqual(wanted);
      }
    }
  });

  it("are refused where directory and member part, naming why", async () => {
    const whole = fromBase64(DEFLATED_NPZ);
    const entry = directoryEntry(whole, 0);
    const sizes = (size: number) => Uint8Array.of(size & 255, size >> 8, 0, 0);
    const view = new DataView(whole.buffer);
    const size = view.getUint32(entry + 24, true);
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [new Uint8Array(0), "is not a ZIP archive"],
      [new Uint8Array(100_000), "is not a ZIP archive"],
      [changed(whole, entry + 24, ...sizes(size - 1)), "unpacks to more than"],
      [changed(whole, entry + 24, ...sizes(size + 1)), "bytes that it declares"],
      [changed(whole, entry + 8, 1), 'holds "x.npy" encrypted'],
      [changed(whole, entry + 10, 12), "packed by method 12"],
      [changed(whole, entry + 16, whole[entry + 16]! ^ 1), "its checksum differs"],
      [changed(whole, entry + 42, 255, 255, 0, 0), "lies beyond its end"],
      [changed(whole, entry + 42, 7), "there is no member where"],
      [changed(whole, directoryEntry(whole, 1) + 46, "x".charCodeAt(0)), 'holds "x.npy" twice'],
      [changed(whole, -12, 255, 255, 255, 255), "declares"],
    ];
    for (const [bytes, message] of cases) {
      await expect(loadNpzArray(await file("damaged.npz", bytes), "x")).rejects.toMatchObject({
        code: "DATA_INVALID",
        message: expect.stringContaining(message) as string,
      });
    }
  });

  it("unpack no more than they declare", async () => {
    const whole = fromBase64(DEFLATED_NPZ);
    const entry = directoryEntry(whole, 0);
    const path = await file("bomb.npz", changed(whole, entry + 24, 40, 0, 0, 0));
    await using zip = await openZip(path);
    const read = async (): Promise<number> => {
      let total = 0;
      for await (const chunk of zip.read("x.npy")) total += chunk.length;
      return total;
    };
    await expect(read()).rejects.toThrow("unpacks to more than the 40 bytes that it declares");
  });
});

describe("NPY files", () => {
  it("make datasets", async () => {
    const features = await file("x.npy", fromBase64(NPY_FILES.f4));
    const targets = await file("y.npy", fromBase64(NPY_FILES.wide).slice(0, -8));
    await expect(addDataset({ name: "a", folder, trainImages: features, trainLabels: targets })).rejects.toThrow("y.npy is truncated");
    const labels = await file("y.npy", fromBase64(NPY_FILES.vector));
    await expect(addDataset({ name: "a", folder, trainImages: features, trainLabels: labels })).rejects.toThrow("holds 3 labels for the 2 rows");
    const three = await file("x3.npy", fromBase64(NPY_FILES.vector));
    await expect(addDataset({ name: "a", folder, trainImages: three, trainLabels: labels })).rejects.toThrow("is an array of 1 dimension");
    await expect(addDataset({ name: "a", folder, data: [features] })).rejects.toMatchObject({ code: "USAGE" });
  });
});
