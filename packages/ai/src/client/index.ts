export { connect, type ConnectOptions, type Nexus, nexusOver, type PlanAnswer, type StartOptions } from "./connect.ts";
export { defineNode, type DefinedNode, type NodeDefinition, type PartyTask, type ServeOptions } from "./define-node.ts";
export type { EventsOptions, RunHandle, RunResult } from "./run-handle.ts";
export type { RoundSummary, RunEvent } from "../federation/events.ts";
export { addToHistory } from "../federation/round-history.ts";
