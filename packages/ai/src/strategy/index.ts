export { createStrategy } from "./registry.ts";
export type { StrategyOptions } from "./section.ts";
export type { FitAggregation, RoundCohort, RoundInstruction, RoundMeans, RoundTotals, StateVector, StepTile, Strategy } from "./strategy.ts";
export { weightedMeans } from "./weighted-means.ts";
