import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { sleep } from "@ciphernx/core/lifecycle";
import type { NextTaskResponse, Task } from "@ciphernx/protocol/proto";
import { type SecAggPrimitives, webSecAgg } from "@ciphernx/crypto/secagg";
import type { Tracer } from "@opentelemetry/api";
import { loadAggregationKernel } from "../../aggregation/index.ts";
import { type Answer, answerTask, type AnswerTaskOptions, isConnectionProblem } from "./answer-task.ts";
import { type DatasetGuard, OPEN_GUARD } from "./dataset-guard.ts";
import { type KeptValues, memoryKeptValues } from "./kept-values.ts";
import type { AuditHeads } from "./follow-audit-heads.ts";
import type { NodeRoster } from "./follow-roster.ts";
import { createPlanParties } from "./plan-parties.ts";
import { type NodeSession, openSession, type OpenSessionOptions } from "./session.ts";
import { memorySumJournal, type SumJournal } from "./sum/sum-journal.ts";
import { finishSums } from "./sum/take-part.ts";
import { createTaskMemory } from "./task-memory.ts";
import type { Trainer } from "../../training/index.ts";

/** How long one long poll waits at the coordinator. */
const POLL_WAIT_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 5_000;

/** What happens at a node, for its log. */
export type NodeEvent =
  | { readonly type: "connected" }
  | { readonly type: "waiting-for-coordinator"; readonly error: NexusError }
  /** What the coordinator shows as the roster is not what the node goes by. */
  | { readonly type: "roster-refused"; readonly error: NexusError }
  | { readonly type: "task"; readonly task: Task }
  /** What the party should have kept from its last round is gone; it goes on from the initial values of the tensors that it does not share. */
  | { readonly type: "kept-values-lost"; readonly task: Task; readonly reason: string }
  | { readonly type: "answered"; readonly task: Task; readonly answer: Answer };

export interface RunNodeOptions extends Omit<OpenSessionOptions, "kernelBuild"> {
  readonly trainer: Trainer;
  readonly signal: AbortSignal;
  /**
   * Asked before every session, and between tasks with the fingerprint of the coordinator's CA: `NodeConnection.renew`. After a true
   * the node connects anew. Default: there is nothing to renew.
   */
  readonly renew?: (caFingerprint?: string) => Promise<boolean>;
  readonly digest?: AnswerTaskOptions["digest"];
  /** Where the party's own values of tensors that it does not share are kept. Default: in memory, lost with the process. */
  readonly kept?: KeptValues;
  /** Cryptography of protected sums, asked for with the first of them. Default: WebCrypto's. */
  readonly secAgg?: () => Promise<SecAggPrimitives>;
  /** What this node remembers of protected sums. Default: in memory, lost with the process as the keys are. */
  readonly sums?: SumJournal;
  /** What this node has seen of the coordinator's audit log. Default: nothing is kept. */
  readonly auditHeads?: AuditHeads | undefined;
  /** Who may take part beside this node. Default: everybody. */
  readonly roster?: NodeRoster | undefined;
  /** Speaks for the owners of the node's datasets. Default: every run is let in. */
  readonly guard?: DatasetGuard;
  /** Traces what becomes of tasks, below the spans that the coordinator sends. Default: nothing is traced. */
  readonly tracer?: Tracer | undefined;
  readonly onEvent?: (event: NodeEvent) => void;
  /** Called after every session that is opened, for example to register datasets. */
  readonly onSession?: (session: NodeSession) => Promise<unknown>;
}

/**
 * Serves tasks until the signal aborts: waits for one, answers it, waits for the next. A coordinator that is away is waited
 * for, with pauses that grow to five seconds.
 * @throws NexusError when the node can never be let in: NODE_REMOVED, NODE_NOT_FOUND, SIGNATURE_INVALID; AUDIT_FORKED
 */
export async function runNode(options: RunNodeOptions): Promise<void> {
  const {
    identity,
    trainer,
    softwareVersion,
    connect,
    renew,
    signal,
    digest,
    onSession,
    roster,
    auditHeads,
    tracer,
    kept = memoryKeptValues(),
    guard = OPEN_GUARD,
    secAgg = webSecAgg,
    sums = memorySumJournal(),
  } = options;
  const tell = options.onEvent ?? (() => {});
  const kernel = await loadAggregationKernel();
  const memory = createTaskMemory();
  const parties = createPlanParties();
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    let session: NodeSession | undefined;
    try {
      await renew?.();
      session = await openSession({ identity, kernelBuild: trainer.kernelBuild, softwareVersion, connect });
      await auditHeads?.take(session.auditHead);
      await onSession?.(session);
      await finishSums({ session, identity, journal: sums }, isConnectionProblem);
      tell({ type: "connected" });
      let seenVersion = await lookAtRoster(session, roster, tell, 0);
      pauseMs = FIRST_PAUSE_MS;
      while ((await renew?.(session.caFingerprint)) !== true) {
        const { task, rosterVersion } = await nextTask(session, signal);
        if (rosterVersion > seenVersion) seenVersion = await lookAtRoster(session, roster, tell, rosterVersion);
        if (task === undefined) continue;
        tell({ type: "task", task });
        const answer = await withHeartbeat(session, task, signal, (taskSignal) =>
          answerTask({
            ...{
              session: session!,
              identity,
              trainer,
              kernel,
              task,
              memory,
              kept,
              secAgg,
              sums,
              guard,
              roster,
              parties,
              auditHeads,
              tracer,
              signal: taskSignal,
            },
            onLost: (reason) => tell({ type: "kept-values-lost", task, reason }),
            ...(digest === undefined ? {} : { digest }),
            onWaiting: (error) => tell({ type: "waiting-for-coordinator", error }),
          }),
        );
        if (answer !== undefined) tell({ type: "answered", task, answer });
        if (answer?.kind === "refused" && answer.error.code !== "TASK_CLOSED") {
          // The task may come again at once; what was refused then is likely to be refused now.
          await sleep(pauseMs, { signal });
          pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
        } else pauseMs = FIRST_PAUSE_MS;
      }
    } catch (error) {
      if (signal.aborted) break;
      if (!isConnectionProblem(error)) throw error;
      tell({ type: "waiting-for-coordinator", error: toNexusError(error) });
      await sleep(pauseMs, { signal }).catch(() => {}); // an abort ends the loop above
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    } finally {
      await session?.transport.close();
    }
  }
}

/**
 * Keeps what the roster is now, for approvals to name it. What is wrong with it is told here, and refuses each task later.
 * @returns the version that has been looked at, however that ended
 */
async function lookAtRoster(
  session: NodeSession,
  roster: NodeRoster | undefined,
  tell: (event: NodeEvent) => void,
  shownVersion: number,
): Promise<number> {
  try {
    return (await session.call(async () => roster?.follow(session.transport)))?.version ?? shownVersion;
  } catch (error) {
    if (isConnectionProblem(error)) throw error;
    tell({ type: "roster-refused", error: toNexusError(error) });
    return shownVersion;
  }
}

function nextTask(session: NodeSession, signal: AbortSignal): Promise<NextTaskResponse> {
  return session.call((client) => client.nextTask({ waitMs: POLL_WAIT_MS }, { signal, timeoutMs: POLL_WAIT_MS + 15_000 }));
}

/** Tells the coordinator that the node is alive while it works; gives the work up when nobody wants it any more. */
async function withHeartbeat(
  session: NodeSession,
  task: Task,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Answer>,
): Promise<Answer | undefined> {
  const cancelled = new AbortController();
  const beat = async (): Promise<void> => {
    const { cancelledTaskIds } = await session.call((client) => client.heartbeat({ taskIds: [task.taskId] }, { signal }));
    if (cancelledTaskIds.includes(task.taskId))
      cancelled.abort(new NexusError("TASK_CLOSED", `The coordinator no longer wants task ${task.taskId}.`));
  };
  // A heartbeat that fails says nothing of the task: the report will find the connection again, or not.
  const timer = setInterval(() => void beat().catch(() => {}), session.heartbeatIntervalMs);
  try {
    return await work(AbortSignal.any([signal, cancelled.signal]));
  } catch (error) {
    if (cancelled.signal.aborted && !signal.aborted) return undefined;
    throw error;
  } finally {
    clearInterval(timer);
  }
}
