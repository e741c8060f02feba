export { allowedAttributes, SPAN_ATTRIBUTES } from "./attributes.ts";
export { createRoundTraces, type RoundTraces, type TracedRound, type TracedTask } from "./round-traces.ts";
