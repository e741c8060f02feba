/** One step of a protected sum, as a node takes it: what it hands in, and what it needs for the next. @module */
import { type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { NexusError } from "@ciphernx/core/errors";
import { redactSecrets } from "@ciphernx/core/identity/redact";
import type { Waiters } from "@ciphernx/core/lifecycle";
import { prepared, retrying, rounds, type Store, sumContributions, tasks } from "@ciphernx/core/store";
import { and, eq, sql } from "@ciphernx/core/store/sql";
import {
  bitmapOf,
  checkAdvertisement,
  checkAgreement,
  checkDealing,
  type Directory,
  secAggParameters,
  type SecAggPrimitives,
  SecAggViolation,
} from "@ciphernx/crypto/secagg";
import {
  DealingSchema,
  KeyAdvertisementSchema,
  type SumContribution,
  SumStep,
  type TakeSumStepRequest,
  type TakeSumStepResponseSchema,
  UnmaskAnswerSchema,
} from "@ciphernx/protocol/proto";
import type { RunPlan } from "../../../spec/index.ts";
import { dealtShares, keysMessage, keysOf } from "../../sum/messages.ts";
import { sumContext, sumRules } from "../../sum/sum-terms.ts";
import { type Refused, refuseTask } from "../acknowledge.ts";
import { answersKey, runKey } from "../engine-context.ts";
import { appendEvents } from "../event-log.ts";
import type { RunDocumentCache } from "../run-documents.ts";
import { sumKey } from "./sum-key.ts";
import { contribute, placesByName, placesOfBitmap, REFUSAL, type SumPhase, type SumStepName } from "./sum-store.ts";
import type { SumView, SumViews } from "./sum-views.ts";

/** Longest wait of one step. */
const MAX_WAIT_MS = 60_000;
const MAX_REASON_CHARACTERS = 2_000;
const STEP_OF: Readonly<Record<SumStep, SumStepName | undefined>> = {
  [SumStep.UNSPECIFIED]: undefined,
  [SumStep.KEYS]: "keys",
  [SumStep.HOLDERS]: "holders",
  [SumStep.SHARES]: "shares",
  [SumStep.VECTOR]: "vector",
  [SumStep.SURVIVORS]: "survivors",
  [SumStep.UNMASK]: "unmask",
};

export interface TakeSumStepOptions {
  readonly store: Store;
  readonly documents: RunDocumentCache;
  readonly views: SumViews;
  readonly waiters: Waiters;
  readonly primitives: SecAggPrimitives;
  readonly nodeId: string;
  /** The node's identity key. */
  readonly publicKey: Uint8Array;
  readonly request: TakeSumStepRequest;
  readonly signal: AbortSignal;
}

type NextStep = MessageInitShape<typeof TakeSumStepResponseSchema>;

/** A task of a protected sum, whatever its state. */
interface SumTask extends SumPhase {
  readonly id: string;
  readonly party: string;
  readonly place: number;
  readonly state: string;
  /** Whether nothing was asked of the attempt's parties any more when the call came. */
  readonly isOver: boolean;
  readonly plan: RunPlan;
  readonly view: SumView;
  readonly baseModelHash: string;
}

/**
 * Takes in what a node hands in for a step, and waits for what the next one needs.
 * @throws NexusError FORBIDDEN, MESSAGE_INVALID, UPDATE_REJECTED naming what the party did, TASK_CLOSED when the sum went on without it
 */
export async function takeSumStep(options: TakeSumStepOptions): Promise<NextStep> {
  const { waiters, request, signal } = options;
  if (request.taskId === "") throw new NexusError("MESSAGE_INVALID", "The request names no task whose sum it takes part in.");
  const task = await retrying(() => sumTask(options));
  const after = STEP_OF[request.after];
  if (after === undefined) throw new NexusError("MESSAGE_INVALID", "The request does not say which step the party has taken.");
  if (request.contribution?.step.case !== undefined) await handIn(options, task, request.contribution);
  else if (!(await retrying(() => hasTaken(options.store, task, after)))) {
    return end(`The coordinator knows nothing of this party's "${after}": an older state of it was restored.`);
  }
  const deadlineMs = Date.now() + Math.min(request.waitMs, MAX_WAIT_MS);
  for (let isOver = task.isOver; ;) {
    // The place in the queue is taken before the look, so that no wake between the two is lost.
    const woken = waiters.wait(sumKey(task), { timeoutMs: Math.max(1, deadlineMs - Date.now()), signal });
    woken.catch(() => {}); // a call that hung up while the database was asked
    const next = await retrying(() => nextStep(task, after));
    if (next !== undefined) return next;
    if (isOver || task.view.isOver) return end("The attempt was given up.");
    if (!(await woken)) return {};
    // Whoever ends a step tells the view first; what it does not know of then is in the database.
    if ((await task.view.steps()).has(after) || task.view.isOver) continue;
    await retrying(() => task.view.readAgain());
    isOver = (await retrying(() => sumTask(options))).isOver;
  }
}

async function sumTask({ store, documents, views, nodeId, request: { taskId } }: TakeSumStepOptions): Promise<SumTask> {
  const [row] = await taskInSum(store.db).execute({ task: taskId, node: nodeId });
  if (row === undefined) throw new NexusError("FORBIDDEN", `The node ${nodeId} was given no task ${taskId}.`, { details: { task: taskId } });
  const { plan } = await documents.of(row.runId);
  if (plan.protection === undefined) throw new NexusError("MESSAGE_INVALID", `The run ${row.runId} protects no sums.`);
  const isOver = [row.attemptState, row.state].some((state) => OVER.has(state));
  return { ...row, isOver, plan, view: views.of(row, plan), place: placesByName(plan).get(row.party)! };
}

/** Whether a party that says it has taken a step did, as far as is known here. */
async function hasTaken({ db }: Store, task: SumTask, step: SumStepName): Promise<boolean> {
  if (task.isOver || step === "unmask") return true;
  if (step === "vector") return task.state === "accepted";
  const kept = and(eq(sumContributions.taskId, task.id), eq(sumContributions.step, step));
  return (await db.select({ step: sumContributions.step }).from(sumContributions).where(kept)).length > 0;
}

/** States of an attempt and of a task in which nobody takes a step any more. */
const OVER: ReadonlySet<string> = new Set(["abandoned", "committed", "expired", "failed", "rejected"]);

const taskInSum = prepared((db) =>
  db
    .select({
      ...{ id: tasks.id, runId: tasks.runId, round: tasks.round, attempt: tasks.attempt, kind: tasks.kind },
      ...{ party: tasks.party, state: tasks.state, baseModelHash: tasks.baseModelHash, attemptState: rounds.state },
    })
    .from(tasks)
    .innerJoin(rounds, and(eq(rounds.runId, tasks.runId), eq(rounds.round, tasks.round), eq(rounds.attempt, tasks.attempt)))
    .where(and(eq(tasks.id, sql.placeholder("task")), eq(tasks.nodeId, sql.placeholder("node"))))
    .prepare("task-in-sum"),
);

async function handIn(options: TakeSumStepOptions, task: SumTask, contribution: SumContribution): Promise<void> {
  const { store, waiters, request } = options;
  const { step } = contribution;
  if (step.case === "refusal") {
    const { reason, message } = step.value;
    // Of what comes after a vector that has not arrived yet.
    if (request.after === SumStep.VECTOR && task.state !== "accepted") return;
    return leave(options, task, { state: "failed", code: "SUM_REFUSED", message: `${message} (${reason})` });
  }
  let checked: { readonly step: SumStepName; readonly message: Uint8Array };
  try {
    checked = await checkStep(options, task, contribution);
  } catch (error) {
    if (!(error instanceof SecAggViolation || error instanceof RangeError)) throw error;
    const message = `What ${task.party} handed in for the sum is refused: ${error.message}`;
    await leave(options, task, { state: "rejected", code: "UPDATE_REJECTED", message });
    throw new NexusError("UPDATE_REJECTED", message, { details: { task: task.id } });
  }
  switch (await retrying(() => contribute(store, task, task.id, checked.step, checked.message))) {
    case "kept":
    case "again":
      if (task.view.answered(checked.step, task.place)) waiters.wake(answersKey(task.runId));
      return;
    case "late":
      throw new NexusError("TASK_CLOSED", `The sum of task ${task.id} went on without this step: ${checked.step}.`, { details: { task: task.id } });
    case "other":
      throw new NexusError("UPDATE_REJECTED", `${task.party} handed in something else before for the step "${checked.step}" of task ${task.id}.`, {
        details: { task: task.id },
      });
  }
}

/** What a step keeps of a contribution that is in order. @throws SecAggViolation, RangeError */
async function checkStep(options: TakeSumStepOptions, task: SumTask, { step }: SumContribution) {
  const { publicKey, primitives } = options;
  const { plan, place, view } = task;
  const size = plan.parties.length;
  // A party speaks for itself alone.
  const directory: Directory = { size, of: (party) => (party === place ? { key: publicKey, organisation: "" } : undefined) };
  const context = sumContext({ ...task, planHash: plan.planHash });
  const inTurn = async (before: SumStepName) => {
    if (!(await view.steps()).has(before)) await view.readAgain();
    const taken = (await view.steps()).get(before);
    if (taken?.includes(place) === true) return taken;
    throw new SecAggViolation("out-of-order", `It did not take the step "${before}".`, place);
  };
  switch (step.case) {
    case "keys":
      await checkAdvertisement(context, keysOf(step.value), directory, primitives);
      return { step: "keys", message: toBinary(KeyAdvertisementSchema, { ...step.value, proof: [] }) } as const;
    case "holders": {
      const members = await inTurn("keys");
      const drawn = placesOfBitmap(step.value, plan);
      const { holders } = secAggParameters(members.length, sumRules(plan, task.kind).assumptions);
      if (drawn.length !== holders || drawn.includes(place) || drawn.some((one) => !members.includes(one))) {
        throw new SecAggViolation("malformed", `It draws ${drawn.length} holders; ${holders} others of the cohort are due.`, place);
      }
      return { step: "holders", message: step.value } as const;
    }
    case "shares": {
      await inTurn((await view.isComplete()) ? "keys" : "holders");
      checkDealing(place, step.value.shares.map(dealtShares), await view.holdersOf(place));
      return { step: "shares", message: toBinary(DealingSchema, step.value) } as const;
    }
    case "survivors": {
      const [survivors, dealers] = [await inTurn("vector"), await inTurn("shares")];
      const list = { root: (await view.cohort()).root, dealers: bitmapOf(size, dealers), survivors: bitmapOf(size, survivors) };
      await checkAgreement(context, list, { party: place, signature: step.value }, directory);
      return { step: "survivors", message: step.value } as const;
    }
    case "unmask":
      await inTurn("survivors");
      return { step: "unmask", message: toBinary(UnmaskAnswerSchema, step.value) } as const;
    default:
      throw new SecAggViolation("malformed", "It is no step of a sum.", place);
  }
}

/** A party goes no further, by its own word or because of what it did. Before its vector its task is closed; afterwards it is in the sum, and only helps no more. */
async function leave({ store, waiters }: TakeSumStepOptions, task: SumTask, refused: Pick<Refused, "state" | "code" | "message">) {
  if (task.state !== "accepted") await retrying(() => refuseTask(store, task, refused));
  else {
    const refuseStep = async (step: SumStepName) => {
      const kept = await retrying(() => contribute(store, task, task.id, step, REFUSAL));
      task.view.answered(step, task.place);
      return kept;
    };
    const signed = await refuseStep("survivors");
    // Who has signed helps no more all the same.
    const isNew = signed === "kept" || (signed !== "again" && (await refuseStep("unmask")) === "kept");
    if (isNew) {
      const { round, attempt, kind, party } = task;
      const message = redactSecrets(refused.message).slice(0, MAX_REASON_CHARACTERS).replaceAll("\0", "\u{FFFD}");
      const event = { type: "answer-refused", payload: { round, attempt, kind, party, code: refused.code, message } } as const;
      await retrying(() => store.db.transaction((tx) => appendEvents(tx, task.runId, [event])));
    }
  }
  waiters.wake(answersKey(task.runId));
  waiters.wake(runKey(task.runId));
}

/** What the party needs after a step; undefined while that step goes on. */
async function nextStep({ plan, place, view }: SumTask, after: SumStepName): Promise<NextStep | undefined> {
  if (after === "unmask") return end("The party has given its answer.");
  const taken = (await view.steps()).get(after);
  if (taken === undefined) return undefined;
  if (!taken.includes(place)) return end(`The sum went on without this party's "${after}".`);
  const bitmap = (places: Iterable<number>) => bitmapOf(plan.parties.length, places);
  /** Keys of these parties, with what shows them in the cohort. */
  const proven = async (parties: Iterable<number>) => {
    const cohort = await view.cohort();
    return [...parties].map((party) => cohort.proven(party)!).map((ad) => keysMessage(ad, ad.proof));
  };
  switch (after) {
    case "keys": {
      const { root, advertisements } = await view.cohort();
      const keys = (await view.isComplete()) ? advertisements.map((ad) => keysMessage(ad)) : [];
      return { next: { case: "cohort", value: { members: bitmap(taken), root, keys } } };
    }
    case "holders":
      return { next: { case: "keys", value: { keys: await proven([place, ...(await view.holdersOf(place))]) } } };
    case "shares": {
      const shares = await view.sharesFor(place);
      const holders = await view.holdersOf(place);
      const unknown = (await view.isComplete()) ? [] : shares.map(({ dealer }) => dealer).filter((dealer) => !holders.has(dealer));
      const received = shares.map(({ dealer, enc, ciphertext }) => ({ party: dealer, enc, ciphertext }));
      return { next: { case: "inbox", value: { dealers: bitmap(taken), shares: received, keys: await proven(unknown) } } };
    }
    case "vector":
      return { next: { case: "survivors", value: bitmap(taken) } };
    case "survivors": {
      const holders = await view.holdersOf(place);
      const signed = (await view.signatures()).filter(({ party }) => holders.has(party));
      return { next: { case: "signatures", value: { signatures: signed.map(({ party, message }) => ({ party, signature: message })) } } };
    }
  }
}

function end(reason: string): NextStep {
  return { next: { case: "end", value: { reason } } };
}
