import type { SumRecord } from "@ciphernx/ai/federation/coordinator";
import { apiTokenState } from "@ciphernx/core/identity";
import type { apiTokens, models, nodes, rounds, runs, tasks } from "@ciphernx/core/store";
import {
  ApiTokenSchema,
  DatasetSchema,
  ModelSchema,
  NodeSchema,
  ParticipationSchema,
  RoundSchema,
  RunSchema,
  SumSchema,
} from "@ciphernx/protocol/proto";
import { create } from "@bufbuild/protobuf";
import type { datasets } from "@ciphernx/core/store";
import type { Presence } from "./sessions.ts";

/** Rows as messages of the control API. Times are ISO 8601 in UTC, empty when there is none. @module */

const latest = (a: Date | null, b: Date | null): Date | null => (a !== null && (b === null || a > b) ? a : b);
const time = (at: Date | null): string => at?.toISOString() ?? "";

/** The row tells when the node last connected; its presence, where there is any, of signs of life after that. */
export function nodeMessage(row: typeof nodes.$inferSelect, { online, lastSeenAt }: Presence) {
  return create(NodeSchema, {
    id: row.id,
    name: row.name,
    status: row.status,
    online: row.status === "approved" && online,
    lastSeenAt: time(latest(row.lastSeenAt, lastSeenAt ?? null)),
    kernelBuild: row.kernelBuild ?? "",
    publicKeyHex: Buffer.from(row.publicKey).toString("hex"),
    joinedAt: time(row.joinedAt),
    signsRequests: row.signsRequests,
  });
}

export function apiTokenMessage(row: typeof apiTokens.$inferSelect) {
  return create(ApiTokenSchema, {
    ...{ id: row.id, name: row.name, role: row.role, state: apiTokenState(row, new Date()) },
    createdAt: time(row.createdAt),
    expiresAt: time(row.expiresAt),
    revokedAt: time(row.revokedAt),
    lastUsedAt: time(row.lastUsedAt),
  });
}

export function datasetMessage(row: typeof datasets.$inferSelect, nodeName: string) {
  return create(DatasetSchema, {
    id: row.id,
    name: row.name,
    nodeId: row.nodeId,
    nodeName,
    schemaJson: JSON.stringify(row.schema),
    trainExamples: BigInt(row.trainExamples),
    testExamples: BigInt(row.testExamples),
    contentHash: row.contentHash,
    registeredAt: time(row.registeredAt),
  });
}

export function runMessage(row: typeof runs.$inferSelect, modelId: string | null) {
  return create(RunSchema, {
    id: row.id,
    name: row.name,
    state: row.state,
    outcome: row.outcome ?? "",
    reason: row.reason ?? "",
    round: row.currentRound,
    rounds: row.rounds,
    startedBy: row.startedBy?.organisation ?? "",
    specHash: row.specHash,
    modelHash: row.modelHash ?? "",
    createdAt: time(row.createdAt),
    finishedAt: time(row.finishedAt),
    modelId: modelId ?? "",
    specJson: JSON.stringify(row.spec),
    planJson: JSON.stringify(row.plan),
    exposureJson: row.exposure === null ? "" : JSON.stringify(row.exposure),
  });
}

export function roundMessage(row: typeof rounds.$inferSelect, answers: readonly (typeof tasks.$inferSelect)[], sums: readonly SumRecord[]) {
  return create(RoundSchema, {
    round: row.round,
    attempt: row.attempt,
    state: row.state,
    baseModelHash: row.baseModelHash,
    modelHash: row.modelHash ?? "",
    metricsJson: JSON.stringify({ fit: row.fitMetrics ?? null, evaluated: row.evaluateMetrics ?? null, saturated: row.saturated }),
    bytesUp: BigInt(row.bytesUp),
    bytesDown: BigInt(row.bytesDown),
    seconds: row.committedAt === null ? 0 : (row.committedAt.getTime() - row.openedAt.getTime()) / 1000,
    participations: answers.map(participationMessage),
    sums: sums.map(sumMessage),
  });
}

function sumMessage({ kind, graph, parties, holders, threshold, corrupt, steps }: SumRecord) {
  return create(SumSchema, {
    ...{ kind, graph, parties, holders, threshold, corrupt },
    steps: steps.map(({ step, taken, dropped, durationMs }) => ({ step, taken, dropped: [...dropped], durationMs })),
  });
}

function participationMessage(row: typeof tasks.$inferSelect) {
  return create(ParticipationSchema, {
    party: row.party,
    nodeId: row.nodeId,
    kind: row.kind,
    state: row.state,
    reason: row.reasonCode === null ? "" : `${row.reasonCode}: ${row.reason ?? ""}`,
    bytesUp: BigInt(row.bytesUp),
    bytesDown: BigInt(row.bytesDown),
    durationMs: row.durationMs ?? 0,
    attempt: row.attempt,
    updateHash: row.blobHash ?? "",
    weight: BigInt(row.weight ?? 0),
  });
}

export function modelMessage(row: typeof models.$inferSelect) {
  return create(ModelSchema, {
    id: row.id,
    runId: row.runId,
    hash: row.hash,
    sizeBytes: BigInt(row.sizeBytes),
    cardJson: JSON.stringify(row.card),
    createdAt: time(row.createdAt),
    name: row.name,
  });
}
