export { type Baselines, baselines } from "./baselines.ts";
export { simulationSection, type SimulationOptions } from "./section.ts";
export { type AloneModel, trainAlone, type TrainAloneOptions } from "./train-alone.ts";
export { simulate, simulatedFacts, type SimulateOptions, type SimulationResult } from "./simulate.ts";
