import { EXIT, NexusError } from "@ciphernx/core/errors";

/** A second Ctrl-C sooner than this is the same one, passed on by npm or a shell besides the terminal. */
const SAME_PRESS_MS = 300;

/** Ctrl-C and its kin as an AbortSignal. */
export interface Interruption extends Disposable {
  readonly signal: AbortSignal;
  /** The signal that came, if one did. */
  readonly received: () => NodeJS.Signals | undefined;
}

/** Turns the first SIGINT, SIGTERM or SIGHUP into an abort, so that the command can end well; a second SIGINT ends it at once. */
export function watchInterruption(): Interruption {
  const controller = new AbortController();
  let received: NodeJS.Signals | undefined;
  let receivedAt = 0;
  const listener = (signal: NodeJS.Signals): void => {
    if (received === undefined) {
      received = signal;
      receivedAt = performance.now();
      controller.abort(new NexusError("INTERRUPTED", "Interrupted.", { hint: "" }));
    } else if (signal === "SIGINT" && performance.now() - receivedAt > SAME_PRESS_MS) {
      process.exit(EXIT.interrupted);
    }
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, listener);
  return {
    signal: controller.signal,
    received: () => received,
    [Symbol.dispose]() {
      for (const signal of signals) process.off(signal, listener);
    },
  };
}
