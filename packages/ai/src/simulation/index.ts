export { type Baselines, baselines } from "./baselines.ts";
export { simulationSection, type SimulationOptions } from "./section.ts";
export { simulate, simulatedFacts, type SimulateOptions, type SimulationResult } from "./simulate.ts";
