export { compile, compileOrThrow, refusedError } from "./compile.ts";
export { exposure, type Exposure, type ExposureTable, type Subject, SUBJECTS, type Viewer, VIEWERS } from "./exposure.ts";
export type { Compiled, CompileFacts, PartyFacts, PlannedParty, RunPlan, TaskPlan } from "./plan.ts";
export { parseRunSpec, type RunSpec, runSpecHash, type RunSpecInput, runSpecJsonSchema, runSpecSchema } from "./run-spec.ts";
