export type { RoundSummary, RunEvent, RunEventBody } from "./events.ts";
export { close, type Closing, type ClosingRule, type Standing } from "./round/close.ts";
export { type Phase, type RoundCommit, type RoundHost, type RoundInput, type RoundOutcome, runRound } from "./round/run-round.ts";
export { select } from "./round/select.ts";
