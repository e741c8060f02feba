import type { GlobalOptions } from "../global-options.ts";

/** good: as it should be; warning: works, but not for long or not well; problem: something will fail. */
export type FindingState = "good" | "warning" | "problem";

/** What one look found. */
export interface Finding {
  /** What was looked at. */
  readonly subject: string;
  readonly state: FindingState;
  /** What was found, in a sentence. */
  readonly found: string;
  /** What to do about it; absent when it is good. */
  readonly fix?: string;
}

/** What checks look at. */
export interface Examined {
  readonly global: GlobalOptions;
  /** A node's folder, when one is to be examined. */
  readonly nodeFolder: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly signal: AbortSignal;
}

/** One concern. A check tells what is wrong as a finding; it throws only when it is interrupted. */
export type Check = (examined: Examined) => Promise<readonly Finding[]>;

export const good = (subject: string, found: string): Finding => ({ subject, state: "good", found });
export const warning = (subject: string, found: string, fix: string): Finding => ({ subject, state: "warning", found, fix });
export const problem = (subject: string, found: string, fix: string): Finding => ({ subject, state: "problem", found, fix });
