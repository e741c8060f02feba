import type { AggregationKernel } from "@ciphernx/ai/aggregation";
import type { Deliveries, Engine, RunDocumentCache, SumViews } from "@ciphernx/ai/federation/coordinator";
import type { RoundTraces } from "@ciphernx/ai/federation/tracing";
import type { Authority } from "@ciphernx/core/identity/ca";
import type { SharedLock, Waiters } from "@ciphernx/core/lifecycle";
import type { Store } from "@ciphernx/core/store";
import type { SecAggPrimitives } from "@ciphernx/crypto/secagg";
import type { PartialUploads } from "@ciphernx/protocol/wire";
import type { Logger } from "pino";
import type { AuditLog } from "./audit/audit-log.ts";
import type { Access } from "./access.ts";
import type { ProjectRoster } from "./roster.ts";
import type { Sessions } from "./sessions.ts";
import type { StagedUploads } from "./staged-uploads.ts";

/** What the services of one coordinator share. */
export interface CoordinatorContext {
  readonly store: Store;
  readonly engine: Engine;
  readonly documents: RunDocumentCache;
  readonly deliveries: Deliveries;
  readonly traces: RoundTraces;
  readonly kernel: AggregationKernel;
  /** For protected sums. */
  readonly secAgg: SecAggPrimitives;
  readonly sumViews: SumViews;
  /** Build of the training kernels that runs are held to. */
  readonly kernelBuild: string;
  readonly waiters: Waiters;
  readonly blobLock: SharedLock;
  readonly sessions: Sessions;
  readonly uploads: StagedUploads;
  /** Uploads that were cut and whose senders may come back. */
  readonly partialUploads: PartialUploads;
  readonly access: Access;
  readonly audit: AuditLog;
  readonly roster: ProjectRoster;
  /** Where and how other machines are served; undefined without TLS. */
  readonly tls: { readonly authority: Authority; readonly publicUrl: () => string } | undefined;
  /** Ends the connections over TLS that show the certificate of a node. */
  readonly hangUp: (nodeId: string) => void;
  /** Where an invitation is taken up: by a browser on this machine, and on others where they are served. */
  readonly invitationLinks: (secret: string) => { readonly local: string; readonly public: string | undefined };
  readonly projectId: string;
  readonly version: string;
  readonly startedAt: Date;
  readonly log: Logger;
}
