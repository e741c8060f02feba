import { readFileSync } from "node:fs";
import { dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import * as entry from "./index.ts";

it("exports what users rely on, and nothing by accident", () => {
  expect(Object.keys(entry).toSorted()).toMatchInlineSnapshot(`
    [
      "CSV_DELIMITERS",
      "SOURCE_NAMES",
      "allocateExamples",
      "arrayExamples",
      "categoryCount",
      "classCount",
      "columnSchema",
      "concatenateExamples",
      "contentHash",
      "copyRows",
      "countMissing",
      "createDataset",
      "dataSection",
      "datasetSchema",
      "dayOf",
      "describeDataset",
      "descriptorSchema",
      "encodeIdx",
      "featureColumns",
      "featureLength",
      "holdOutRows",
      "holdOutSchema",
      "inferArraySchema",
      "inferCsvSchema",
      "inferJsonlSchema",
      "labelColumn",
      "listMissing",
      "measureDrift",
      "opaqueSchema",
      "parseIdx",
      "partition",
      "partitionSchema",
      "partitioners",
      "partyNames",
      "prepareExamples",
      "prepareFeatures",
      "preprocessingHash",
      "preprocessingSchema",
      "readCsvExamples",
      "readCsvRecords",
      "readJsonRows",
      "readJsonlExamples",
      "readNpy",
      "registeredSchema",
      "requireComplete",
      "rowColumn",
      "rowSchema",
      "schemaText",
      "splitDataset",
      "takeRows",
      "termsSchema",
      "viewExamples",
    ]
  `);
});

it("loads nothing that only Node has: what opens files lies in node/", () => {
  const entryFile = fileURLToPath(new URL("./index.ts", import.meta.url));
  const seen = new Set<string>();
  const foreign = new Set<string>();
  const open = [entryFile];
  for (let file = open.pop(); file !== undefined; file = open.pop()) {
    if (seen.has(file)) continue;
    seen.add(file);
    for (const [, specifier] of readFileSync(file, "utf8").matchAll(/^(?:import|export)\s+(?!type\b)(?:[^"';]*?\bfrom\s*)?"([^"]+)"/gm)) {
      if (specifier!.startsWith(".")) open.push(join(dirname(file), specifier!));
      else foreign.add(specifier!);
    }
  }
  expect([...foreign].toSorted()).toEqual(["@ciphernx/core/errors", "@ciphernx/core/spec", "@noble/hashes/sha2.js", "@noble/hashes/utils.js", "zod"]);
  expect([...seen].filter((file) => file.includes(`${sep}data${sep}node${sep}`))).toEqual([]);
  expect([...seen].some((file) => file.endsWith(join("csv", "csv-rows.ts")))).toBe(true);
});
