import { redactJson } from "@ciphernx/core/identity/redact";
import { trace } from "@opentelemetry/api";
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";

/** The span in which a line is written, where there is one: what tracing backends join logs by. */
function spanFields(): object {
  const span = trace.getActiveSpan()?.spanContext();
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

/** A log of JSON lines from which secrets are taken out, wherever in a line they stand. */
export function createLog(destination: DestinationStream, level: "debug" | "info" = "info"): Logger {
  return pino({ level, mixin: spanFields, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: redactLine } }, destination);
}

/** A child of somebody's own log, from whose lines secrets are taken out as well. */
export function redactingLog(log: Logger): Logger {
  const hooks = (log as unknown as Record<symbol, LoggerOptions["hooks"]>)[pino.symbols.hooksSym];
  const streamWrite = (line: string): string => redactLine(hooks?.streamWrite?.(line) ?? line);
  return Object.defineProperty(log.child({}), pino.symbols.hooksSym, { value: { ...hooks, streamWrite } });
}

function redactLine(line: string): string {
  return `${redactJson(line)}\n`;
}
