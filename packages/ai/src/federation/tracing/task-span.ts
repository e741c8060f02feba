import { type Task, TaskKind } from "@ciphernx/protocol/proto";
import type { Tracer } from "@opentelemetry/api";
import type { Answer } from "../node/answer-task.ts";
import { inSpan, markFailed } from "./in-span.ts";
import { contextOf } from "./trace-context.ts";

/** What a task is called in its span; what a coordinator writes there is not taken over. */
const KINDS: Readonly<Record<TaskKind, string>> = {
  [TaskKind.UNSPECIFIED]: "unknown",
  [TaskKind.STATISTICS]: "statistics",
  [TaskKind.FIT]: "fit",
  [TaskKind.EVALUATE]: "evaluate",
};

/** Answers a task within a span of the node, below the one that the coordinator sent with it. */
export function inTaskSpan(tracer: Tracer | undefined, task: Task, nodeId: string, answer: () => Promise<Answer>): Promise<Answer> {
  if (tracer === undefined) return answer();
  const { taskId, runId, round, attempt, traceparent } = task;
  const kind = KINDS[task.kind] ?? "unknown";
  const attributes = {
    ...{ "nexus.run.id": runId, "nexus.round": round, "nexus.attempt": attempt, "nexus.phase": kind },
    ...{ "nexus.task.id": taskId, "nexus.node.id": nodeId },
  };
  return inSpan(tracer, `answer ${kind}`, { attributes, parent: contextOf(traceparent) }, async (span) => {
    const answered = await answer();
    if (answered.kind !== "accepted" && span !== undefined) markFailed(span, answered.error);
    return answered;
  });
}
