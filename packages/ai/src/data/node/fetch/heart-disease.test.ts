import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { splitDataset } from "../../split.ts";
import { loadFiles } from "../load-files.ts";
import { fetchDataset } from "./fetch-dataset.ts";
import { sha256Of } from "./given-files.ts";
import { heartDisease } from "./heart-disease.ts";

const project = new URL("../../../../../../", import.meta.url);
const example = fileURLToPath(new URL("examples/heart-disease/", project));
const DATA = fileURLToPath(new URL("../shared/datasets/heart-disease/fed_heart.csv", project));
const reason = `the patients' records are not at ${DATA}`;

describe("the files of the UCI repository", () => {
  const one = (text: string) => new Map(heartDisease.files.map(({ name }) => [name, new TextEncoder().encode(text)]));
  const make = (text: string): string => new TextDecoder().decode(heartDisease.make(one(text)));

  it("become one table, hospitals one after another, numbers in one spelling", () => {
    const rows = make("63.0,1.0,1.0,145.0,233.0,1.0,2.0,150.0,0.0,2.3,3.0,0.0,6.0,0\n41,1,4,110,0,?,0,138,0,-.1,1,?,?,2\r\n\n").split("\n");
    expect(rows[0]).toBe("site,age,sex,cp,trestbps,chol,fbs,restecg,thalach,exang,oldpeak,slope,ca,thal,num");
    expect(rows.slice(1)).toEqual([
      ...["cleveland", "hungarian", "switzerland", "va"].flatMap((site) => [
        `${site},63,1,1,145,233,1,2,150,0,2.3,3,0,6,0`,
        `${site},41,1,4,110,0,,0,138,0,-0.1,1,,,2`,
      ]),
      "",
    ]);
  });

  it.each(["1,2,3\n", "1,2,3,4,5,6,7,8,9,10,11,12,13,high\n", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n", "<html>\n"])(
    "are told apart from %j",
    (text) => {
      expect(() => make(text)).toThrow(
        expect.objectContaining({ code: "DATA_INVALID", message: "processed.cleveland.data, line 1 is not 14 numbers." }),
      );
    },
  );

  it("become the pinned file, from files of the pinned hashes", async (context) => {
    if (!existsSync(DATA)) return context.skip(reason);
    const text = await readFile(DATA, "utf8");
    const folder = await mkdtemp(join(tmpdir(), "ciphernx-heart-"));
    try {
      for (const [name, bytes] of published(text)) {
        expect([name, sha256Of(bytes)]).toEqual([name, heartDisease.files.find((file) => file.name === name)?.sha256]);
        await writeFile(join(folder, name), bytes);
      }
      const { file, origin } = await fetchDataset(heartDisease, { out: join(folder, "out"), from: folder });
      expect(origin).toBe("given");
      expect(await readFile(file, "utf8")).toBe(text);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});

/** The publisher's files as the joined one was made of them: Cleveland writes 63.0, Switzerland .7, and all "?" for what is not known. */
function published(text: string): Map<string, Uint8Array> {
  const files = new Map<string, string>();
  for (const line of text.trim().split("\n").slice(1)) {
    const [site, ...cells] = line.split(",");
    const written = cells.map((cell, column) => {
      if (cell === "") return "?";
      if (site === "switzerland") return cell.replace(/^(-?)0\./, "$1.");
      return site === "cleveland" && column < 13 && !cell.includes(".") ? `${cell}.0` : cell;
    });
    const name = `processed.${site}.data`;
    files.set(name, `${files.get(name) ?? ""}${written.join(",")}\n`);
  }
  return new Map([...files].map(([name, one]) => [name, new TextEncoder().encode(one)]));
}

describe("examples/heart-disease/schema.yaml", () => {
  const load = () => loadFiles({ data: DATA, schema: "schema.yaml", folder: example }, { keep: ["site"] });

  it("fits all 920 patients", async (context) => {
    if (!existsSync(DATA)) return context.skip(reason);
    const { train } = await load();
    expect([train.count, train.featureLength]).toEqual([920, 13]);
    expect([...train.targets].filter((target) => target === 1)).toHaveLength(509);
    // The first row: 63,1,1,145,233,1,2,150,0,2.3,3,0,6,0.
    expect(train.features.subarray(0, 13)).toEqual(Float32Array.of(63, 1, 0, 145, 233, 1, 2, 150, 0, 2.3, 2, 0, 1));
    const missing = (column: number): number =>
      Array.from({ length: 920 }, (_, row) => train.features[row * 13 + column]!).filter(Number.isNaN).length;
    // trestbps: 59 empty and one 0; chol: 30 empty and 172 times 0; ca and thal.
    expect([0, 3, 4, 11, 12].map(missing)).toEqual([0, 60, 202, 611, 486]);
  });

  it("gives each hospital its own patients, of which it holds out as many ill and well ones", async (context) => {
    if (!existsSync(DATA)) return context.skip(reason);
    const parts = splitDataset(await load(), {
      parties: ["cleveland", "hungarian", "switzerland", "va"],
      partition: { kind: "natural", column: "site" },
      seed: 42,
      holdOut: { fraction: 0.25, seed: 0, stratify: true },
    });
    const counts = parts.map(({ party, dataset: { train, test } }) => [
      party,
      train.count,
      test?.count,
      test?.targets.filter((target) => target === 0).length,
    ]);
    expect(counts).toEqual([
      ["cleveland", 227, 76, 41],
      ["hungarian", 220, 74, 47],
      ["switzerland", 92, 31, 2],
      ["va", 150, 50, 13],
    ]);
  });
});
