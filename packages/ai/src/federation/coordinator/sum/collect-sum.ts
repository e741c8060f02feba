/** Takes a phase's parties through the steps of a protected sum. @module */
import { secAggParameters, SecAggViolation } from "@ciphernx/crypto/secagg";
import { close, type ClosingRule, type Standing } from "../../round/close.ts";
import type { Collected, Phase } from "../../round/run-round.ts";
import type { RunPlan } from "../../../spec/index.ts";
import { sumRules } from "../../sum/sum-terms.ts";
import { answersKey, type RoundContext } from "../engine-context.ts";
import type { HostedRun } from "../hosted-run.ts";
import { closePhase, expireOthers, lookAt } from "../phases.ts";
import { sumKey } from "./sum-key.ts";
import { answeredStep, closeStep, openedAt, placesByName, type SumPhase, type SumStepName } from "./sum-store.ts";
import { type UnmaskedSums } from "./unmasked-sums.ts";

/** Longest sleep between two looks at a step: what notices nodes that went silent. */
const LOOK_INTERVAL_MS = 1_000;
/** How long a step waits that costs a party milliseconds. Who is silent longer has dropped out, as far as this sum goes. */
const SHORT_STEP_MS = 60_000;

interface StepRule {
  readonly step: SumStepName;
  readonly size: number;
  readonly quorum: number;
  readonly deadlineUnixMs: number;
}

/** One sum that is collected, and what by. */
export interface SumToCollect {
  readonly context: RoundContext;
  readonly run: HostedRun;
  readonly sums: UnmaskedSums;
  readonly phase: Phase;
  readonly parties: readonly string[];
  readonly rule: ClosingRule;
}

/**
 * Collects one protected sum: keys, shares, masked vectors, signatures, answers. Every step that ended is kept, so that after a crash the next process goes on
 * where this one was. A sum that cannot be unmasked, or that no updates can add up to, is given up.
 */
export async function collectSum(collecting: SumToCollect): Promise<Collected> {
  const collected = await takeSteps(collecting);
  if (collected.kind === "abandon" && collecting.phase.kind === "evaluate") {
    // The attempt goes on without its evaluation; whoever still works for that is told.
    const { context, run, phase } = collecting;
    await expireOthers(context.store, run.runId, phase, []);
    giveUpSum(context, { ...phase, runId: run.runId }, run.plan);
  }
  return collected;
}

/** Tells the parties of a sum that nothing more comes of it. */
export function giveUpSum({ sumViews, waiters }: Pick<RoundContext, "sumViews" | "waiters">, sum: SumPhase, plan: RunPlan): void {
  sumViews.of(sum, plan).giveUp();
  waiters.wake(sumKey(sum));
}

async function takeSteps({ context, run, sums, phase, parties, rule }: SumToCollect): Promise<Collected> {
  const { store, closing, waiters, log } = context;
  const { runId, plan } = run;
  const sum: SumPhase = { ...phase, runId };
  const view = context.sumViews.of(sum, plan);
  const rules = sumRules(plan, phase.kind);
  const places = placesByName(plan);
  const placesOfNames = (names: readonly string[]) => names.map((name) => places.get(name)!).toSorted((a, b) => a - b);
  const namesOf = (taken: readonly number[]) => taken.map((place) => plan.parties[place]!.name);

  /** When the step before ended, where this process ended it. */
  let ended: Date | undefined;

  /** Waits for a step; its parties, or why there are too few. */
  async function take(
    step: SumStepName,
    before: SumStepName | undefined,
    asked: readonly string[],
    stepRule: Omit<StepRule, "step">,
  ): Promise<Collected> {
    const known = (await view.steps()).get(step);
    if (known !== undefined) return { kind: "close", accepted: namesOf(known) };
    const opened = ended ?? (await openedAt(store, sum, before));
    for (;;) {
      // The place in the queue is taken before the look, so that no wake between the two is lost.
      const woken = waiters.wait(answersKey(runId), {
        timeoutMs: Math.max(1, Math.min(LOOK_INTERVAL_MS, stepRule.deadlineUnixMs - Date.now())),
        signal: closing,
      });
      const look = await lookAt(store, runId, phase, asked, context.absent);
      if (look.stopRequested) return { kind: "stopped" };
      const standings = step === "vector" ? look.standings : stepStandings(step, look.standings, await answeredStep(store, sum, step));
      const decision = close(standings, stepRule, Date.now());
      if (decision.kind === "wait") {
        const pending = placesOfNames(standings.filter(({ state }) => state === "pending").map(({ party }) => party));
        const wanted = stepRule.size - standings.filter(({ state }) => state === "accepted").length;
        // Where only absent parties are left, or vectors are awaited, time or a report says when to look.
        const isAnswered = step !== "vector" && pending.length > 0 && view.expect(step, pending, Math.min(wanted, pending.length));
        if (!isAnswered) await woken;
        continue;
      }
      if (decision.kind === "abandon") return decision;
      // A vector that came after the look counts as well: it is acknowledged.
      const accepted = step === "vector" ? await closePhase(store, runId, phase, asked) : decision.accepted;
      const { parties: stand, at } = await closeStep(store, sum, plan, step, placesOfNames(accepted), opened);
      ended = at;
      const isOpenTo = step === "keys" || step === "holders" || step === "shares";
      if (isOpenTo && stand.length < asked.length) await expireOthers(store, runId, phase, namesOf(stand));
      view.tell(step, stand);
      waiters.wake(sumKey(sum));
      return { kind: "close", accepted: namesOf(stand) };
    }
  }

  // Beyond the phase's deadline if need be: what was learnt in time is not lost for a step that takes no time.
  const short = () => Date.now() + SHORT_STEP_MS;
  const keys = await take("keys", undefined, parties, { ...rule, quorum: Math.max(rule.quorum, rules.quorum, 2), size: Math.max(rule.size, 2) });
  if (keys.kind !== "close") return keys;
  let members = keys.accepted;
  const { graph, threshold, leastSurvivors } = secAggParameters(members.length, rules.assumptions);
  const least = Math.max(leastSurvivors, rules.quorum);
  const all = (asked: readonly string[], quorum: number, deadlineUnixMs = short()) => ({ size: asked.length, quorum, deadlineUnixMs });

  let before: SumStepName = "keys";
  if (graph === "sampled") {
    const drawn = await take("holders", before, members, all(members, least));
    if (drawn.kind !== "close") return drawn;
    [members, before] = [drawn.accepted, "holders"];
  }
  const dealt = await take("shares", before, members, all(members, least));
  if (dealt.kind !== "close") return dealt;
  const masked = await take("vector", "shares", dealt.accepted, all(dealt.accepted, least, rule.deadlineUnixMs));
  if (masked.kind !== "close") return masked;
  const survivors = masked.accepted;
  const agreed = await take("survivors", "vector", survivors, all(survivors, threshold));
  if (agreed.kind !== "close") return agreed;
  const answered = await take("unmask", "survivors", agreed.accepted, all(agreed.accepted, threshold));
  if (answered.kind !== "close") return answered;
  try {
    await sums.check(phase);
  } catch (error) {
    if (!(error instanceof SecAggViolation)) throw error;
    const why = error.message.replaceAll(/\b[Pp]arty (\d+)\b/g, (place, number: string) => plan.parties[Number(number)]?.name ?? place);
    log("warn", `The sum of attempt ${phase.attempt} at round ${phase.round} of ${runId} is given up: ${why}`, { run: runId });
    return { kind: "abandon", missing: error.party === undefined ? [] : namesOf([error.party]), why };
  }
  return { kind: "close", accepted: survivors };
}

/** Who has taken a step of those who are still in the sum. */
function stepStandings(step: SumStepName, tasks: readonly Standing[], answered: ReadonlyMap<string, "taken" | "refused">): readonly Standing[] {
  // Once the vectors are in, a task is accepted; before, it is open.
  const isAfterVector = step === "survivors" || step === "unmask";
  return tasks.map(({ party, state }) => {
    const answer = answered.get(party);
    if (answer !== undefined) return { party, state: answer === "taken" ? "accepted" : "refused" };
    if (isAfterVector) return { party, state: state === "accepted" ? "pending" : "refused" };
    // Whose vector is there already can take no step before it: a hostile party, or one that a coordinator's older backup does not know.
    return { party, state: state === "accepted" ? "refused" : state };
  });
}
