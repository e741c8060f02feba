import { redactSecrets } from "@ciphernx/core/identity";
import { type DestinationStream, type Logger, pino } from "pino";

/** A log of JSON lines from which secrets are taken out, wherever in a line they stand. */
export function createLog(destination: DestinationStream, level: "debug" | "info" = "info"): Logger {
  return pino({ level, base: null, timestamp: pino.stdTimeFunctions.isoTime, hooks: { streamWrite: redactSecrets } }, destination);
}
