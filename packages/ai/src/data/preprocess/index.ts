export { type ColumnSteps, columnSteps, preparedLength, statisticsLength } from "./column-steps.ts";
export { fitPreprocessing } from "./fit-preprocessing.ts";
export { prepareExamples, prepareFeatures } from "./prepare-examples.ts";
export { constantColumns, type Preprocessing, preprocessingHash, preprocessingSchema } from "./preprocessing.ts";
export { impossibleStatistics, rowStatistics } from "./row-statistics.ts";
export { type PreprocessOptions, preprocessSection } from "./section.ts";
