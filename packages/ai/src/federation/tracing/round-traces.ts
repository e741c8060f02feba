import { NexusError, toNexusError } from "@ciphernx/core/errors";
import { ROOT_CONTEXT, type Span, trace, type Tracer } from "@opentelemetry/api";
import type { Phase } from "../round/run-round.ts";
import { allowedAttributes, REPORT, type SpanAttributes } from "./attributes.ts";
import { beginSpan, inSpan, markFailed, within } from "./in-span.ts";
import { traceparentOf } from "./trace-context.ts";

/** A round that is to be traced. */
export interface TracedRound {
  readonly runId: string;
  readonly round: number;
  readonly strategy: string;
  /** How many take part in the run. */
  readonly parties: number;
}

/** A task that is to be traced. */
export interface TracedTask extends Phase {
  readonly taskId: string;
  readonly runId: string;
}

/**
 * The coordinator's traces: one a round, in it each step that is recorded and each task from its delivery to its report. All in memory: what a
 * restart cuts off is traced anew.
 */
export interface RoundTraces {
  /** One round of a run; its outcome is what kind of result comes of it; `failed`, for want of a quorum, is an error. */
  round<T extends { readonly kind: string }>(round: TracedRound, work: () => Promise<T>): Promise<T>;
  /** One step of the round that is under way around it. */
  step<T>(step: string, action: () => Promise<T>): Promise<T>;
  /** A task on its way to a node, again when it was delivered before. Returns its `traceparent`; undefined where nothing is traced. */
  delivered(task: TracedTask, nodeId: string): string | undefined;
  /** A node's answer to a task: ends the task's span when it is taken, refused, or too late. */
  reported<T>(taskId: string, work: () => Promise<T>): Promise<T>;
  /** No answer to a phase is taken any more. */
  closed(runId: string, phase: Phase): void;
  /** The process is about to end: whatever has begun ends. */
  close(): void;
}

const UNTRACED: RoundTraces = {
  round: (_round, work) => work(),
  step: (_step, action) => action(),
  delivered: () => undefined,
  reported: (_taskId, work) => work(),
  closed() {},
  close() {},
};

/** What a report ends with while its task stays open: the node sends it again. */
const COMES_AGAIN: ReadonlySet<string> = new Set(["BLOB_NOT_FOUND"]);

interface OpenTask extends TracedTask {
  readonly span: Span;
  /** A report of it is being looked at; the report ends the span. */
  reporting: boolean;
  closed: boolean;
}

/** Traces rounds by a tracer; without one, nothing. */
export function createRoundTraces(tracer: Tracer | undefined): RoundTraces {
  if (tracer === undefined) return UNTRACED;
  /** The round under way of each run. */
  const rounds = new Map<string, Span>();
  const tasks = new Map<string, OpenTask>();
  /** Steps that wait for a process to come are never heard of again. */
  const steps = new Set<Span>();

  function endTask(task: OpenTask, error?: NexusError): void {
    if (error !== undefined) markFailed(task.span, error);
    task.span.end();
    tasks.delete(task.taskId);
  }

  function closeTasks(isMeant: (task: OpenTask) => boolean): void {
    for (const task of [...tasks.values()].filter(isMeant)) {
      task.closed = true;
      if (!task.reporting) endTask(task, new NexusError("TASK_CLOSED", `The task ${task.taskId} was not answered in time.`));
    }
  }

  return {
    async round({ runId, round, strategy, parties }, work) {
      const attributes: SpanAttributes = { "nexus.run.id": runId, "nexus.round": round, "nexus.strategy": strategy, "nexus.parties": parties };
      const span = beginSpan(tracer, "round", { attributes, parent: ROOT_CONTEXT });
      rounds.set(runId, span);
      try {
        return await within(span, ROOT_CONTEXT, async () => {
          const outcome = await work();
          span.setAttributes(allowedAttributes({ "nexus.outcome": outcome.kind } satisfies SpanAttributes));
          if (outcome.kind === "failed") markFailed(span, new NexusError("QUORUM_NOT_REACHED", `Round ${round} of ${runId} had no quorum.`));
          return outcome;
        });
      } finally {
        // The next round of the run may have begun.
        if (rounds.get(runId) === span) rounds.delete(runId);
        closeTasks((task) => task.runId === runId && task.round === round);
      }
    },

    async step(step, action) {
      // A name for all attempts; which one it was is in what the step is about.
      const [, name = step, attempt] = /^(.*?)(?: (\d+))?$/.exec(step) ?? [];
      const attributes: SpanAttributes = attempt === undefined ? {} : { "nexus.attempt": Number(attempt) };
      const span = beginSpan(tracer, name, { attributes });
      steps.add(span);
      try {
        return await within(span, undefined, action);
      } finally {
        steps.delete(span);
      }
    },

    delivered(task, nodeId) {
      const known = tasks.get(task.taskId);
      if (known !== undefined) return traceparentOf(known.span);
      const round = rounds.get(task.runId);
      if (round === undefined) return undefined;
      const { taskId, runId, kind } = task;
      const attributes: SpanAttributes = {
        ...{ "nexus.run.id": runId, "nexus.round": task.round, "nexus.attempt": task.attempt, "nexus.phase": kind },
        ...{ "nexus.task.id": taskId, "nexus.node.id": nodeId },
      };
      const span = beginSpan(tracer, `task ${kind}`, { attributes, parent: trace.setSpan(ROOT_CONTEXT, round) });
      tasks.set(taskId, { ...task, span, reporting: false, closed: false });
      return traceparentOf(span);
    },

    async reported(taskId, work) {
      const task = tasks.get(taskId);
      if (task === undefined) return work();
      task.reporting = true;
      let failure: NexusError | undefined;
      try {
        const attributes: SpanAttributes = { ...REPORT, "nexus.run.id": task.runId, "nexus.task.id": taskId };
        const parent = trace.setSpan(ROOT_CONTEXT, task.span);
        const outcome = await inSpan(tracer, REPORT["rpc.method"], { kind: "server", attributes, parent }, work);
        if (outcome === "failed") failure = new NexusError("TRAINER_FAILED", `The node reported a failure of task ${taskId}.`);
        return outcome;
      } catch (error) {
        failure = toNexusError(error);
        throw error;
      } finally {
        task.reporting = false;
        const comesAgain = failure !== undefined && (failure.retryable || COMES_AGAIN.has(failure.code)) && !task.closed;
        if (!comesAgain) endTask(task, failure);
      }
    },

    closed(runId, { kind, round, attempt }) {
      closeTasks((task) => task.runId === runId && task.kind === kind && task.round === round && task.attempt === attempt);
    },

    close() {
      const interrupted = new NexusError("INTERRUPTED", "The coordinator ends.");
      for (const task of [...tasks.values()]) endTask(task, interrupted);
      for (const span of [...steps, ...rounds.values()]) {
        markFailed(span, interrupted);
        span.end();
      }
      steps.clear();
      rounds.clear();
    },
  };
}
