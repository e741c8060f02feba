import { redactSecrets } from "@ciphernx/core/identity";
import { trace } from "@opentelemetry/api";
import { type DestinationStream, type Logger, pino } from "pino";

/** The span in which a line is written, where there is one: what tracing backends join logs by. */
function spanFields(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

/** A log of JSON lines from which secrets are taken out, wherever in a line they stand. */
export function createLog(destination: DestinationStream, level: "debug" | "info" = "info"): Logger {
  return pino({ level, mixin: spanFields, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: redactSecrets } }, destination);
}
