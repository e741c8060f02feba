import { redactSecrets } from "@ciphernx/core/identity";
import { type DestinationStream, type Logger, type LoggerOptions, pino } from "pino";

/** A log of JSON lines from which secrets are taken out, wherever in a line they stand. */
export function createLog(destination: DestinationStream, level: "debug" | "info" = "info"): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: redactSecrets } }, destination);
}

/** A child of somebody's own log, from whose lines secrets are taken out as well. */
export function redactingLog(log: Logger): Logger {
  const child = log.child({});
  const hooks = (log as unknown as Record<symbol, LoggerOptions["hooks"]>)[pino.symbols.hooksSym];
  const streamWrite = (line: string): string => redactSecrets(hooks?.streamWrite?.(line) ?? line);
  return Object.defineProperty(child, pino.symbols.hooksSym, { value: { ...hooks, streamWrite } });
}
