/** A node's way through a protected sum: every message of the coordinator is checked, and what leaves the node is remembered first. @module */
import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { NexusError } from "@ciphernx/core/errors";
import { bitmapOf, createParticipant, type Directory, type Participant, type SecAggPrimitives, SecAggViolation } from "@ciphernx/crypto/secagg";
import { SumContributionSchema, SumStep, type TakeSumStepResponse } from "@ciphernx/protocol/proto";
import type { CoordinateVector } from "../../../aggregation/index.ts";
import type { TaskPlan } from "../../../spec/index.ts";
import type { PhaseKind } from "../../round/run-round.ts";
import { dealtMessage, keysMessage, keysOf, receivedShares, revealedMessage } from "../../sum/messages.ts";
import { ringOf, sumContext, sumRules } from "../../sum/sum-terms.ts";
import type { NodeIdentity } from "../identity.ts";
import type { NodeSession } from "../session.ts";
import type { JournalledSum, SumJournal } from "./sum-journal.ts";

/** How long one long poll for a step waits at the coordinator. */
const STEP_WAIT_MS = 30_000;

export interface TakePartOptions {
  readonly session: NodeSession;
  readonly identity: NodeIdentity;
  readonly primitives: SecAggPrimitives;
  readonly journal: SumJournal;
  readonly directory: Directory;
  readonly task: {
    readonly taskId: string;
    readonly runId: string;
    readonly round: number;
    readonly attempt: number;
    readonly baseModelHash: string;
  };
  readonly kind: PhaseKind;
  readonly plan: TaskPlan;
  /** The node's place in the plan's list. */
  readonly place: number;
  readonly sum: JournalledSum;
  readonly vector: CoordinateVector;
  /** Where the masked vector is to lie. */
  readonly into: Uint8Array<ArrayBuffer>;
  readonly signal: AbortSignal;
  /** Does something until it succeeds, is refused, or is too late. */
  persistently<T>(action: () => Promise<T>): Promise<T>;
  /** Uploads and reports the masked vector. */
  send(masked: Uint8Array<ArrayBuffer>): Promise<void>;
}

type Contribution = NonNullable<MessageInitShape<typeof SumContributionSchema>["step"]>;
type Next = NonNullable<TakeSumStepResponse["next"]>;
type NextOf<Case extends Next["case"]> = Extract<Next, { case: Case }>["value"];

/**
 * Masks a vector, sends it, and helps to unmask the sum that it is in.
 * @throws NexusError SUM_REFUSED when something does not fit; TASK_CLOSED when the sum went on without this node
 */
export async function takePart(options: TakePartOptions): Promise<void> {
  const { identity, directory, plan, kind, place, sum, primitives, task } = options;
  const participant = createParticipant({
    ...{ party: place, identity: identity.key, directory, rules: sumRules(plan, kind), primitives },
    context: sumContext({ ...task, kind, planHash: plan.planHash }),
  });
  try {
    await takeSteps(options, participant);
  } catch (error) {
    if (!(error instanceof SecAggViolation)) throw error;
    const { reason, message } = error;
    // That it refuses is told, so that nobody waits for it; if it cannot be told, silence does.
    await handIn(options, { case: "refusal", value: { reason, message } }, SumStep.UNMASK, 0).catch(() => {});
    const named = error.party === undefined ? {} : { place: error.party };
    throw new NexusError("SUM_REFUSED", `${identity.name} takes no further part in the sum of round ${sum.round}: ${message} (${reason})`, {
      details: { reason, ...named },
    });
  } finally {
    participant.wipe();
  }
}

async function takeSteps(options: TakePartOptions, participant: Participant): Promise<void> {
  const { journal, directory, plan, sum, vector, into, task } = options;
  await journal.append({ ...sum, step: "begun", taskId: task.taskId });
  const announced = await next(options, { case: "keys", value: keysMessage(await participant.advertise()) }, SumStep.KEYS, "cohort");
  const wanted = participant.enrol(announced);
  let keys = announced.keys;
  if (keys.length === 0) {
    const holders = bitmapOf(directory.size, wanted);
    ({ keys } = await next(options, { case: "holders", value: holders }, SumStep.HOLDERS, "keys"));
  }
  const dealt = await participant.deal(keys.map(keysOf));
  const inbox = await next(options, { case: "shares", value: { shares: dealt.map(dealtMessage) } }, SumStep.SHARES, "inbox");
  const received = { dealers: inbox.dealers, shares: inbox.shares.map(receivedShares), advertisements: inbox.keys.map(keysOf) };
  const { bytes } = await participant.mask(received, vector, ringOf(plan), into);
  await journal.keepVector(sum, bytes);
  await options.send(bytes);

  const survivors = await next(options, undefined, SumStep.VECTOR, "survivors");
  const { signature } = await participant.agree(survivors);
  const { signatures } = await next(options, { case: "survivors", value: signature }, SumStep.SURVIVORS, "signatures");
  const revealed = await participant.unmask(signatures.map(({ party, signature: signed }) => ({ party, signature: signed })));
  const message = toBinary(SumContributionSchema, contributionOf({ case: "unmask", value: { shares: revealed.map(revealedMessage) } }));
  await journal.append({ ...sum, step: "answered", taskId: task.taskId, message });
  await next(options, fromBinary(SumContributionSchema, message).step, SumStep.UNMASK, "end");
  await journal.append({ ...sum, step: "arrived" });
}

/**
 * Brings sums to an end that the node was in when it was stopped: sends answers again that may not have arrived, exactly those, and tells that nobody
 * need wait for others, since their secrets are gone. A vector that was made ready goes with its task, which is given out again.
 */
export async function finishSums(
  { session, identity, journal }: Pick<TakePartOptions, "session" | "identity" | "journal">,
  isConnectionProblem: (error: unknown) => boolean,
): Promise<void> {
  for (const { taskId, run, kind, round, attempt, ...entry } of await journal.unfinished()) {
    const isAnswer = entry.step === "answered";
    const contribution = isAnswer ? fromBinary(SumContributionSchema, entry.message) : contributionOf(restarted(identity, round));
    try {
      await session.call((client) => client.takeSumStep({ taskId, contribution, after: isAnswer ? SumStep.UNMASK : SumStep.VECTOR, waitMs: 0 }));
    } catch (error) {
      // Taken already, or nobody wants it any more.
      if (isConnectionProblem(error)) throw error;
    }
    await journal.append({ run, kind, round, attempt, step: isAnswer ? "arrived" : "left" });
  }
}

/** What a node says that holds no shares of the others any more. */
export function restarted({ name }: Pick<NodeIdentity, "name">, round: number): Contribution {
  const message = `${name} helps no more with the sum of round ${round}: it was restarted, and holds no shares of the others any more`;
  return { case: "refusal", value: { reason: "out-of-order", message } };
}

/** Hands in a step and waits for what follows it. @throws NexusError TASK_CLOSED when nothing does */
async function next<Case extends NonNullable<Next["case"]>>(
  options: TakePartOptions,
  contribution: Contribution | undefined,
  after: SumStep,
  wanted: Case,
): Promise<NonNullable<NextOf<Case>>> {
  for (let given = contribution; ; given = undefined) {
    const { next: answer } = await options.persistently(() => handIn(options, given, after, STEP_WAIT_MS));
    if (answer.case === undefined) continue;
    if (answer.case === wanted) return answer.value as NonNullable<NextOf<Case>>;
    if (answer.case === "end") throw new NexusError("TASK_CLOSED", answer.value.reason, { details: { task: options.task.taskId } });
    throw new SecAggViolation("out-of-order", `The coordinator answers with "${answer.case}" where "${wanted}" is due.`);
  }
}

function handIn(
  { session, task, signal }: TakePartOptions,
  contribution: Contribution | undefined,
  after: SumStep,
  waitMs: number,
): Promise<TakeSumStepResponse> {
  const request = { taskId: task.taskId, after, waitMs, ...(contribution === undefined ? {} : { contribution: contributionOf(contribution) }) };
  return session.call((client) => client.takeSumStep(request, { signal, timeoutMs: waitMs + 15_000 }));
}

function contributionOf(step: Contribution) {
  return create(SumContributionSchema, { step });
}
