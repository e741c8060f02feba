import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { temporaryFolder } from "@ciphernx/core/store/testing";
import { describe, expect, it } from "vitest";
import { rowColumn, splitDataset } from "../index.ts";
import { addDataset, loadFiles } from "./index.ts";

const SCHEMA = `
kind: table
task: classification
columns:
  - { name: site, role: ignore, type: text }
  - { name: age, role: feature, type: number, range: [0, 120] }
  - { name: pain, role: feature, type: category, categories: [none, some], undeclared: other }
  - { name: ill, role: label, type: category, categories: ["no", "yes"] }
`;

const HEADER = "site,age,pain,ill\n";
const rowsOf = (site: string, from: number): readonly string[] =>
  Array.from(
    { length: 12 },
    (_, row) => `${site},${row === 4 ? "" : from + row},${["none", "some", "much"][row % 3]},${row % 4 === 0 ? "yes" : "no"}\n`,
  );

describe("files that nobody has described", () => {
  it("are split among named parties as their nodes would register them, held-out rows and all", async () => {
    await using folder = await temporaryFolder();
    await mkdir(join(folder.path, "example"));
    await writeFile(join(folder.path, "example", "schema.yaml"), SCHEMA);
    const sites = { elm: rowsOf("elm", 30), oak: rowsOf("oak", 50) };
    // Rows of the two sites in turn.
    const mixed = sites.elm.flatMap((row, index) => [row, sites.oak[index]!]);
    await writeFile(join(folder.path, "example", "all.csv"), HEADER + mixed.join(""));

    const dataset = await loadFiles({ data: "all.csv", schema: "schema.yaml", folder: join(folder.path, "example") }, { keep: ["site"] });
    expect(Array.from(rowColumn(dataset, "site")).slice(0, 3)).toEqual(["elm", "oak", "elm"]);
    const holdOut = { fraction: 0.25, seed: 3, stratify: true } as const;
    const parties = splitDataset(dataset, {
      parties: ["elm", "oak"],
      partition: { kind: "natural", column: "site" },
      seed: 1,
      holdOut,
      shared: true,
    });
    expect(parties.map(({ party, dataset: { train, test } }) => [party, train.count, test?.count])).toEqual([
      ["elm", 9, 3],
      ["oak", 9, 3],
    ]);
    expect(parties[0]!.dataset.train.features.buffer).toBeInstanceOf(SharedArrayBuffer);

    for (const { party, dataset: part } of parties) {
      const node = join(folder.path, party);
      await mkdir(join(node, "datasets"), { recursive: true });
      await writeFile(join(node, "own.csv"), HEADER + sites[party as keyof typeof sites].join(""));
      const added = await addDataset({
        ...{ name: "patients", folder: node, data: [join(node, "own.csv")], holdOut },
        schema: join(folder.path, "example", "schema.yaml"),
      });
      expect(added.contentHash).toBe(part.contentHash);
    }
  });

  it("that are not there are named, and so is a schema that is none", async () => {
    await using folder = await temporaryFolder();
    await writeFile(join(folder.path, "schema.yaml"), SCHEMA);
    await writeFile(join(folder.path, "wrong.yaml"), SCHEMA.replace("role: label", "role: lable"));
    const from = (data: string, schema: string) => loadFiles({ data, schema, folder: folder.path });
    await expect(from("nowhere.csv", "schema.yaml")).rejects.toMatchObject({
      code: "DATA_UNREADABLE",
      message: expect.stringContaining("nowhere.csv") as string,
    });
    await expect(from("nowhere.csv", "nowhere.yaml")).rejects.toMatchObject({
      code: "DATA_UNREADABLE",
      message: expect.stringContaining("nowhere.yaml") as string,
    });
    await expect(from("nowhere.csv", "wrong.yaml")).rejects.toMatchObject({
      code: "DATA_INVALID",
      message: expect.stringContaining("label") as string,
    });
  });
});
