import { expect, it } from "vitest";
import * as entry from "./index.ts";

it("exports what users rely on, and nothing by accident", () => {
  expect(Object.keys(entry).toSorted()).toMatchInlineSnapshot(`
    [
      "CSV_DELIMITERS",
      "SOURCE_NAMES",
      "allocateExamples",
      "classCount",
      "columnSchema",
      "concatenateExamples",
      "contentHash",
      "copyRows",
      "countMissing",
      "createDataset",
      "dataSection",
      "datasetSchema",
      "describeDataset",
      "descriptorSchema",
      "encodeIdx",
      "featureColumns",
      "featureLength",
      "holdOutRows",
      "holdOutSchema",
      "idxExamples",
      "inferCsvSchema",
      "inferIdxSchema",
      "labelColumn",
      "listMissing",
      "opaqueSchema",
      "parseIdx",
      "partition",
      "partitionSchema",
      "partitioners",
      "partyNames",
      "readCsvExamples",
      "readCsvRecords",
      "registeredSchema",
      "requireComplete",
      "rowSchema",
      "schemaText",
      "splitDataset",
      "takeRows",
      "viewExamples",
    ]
  `);
});
