import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { DatasetSchema } from "../dataset-schema.ts";
import { loadRows } from "./load-rows.ts";

const schema: DatasetSchema = {
  kind: "table",
  task: "classification",
  columns: [
    { name: "patient", role: "id", type: "text" },
    { name: "age", role: "feature", type: "number", range: [0, 120] },
    { name: "sex", role: "feature", type: "category", categories: ["f", "m"] },
    { name: "ill", role: "label", type: "category", categories: ["no", "yes"] },
  ],
};

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "nexus-rows-"));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, content: string | Uint8Array): Promise<string> {
  const path = join(folder, name);
  await writeFile(path, content);
  return path;
}

describe("rows that are to be judged", () => {
  it.each([
    ["without their label", "patient,age,sex\nA-1,61,f\n A-2 ,40,m\n"],
    ["with it, in any order, whatever it says", "ill,sex,age,patient\n?,f,61,A-1\nunknown,m,40,A-2\n"],
  ])("are read from CSV %s", async (_name, text) => {
    const { examples, ids } = await loadRows(schema, [await file("rows.csv", text)]);
    expect(examples.count).toBe(2);
    expect([...examples.features]).toEqual([61, 0, 40, 1]);
    expect([...ids]).toEqual([["patient", ["A-1", "A-2"]]]);
  });

  it("are read from CSV without a column that names them, the short way and the long way", async () => {
    const columns = schema.columns.filter(({ role }) => role !== "id");
    const paths = [await file("plain.csv", "age,sex\n61,f\n40,m\n"), await file("quoted.csv", '"sex","age"\n"m","33"\n')];
    const { examples, ids } = await loadRows({ ...schema, columns }, paths);
    expect([...examples.features]).toEqual([61, 0, 40, 1, 33, 1]);
    expect(ids.size).toBe(0);
  });

  it("are read from JSONL", async () => {
    const path = await file("rows.jsonl", '{"patient": 7, "age": 61, "sex": "f"}\n{"patient": "B", "sex": "m", "age": 40, "ill": "yes"}\n');
    const { examples, ids } = await loadRows(schema, [path]);
    expect([...examples.features]).toEqual([61, 0, 40, 1]);
    expect(ids.get("patient")).toEqual(["7", "B"]);
  });

  it("are read from the features of a tensor alone", async () => {
    const images: DatasetSchema = { kind: "tensor", shape: [2, 2], element: "u8", scale: 1 / 255, task: "classification", classes: 10 };
    const idx = Uint8Array.from([0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 2, 3, 4, 5, 6, 7, 8]);
    const { examples } = await loadRows(images, [await file("two.idx3-ubyte", idx)]);
    expect(examples).toMatchObject({ count: 2, featureScale: 1 / 255 });
    expect([...examples.features]).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    await expect(loadRows(images, ["a.npy", "b.npy"])).rejects.toMatchObject({ code: "USAGE" });
  });

  it("are held to what their columns declare", async () => {
    const wrong = async (name: string, text: string) => loadRows(schema, [await file(name, text)]);
    await expect(wrong("old.csv", "patient,age,sex\nA,130,f\n")).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining('"age"') as string,
    });
    await expect(wrong("short.csv", "patient,age\nA,30\n")).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining('"sex"') as string,
    });
    await expect(wrong("none.csv", "patient,age,sex\n")).rejects.toMatchObject({ code: "DATA_INVALID" });
    await expect(wrong("rows.txt", "patient,age,sex\n")).rejects.toMatchObject({ code: "USAGE" });
    await expect(loadRows(schema, [])).rejects.toMatchObject({ code: "USAGE" });
    await expect(loadRows(schema, [join(folder, "absent.csv")])).rejects.toMatchObject({ code: "DATA_UNREADABLE" });
  });
});
