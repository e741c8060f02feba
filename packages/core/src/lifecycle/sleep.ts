import { NexusError } from "../errors/index.ts";

/** What a signal was aborted with, as the error to throw: a `NexusError` as it is, anything else as INTERRUPTED. */
export function abortError(signal: AbortSignal): NexusError {
  if (signal.reason instanceof NexusError) return signal.reason;
  return new NexusError("INTERRUPTED", "The work was interrupted.", { cause: signal.reason });
}

/** Throws the signal's `NexusError` when it is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortError(signal);
}

/** Resolves after `durationMs`; rejects at once when the signal aborts. Leaves no timer or listener behind. */
export function sleep(durationMs: number, options: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    if (signal?.aborted === true) {
      reject(abortError(signal));
      return;
    }
    const onAbort = (): void => {
      clearTimeout(timer);
      if (signal !== undefined) reject(abortError(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, durationMs);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
