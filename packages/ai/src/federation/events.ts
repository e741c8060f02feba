/** What happens in a run, as its watchers see it. Payloads are JSON and never hold rows or tensors. */
export type RunEventBody =
  | { readonly type: "run-started"; readonly payload: { readonly name: string; readonly rounds: number; readonly parties: number } }
  | { readonly type: "round-opened"; readonly payload: { readonly round: number; readonly attempt: number; readonly parties: readonly string[] } }
  | {
      readonly type: "answer-refused";
      readonly payload: {
        readonly round: number;
        readonly attempt: number;
        readonly kind: string;
        readonly party: string;
        readonly code: string;
        readonly message: string;
      };
    }
  /** `why`: what was wrong with a sum; absent where answers were missing. */
  | {
      readonly type: "round-abandoned";
      readonly payload: { readonly round: number; readonly attempt: number; readonly missing: readonly string[]; readonly why?: string };
    }
  | { readonly type: "rows-prepared"; readonly payload: PreprocessingSummary }
  | { readonly type: "round-committed"; readonly payload: RoundSummary }
  | { readonly type: "round-judged"; readonly payload: JudgedRound }
  | { readonly type: "run-waiting"; readonly payload: { readonly round: number; readonly code: string; readonly message: string } }
  | { readonly type: "run-resumed"; readonly payload: { readonly round: number } }
  | {
      readonly type: "run-finished";
      readonly payload: {
        readonly outcome: "completed" | "failed" | "stopped";
        readonly reason: string | null;
        readonly modelHash: string | null;
        readonly modelId: string | null;
      };
    };

/** What rows are prepared by, as it was computed before the first round. */
export interface PreprocessingSummary {
  /** Parties whose statistics were added. */
  readonly accepted: number;
  /** Parties that were asked and whose statistics were not added. */
  readonly missed: readonly string[];
  /** Training rows that were counted. */
  readonly rows: number;
  readonly columns: number;
  /** Columns of numbers that nothing scales: they show no spread within their declared ranges. */
  readonly constant: readonly string[];
  readonly bytesUp: number;
  readonly preprocessingHash: string;
}

/** One committed round, as `run watch` prints it. */
export interface RoundSummary {
  readonly round: number;
  readonly rounds: number;
  readonly attempt: number;
  /** Parties whose updates were added. */
  readonly accepted: number;
  /** Parties that were asked and whose update was not added. */
  readonly missed: readonly string[];
  readonly fit: Readonly<Record<string, number>>;
  /** On held-out rows; null where the model was not judged, or is judged with the next round's updates (`round-judged`). */
  readonly evaluated: Readonly<Record<string, number>> | null;
  readonly bytesUp: number;
  readonly bytesDown: number;
  readonly seconds: number;
  readonly saturated: number;
  readonly modelHash: string;
}

/** How the model of a round does on held-out rows, where that became known after its commit: with the updates of the next round, as in protected runs. */
export interface JudgedRound {
  readonly round: number;
  readonly rounds: number;
  readonly evaluated: Readonly<Record<string, number>>;
  readonly modelHash: string;
}

/** An event with its number: 1, 2, 3, … within its run, without gaps. */
export type RunEvent = RunEventBody & { readonly number: number; readonly at: string };
