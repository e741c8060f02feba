import { abortError } from "./sleep.ts";

export interface WaitOptions {
  readonly signal?: AbortSignal | undefined;
  /** How long to wait at most; for ever when absent. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Sleepers by key, woken in-process: what stands behind a long poll.
 *
 * A wake that comes before the wait is not remembered. A caller that looks for work and finds none must
 * therefore take its place in the queue first, then look, then await the place:
 *
 * @example
 * const woken = waiters.wait(nodeId, { signal, timeoutMs: 30_000 });
 * const task = (await findTask(nodeId)) ?? ((await woken) ? await findTask(nodeId) : undefined);
 */
export interface Waiters {
  /** Resolves true when the key is woken, false when the time is over; rejects when the signal aborts. */
  wait(key: string, options?: WaitOptions): Promise<boolean>;
  /** Wakes everyone who waits for the key; tells how many. */
  wake(key: string): number;
  /** Wakes everyone: what a new listener connection does after it may have missed wakes. */
  wakeAll(): number;
  /** How many wait now. */
  readonly size: number;
}

/** An empty set of sleepers. */
export function createWaiters(): Waiters {
  const byKey = new Map<string, Set<() => void>>();
  let size = 0;

  const wake = (key: string): number => {
    const sleepers = byKey.get(key);
    if (sleepers === undefined) return 0;
    const woken = [...sleepers];
    for (const wakeOne of woken) wakeOne();
    return woken.length;
  };

  return {
    wait(key, { signal, timeoutMs } = {}) {
      const waiting = new Promise<boolean>((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(abortError(signal));
          return;
        }
        const sleepers = byKey.get(key) ?? new Set();
        byKey.set(key, sleepers);
        const leave = (): void => {
          sleepers.delete(wakeOne);
          size -= 1;
          if (sleepers.size === 0 && byKey.get(key) === sleepers) byKey.delete(key);
          clearTimeout(timer);
          signal?.removeEventListener("abort", onAbort);
        };
        const wakeOne = (): void => {
          leave();
          resolve(true);
        };
        const onAbort = (): void => {
          leave();
          if (signal !== undefined) reject(abortError(signal));
        };
        const timer =
          timeoutMs === undefined
            ? undefined
            : setTimeout(() => {
                leave();
                resolve(false);
              }, timeoutMs);
        sleepers.add(wakeOne);
        size += 1;
        signal?.addEventListener("abort", onAbort, { once: true });
      });
      // A caller may find its work before it awaits its place; an abort then must not count as an unhandled rejection.
      waiting.catch(() => {});
      return waiting;
    },
    wake,
    wakeAll: () => [...byKey.keys()].reduce((woken, key) => woken + wake(key), 0),
    get size() {
      return size;
    },
  };
}
