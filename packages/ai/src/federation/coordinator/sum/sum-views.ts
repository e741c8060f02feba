import { fromBinary } from "@bufbuild/protobuf";
import type { Store } from "@ciphernx/core/store";
import { type Cohort, cohortOf, type ReceivedShares, secAggParameters } from "@ciphernx/crypto/secagg";
import { DealingSchema, KeyAdvertisementSchema } from "@ciphernx/protocol/proto";
import type { RunPlan } from "../../../spec/index.ts";
import { keysOf } from "../../sum/messages.ts";
import { sumRules } from "../../sum/sum-terms.ts";
import { sumKey } from "./sum-key.ts";
import { type ClosedSteps, closedSteps, type Contribution, contributionsTo, placesOfBitmap, type SumPhase, type SumStepName } from "./sum-store.ts";

/** Sums that are kept: those at work. */
const KEPT = 16;

/** What is the same for all parties of a sum once a step has ended, read once for all that ask. */
export interface SumView {
  /** Steps that ended, as far as they were told here; from the database when nobody has asked before. */
  steps(): Promise<ClosedSteps>;
  /** Reads them anew: for whoever was woken and finds nothing. */
  readAgain(): Promise<void>;
  /** That a step ended, with whom: told by whoever ended it, so that those who wait for it need not ask. */
  tell(step: SumStepName, parties: readonly number[]): void;
  /** Whether the sum was given up, as far as that was told here. */
  readonly isOver: boolean;
  /** Tells that it was. */
  giveUp(): void;
  /**
   * Says that nobody need look at a step again before so many of these parties have answered it.
   * @returns whether they have, since whoever says it looked
   */
  expect(step: SumStepName, pending: readonly number[], answers: number): boolean;
  /** Notes that a party took a step, or refused to, once that is kept. @returns whether somebody has to look */
  answered(step: SumStepName, party: number): boolean;
  /** Keys of the cohort. */
  cohort(): Promise<Cohort>;
  /** Whether everybody holds shares of everybody. */
  isComplete(): Promise<boolean>;
  /** Who holds the shares of a party. */
  holdersOf(party: number): Promise<ReadonlySet<number>>;
  /** Shares that were dealt to a party. */
  sharesFor(party: number): Promise<readonly ReceivedShares[]>;
  /** Signatures of the survivors' list. */
  signatures(): Promise<readonly Contribution[]>;
}

/** Views of the sums that are under way. */
export interface SumViews {
  of(sum: SumPhase, plan: RunPlan): SumView;
}

export function createSumViews(store: Store): SumViews {
  const kept = new Map<string, SumView>();
  return {
    of(sum, plan) {
      const key = sumKey(sum);
      const view = kept.get(key) ?? sumView(store, sum, plan);
      // The latest used is the last to go.
      kept.delete(key);
      kept.set(key, view);
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT) break;
        kept.delete(oldest);
      }
      return view;
    },
  };
}

function sumView(store: Store, sum: SumPhase, plan: RunPlan): SumView {
  const known = new Map<SumStepName, readonly number[]>();
  const answers = new Map<SumStepName, Set<number>>();
  /** Parties that are waited for, and how many of them. */
  const expected = new Map<SumStepName, { readonly pending: Set<number>; answers: number }>();
  let isOver = false;
  let first: Promise<void> | undefined;
  const members = async () => (await steps()).get("keys") ?? [];

  async function readAgain(): Promise<void> {
    for (const [step, parties] of await closedSteps(store, sum, plan)) known.set(step, parties);
  }

  async function steps(): Promise<ClosedSteps> {
    first ??= readAgain();
    try {
      await first;
    } catch (error) {
      first = undefined;
      throw error;
    }
    return known;
  }

  /** What never changes once the step has ended; before, it is asked anew. */
  function ended<T>(step: SumStepName, read: () => Promise<T>): () => Promise<T> {
    let result: Promise<T> | undefined;
    return async () => {
      if (!(await steps()).has(step)) return read();
      result ??= read().catch((error: unknown) => {
        result = undefined;
        throw error;
      });
      return result;
    };
  }

  const taken = async (step: SumStepName) => {
    const who = new Set((await steps()).get(step));
    return (await contributionsTo(store, sum, plan, step)).filter(({ party }) => who.has(party));
  };
  const cohort = ended("keys", async () => cohortOf((await taken("keys")).map(({ message }) => keysOf(fromBinary(KeyAdvertisementSchema, message)))));
  const isComplete = ended("keys", async () => secAggParameters((await members()).length, sumRules(plan, sum.kind).assumptions).graph === "complete");
  const everybody = ended("keys", async () => new Set(await members()));
  const drawn = ended(
    "holders",
    async () => new Map((await taken("holders")).map(({ party, message }) => [party, new Set(placesOfBitmap(message, plan))])),
  );
  const shares = ended("shares", async () => {
    const byHolder = new Map<number, ReceivedShares[]>();
    for (const { party, message } of await taken("shares")) {
      for (const { party: holder, enc, ciphertext } of fromBinary(DealingSchema, message).shares) {
        const own = byHolder.get(holder) ?? [];
        own.push({ dealer: party, enc, ciphertext });
        byHolder.set(holder, own);
      }
    }
    return byHolder;
  });

  return {
    ...{ steps, readAgain, cohort, isComplete },
    tell: (step, parties) => void known.set(step, parties),
    get isOver() {
      return isOver;
    },
    giveUp: () => (isOver = true),
    expect(step, pending, wanted) {
      const known = answers.get(step);
      const missing = new Set(pending.filter((party) => known?.has(party) !== true));
      const left = wanted - (pending.length - missing.size);
      expected.set(step, { pending: missing, answers: left });
      return left <= 0;
    },
    answered(step, party) {
      answers.set(step, (answers.get(step) ?? new Set()).add(party));
      const waiting = expected.get(step);
      if (waiting === undefined) return true;
      if (waiting.pending.delete(party)) waiting.answers -= 1;
      return waiting.answers <= 0;
    },
    holdersOf: async (party) => ((await isComplete()) ? everybody() : ((await drawn()).get(party) ?? new Set())),
    sharesFor: async (party) => (await shares()).get(party) ?? [],
    signatures: ended("survivors", () => taken("survivors")),
  };
}
