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
      "inferImageFolder",
      "inferJsonlFiles",
      "listDescriptors",
      "listNpzArrays",
      "loadCsvExamples",
      "loadDataset",
      "loadIdx",
      "loadIdxExamples",
      "loadImageFolder",
      "loadJsonlExamples",
      "loadMnist",
      "loadNpy",
      "loadNpyExamples",
      "loadNpzArray",
      "loadNpzExamples",
      "loadParquetExamples",
      "loadRows",
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
