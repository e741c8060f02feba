export { type AddDatasetOptions, addDataset, type AddedDataset } from "./add-dataset.ts";
export { descriptorPath, listDescriptors, readDescriptor, writeDescriptor } from "./descriptor-file.ts";
export {
  type IdxPaths,
  inferCsvFiles,
  inferIdxFiles,
  loadCsvExamples,
  loadDataset,
  loadIdx,
  loadIdxExamples,
  type LoadOptions,
} from "./load-dataset.ts";
export { readFileBytes, readFileChunks, type ReadOptions } from "./read-file.ts";
export { loadMnist, loadSource, MNIST_SCHEMA, type SourceOptions } from "./sources/index.ts";
export { type PartyFolder, writeDataset, writeSplit } from "./write-split.ts";
