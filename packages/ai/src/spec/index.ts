export { compile, compileOrThrow, refusedError } from "./compile.ts";
export type { Compiled, CompileFacts, PartyFacts, PlannedParty, RunPlan, TaskPlan } from "./plan.ts";
export { parseRunSpec, type RunSpec, runSpecHash, type RunSpecInput, runSpecJsonSchema, runSpecSchema } from "./run-spec.ts";
