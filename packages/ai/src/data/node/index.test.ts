import { expect, it } from "vitest";
import * as entry from "./index.ts";

it("exports what users rely on, and nothing by accident", () => {
  expect(Object.keys(entry).toSorted()).toMatchInlineSnapshot(`
    [
      "MNIST_SCHEMA",
      "addDataset",
      "descriptorPath",
      "inferCsvFiles",
      "inferIdxFiles",
      "listDescriptors",
      "loadCsvExamples",
      "loadDataset",
      "loadIdx",
      "loadIdxExamples",
      "loadMnist",
      "loadSource",
      "readDescriptor",
      "readFileBytes",
      "readFileChunks",
      "writeDataset",
      "writeDescriptor",
      "writeSplit",
    ]
  `);
});
