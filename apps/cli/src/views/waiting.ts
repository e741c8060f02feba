/** The first repetition of a line comes after this time, the next after twice that, and so on. */
const FIRST_SILENCE_MS = 30_000;
const LONGEST_SILENCE_MS = 3_600_000;

/** Decides which of the same lines over and over are worth saying. */
export interface Repetitions {
  /** Whether to say this line now: it is another than the last one, or that was long ago. */
  isDue(line: string): boolean;
  /** What was waited for has come: the next line is news whatever it says. */
  reset(): void;
}

/** `now`: a clock in milliseconds that never goes back. */
export function createRepetitions(now: () => number = () => performance.now()): Repetitions {
  let last: { readonly line: string; readonly saidAt: number; readonly silenceMs: number } | undefined;
  return {
    isDue(line) {
      const isSame = last?.line === line;
      if (last !== undefined && isSame && now() - last.saidAt < last.silenceMs) return false;
      const silenceMs = last !== undefined && isSame ? Math.min(LONGEST_SILENCE_MS, last.silenceMs * 2) : FIRST_SILENCE_MS;
      last = { line, saidAt: now(), silenceMs };
      return true;
    },
    reset() {
      last = undefined;
    },
  };
}
