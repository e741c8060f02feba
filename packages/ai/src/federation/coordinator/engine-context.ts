import type { SharedLock, Waiters } from "@ciphernx/core/lifecycle";
import type { Store } from "@ciphernx/core/store";
import type { SecAggPrimitives } from "@ciphernx/crypto/secagg";
import type { AggregationKernel } from "../../aggregation/index.ts";
import type { RoundTraces } from "../tracing/index.ts";
import type { BlobCollector } from "./collect-blobs.ts";
import type { RunDocumentCache } from "./run-documents.ts";
import type { SumViews } from "./sum/sum-views.ts";

/** What the engine has at hand in one coordinator process. */
export interface EngineContext {
  readonly store: Store;
  readonly kernel: AggregationKernel;
  /** For protected sums. */
  readonly secAgg: SecAggPrimitives;
  readonly sumViews: SumViews;
  readonly waiters: Waiters;
  /** What tasks are delivered from. */
  readonly documents: RunDocumentCache;
  /** Shared by whoever commits blobs, held alone by whoever collects them. */
  readonly blobLock: SharedLock;
  /** Whether a node has not been heard of for a while. */
  absent(nodeId: string): boolean;
  readonly log: (level: "info" | "warn" | "error", message: string, details?: Readonly<Record<string, unknown>>) => void;
  /** Traces of rounds. */
  readonly traces: RoundTraces;
  /** Aborted when the process is about to end; work then waits for the next one. */
  readonly closing: AbortSignal;
}

/** What a round has at hand besides: what the engine makes for itself. */
export interface RoundContext extends EngineContext {
  readonly collector: BlobCollector;
}

/** Key under which the watchers of a run wait for events. */
export function runKey(runId: string): string {
  return `run:${runId}`;
}

/** Key under which the run's own workflow waits for answers. Events are no concern of it, nor answers of watchers. */
export function answersKey(runId: string): string {
  return `answers:${runId}`;
}

/** Key under which a node's long poll waits. */
export function nodeKey(nodeId: string): string {
  return `node:${nodeId}`;
}
