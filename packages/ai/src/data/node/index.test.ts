import { expect, it } from "vitest";
import * as entry from "./index.ts";

it("exports what users rely on, and nothing by accident", () => {
  expect(Object.keys(entry).toSorted()).toMatchInlineSnapshot(`
    [
      "FETCH_RECIPES",
      "MNIST_SCHEMA",
      "addDataset",
      "descriptorPath",
      "fetchDataset",
      "fetchRecipe",
      "inferCsvFiles",
      "inferIdxFiles",
      "inferImageFolder",
      "inferJsonlFiles",
      "listDescriptors",
      "listNpzArrays",
      "loadCsvExamples",
      "loadDataset",
      "loadFiles",
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
      "readTerms",
      "readTermsFile",
      "setTerms",
      "writeDataset",
      "writeDescriptor",
      "writeSplit",
    ]
  `);
});
