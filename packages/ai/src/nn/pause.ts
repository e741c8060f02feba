/** Lets the host do what waits for it: timers, sockets, drawing. */
export const pause: () => Promise<void> =
  typeof globalThis.setImmediate === "function"
    ? () => new Promise((resolve) => void setImmediate(resolve))
    : () =>
        new Promise((resolve) => {
          // A message is a task of its own and, unlike setTimeout, is not slowed down by browsers.
          const { port1, port2 } = new MessageChannel();
          port1.addEventListener("message", () => {
            port1.close();
            resolve();
          });
          port1.start();
          port2.postMessage(undefined);
        });

/** How work in slices is driven. */
export interface DriveOptions {
  readonly signal?: AbortSignal;
  /** Milliseconds of work between two pauses. Default 40. */
  readonly sliceMs?: number;
}

/** Runs a generator to its end without a pause. */
export function drive<Result>(work: Generator<void, Result>): Result {
  let step = work.next();
  while (!step.done) step = work.next();
  return step.value;
}

/** Runs a generator to its end, pausing between steps every `sliceMs`. Rejects with the signal's reason when aborted. */
export async function driveInSlices<Result>(work: Generator<void, Result>, { signal, sliceMs = 40 }: DriveOptions): Promise<Result> {
  try {
    signal?.throwIfAborted();
    let resumed = performance.now();
    let step = work.next();
    while (!step.done) {
      if (performance.now() - resumed >= sliceMs) {
        await pause();
        signal?.throwIfAborted();
        resumed = performance.now();
      }
      step = work.next();
    }
    return step.value;
  } finally {
    // Runs the generator's own clean-up when it did not reach its end.
    work.return(undefined as Result);
  }
}
