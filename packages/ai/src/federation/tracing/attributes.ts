import type { Attributes } from "@opentelemetry/api";

/**
 * Everything that a span may say, by OpenTelemetry's semantic conventions 1.45 (`error.type`, `rpc.*`) or with `nexus.` before it. Ids, names of
 * steps and codes; never what was learnt from rows: no values, losses, counts of examples, paths, messages or secrets.
 */
export const SPAN_ATTRIBUTES = [
  "error.type",
  "nexus.attempt",
  "nexus.node.id",
  "nexus.outcome",
  "nexus.parties",
  "nexus.phase",
  "nexus.round",
  "nexus.run.id",
  "nexus.strategy",
  "nexus.task.id",
  "rpc.method",
  "rpc.system.name",
] as const;

/** What a span says. */
export type SpanAttributes = Readonly<Partial<Record<(typeof SPAN_ATTRIBUTES)[number], string | number>>>;

/** Ids, codes and names of methods; a sentence, a path of a file or a text that another party chose at length is none. */
const WORD = /^[A-Za-z0-9_][A-Za-z0-9._-]{0,63}(?:\/[A-Za-z0-9]{1,32})?$/;

/** What of some attributes may be in a span. What is not on the list, or no word or count, is left out. */
export function allowedAttributes(attributes: Readonly<Record<string, unknown>>): Attributes {
  const allowed: Attributes = {};
  for (const name of SPAN_ATTRIBUTES) {
    const value = attributes[name];
    if ((typeof value === "string" && WORD.test(value)) || (typeof value === "number" && Number.isSafeInteger(value) && value >= 0)) {
      allowed[name] = value;
    }
  }
  return allowed;
}

/** The call of a report, by the conventions for RPCs. */
export const REPORT = { "rpc.system.name": "connectrpc", "rpc.method": "ciphernx.node.v1.NodeService/Report" } as const satisfies SpanAttributes;
