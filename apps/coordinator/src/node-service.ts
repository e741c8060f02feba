import { registeredSchema, type RegisteredSchema, schemaText } from "@ciphernx/ai/data";
import {
  acknowledge,
  answersKey,
  cancelledTasks,
  nodeKey,
  openTask,
  type PartyPlace,
  refuseTask,
  runKey,
  takeSumStep,
} from "@ciphernx/ai/federation/coordinator";
import type { PlannedParty } from "@ciphernx/ai/spec";
import { NexusError } from "@ciphernx/core/errors";
import { newId } from "@ciphernx/core/ids";
import { nameSchema, parseDocumentWith, sha256Schema } from "@ciphernx/core/spec";
import { databaseError, datasets, nodes, retrying, tasks } from "@ciphernx/core/store";
import { PUBLIC_KEY_BYTES, verify } from "@ciphernx/crypto/keys";
import { type NodeService, TaskKind } from "@ciphernx/protocol/proto";
import { callerAddress, callerToken, certificateBytes, registrationBytes, reportBytes, sessionBytes } from "@ciphernx/protocol/wire";
import { callerSigner } from "@ciphernx/protocol/wire/server";
import type { HandlerContext, ServiceImpl } from "@connectrpc/connect";
import { eq, inArray } from "@ciphernx/core/store/sql";
import type { CoordinatorContext } from "./context.ts";
import { tellFullDisk } from "./full-disk.ts";
import { admittedNode, registerNode } from "./nodes.ts";
import { HEARTBEAT_INTERVAL_MS, type NodeCaller } from "./sessions.ts";
import { assertSigner } from "./signatures/signature-gate.ts";

/** Parties of a plan in one answer: less than a message's limit. */
const PARTIES_PAGE = 10_000;
/** Longest wait of one NextTask. */
const MAX_WAIT_MS = 60_000;

/** Kinds of tasks as they go over the wire. */
const TASK_KIND = { statistics: TaskKind.STATISTICS, fit: TaskKind.FIT, evaluate: TaskKind.EVALUATE } as const;

/** What nodes may say; every report needs a signature of its own. Who may call what is decided before: `guarded.ts`. */
export function nodeService(context: CoordinatorContext): ServiceImpl<typeof NodeService> {
  const { store, documents, deliveries, sessions, access, waiters, uploads, kernel, blobLock, audit, traces, log } = context;
  const caller = (call: HandlerContext): NodeCaller => sessions.caller(callerToken(call));

  /** For nodes to keep: what the coordinator can no longer deny. */
  const auditHead = async () => {
    const head = await retrying(() => audit.head());
    return head && { number: BigInt(head.number), hash: head.hash, signature: head.signature };
  };

  return {
    async register(request, call) {
      parseDocumentWith(nameSchema, request.name, "The node's name");
      if (request.publicKey.length !== PUBLIC_KEY_BYTES)
        throw new NexusError("MESSAGE_INVALID", `A public key has ${PUBLIC_KEY_BYTES} bytes, not ${request.publicKey.length}.`);
      if (!(await verify(request.publicKey, registrationBytes(request), request.signature))) {
        throw new NexusError("SIGNATURE_INVALID", `The registration of "${request.name}" is not signed by the key it brings.`);
      }
      const row = await access.attempt(callerAddress(call), () => retrying(async () => registerNode(context, request, await context.roster.read())));
      log.info({ node: row.id, name: row.name, status: row.status }, `node ${row.name} joined`);
      return { nodeId: row.id, projectId: row.projectId, status: row.status, auditKey: audit.publicKey };
    },

    async challenge({ nodeId }) {
      await retrying(() => admittedNode(store, nodeId));
      return { nonce: sessions.challenge(nodeId) };
    },

    async openSession(request, call) {
      const { nodeId, nonce, kernelBuild, softwareVersion, masks } = request;
      sessions.redeem(nodeId, nonce);
      const { publicKey, signsRequests } = await retrying(() => admittedNode(store, nodeId));
      assertSigner({ nodeId, signsRequests }, callerSigner(call));
      if (!(await verify(publicKey, sessionBytes(request), request.signature))) {
        throw new NexusError("SIGNATURE_INVALID", `The session of node ${nodeId} is not signed by its key.`);
      }
      await retrying(() => store.db.update(nodes).set({ kernelBuild, softwareVersion, masks, lastSeenAt: new Date() }).where(eq(nodes.id, nodeId)));
      const sessionToken = sessions.open({ nodeId, kernelBuild, publicKey, signsRequests });
      log.info({ node: nodeId, kernelBuild }, "node connected");
      return {
        sessionToken,
        heartbeatIntervalMs: HEARTBEAT_INTERVAL_MS,
        caFingerprint: context.tls?.authority.fingerprint ?? "",
        auditHead: await auditHead(),
      };
    },

    async issueCertificate(request) {
      const { nodeId, nonce } = request;
      sessions.redeem(nodeId, nonce);
      const { tls } = context;
      if (tls === undefined) throw new NexusError("MESSAGE_INVALID", "This coordinator has no TLS, so it issues no certificates.");
      const { publicKey, projectId, signsRequests } = await retrying(() => admittedNode(store, nodeId));
      if (signsRequests)
        throw new NexusError("FORBIDDEN", `Node ${nodeId} joined to sign its requests: it is given no certificate.`, { hint: "Join anew." });
      if (!(await verify(publicKey, certificateBytes(request), request.signature))) {
        throw new NexusError("SIGNATURE_INVALID", `The certificate request of node ${nodeId} is not signed by its key.`);
      }
      const certificate = await tls.authority.issueNode(request.request, { projectId, nodeId, signingKey: publicKey });
      await retrying(() => audit.note({ actor: `node ${nodeId}`, action: "certificate-issued", subject: nodeId }));
      log.info({ node: nodeId }, "node was given a certificate");
      return { certificate, trusted: tls.authority.trustedPem };
    },

    async registerDataset(request, call) {
      const { nodeId } = caller(call);
      parseDocumentWith(nameSchema, request.name, "The dataset's name");
      parseDocumentWith(sha256Schema, request.contentHash, "The dataset's content hash");
      const schema = parseSchema(request.schemaJson);
      const counts = { trainExamples: safeCount(request.trainExamples), testExamples: safeCount(request.testExamples) };
      return retrying(async () => {
        const { projectId, name: node } = await admittedNode(store, nodeId);
        const values = { schema, ...counts, contentHash: request.contentHash, registeredAt: new Date() };
        const [row] = await store.db
          .insert(datasets)
          .values({ id: newId("dataset"), projectId, nodeId, name: request.name, ...values })
          .onConflictDoUpdate({ target: [datasets.nodeId, datasets.name], set: values })
          .returning({ id: datasets.id });
        log.info({ node: nodeId, dataset: request.name, ...counts }, `${node} registered dataset ${request.name}`);
        return { datasetId: row!.id };
      });
    },

    async nextTask({ waitMs }, call) {
      const { nodeId, kernelBuild } = caller(call);
      const left = sessions.waiting(nodeId);
      try {
        // The place in the queue is taken before the look, so that no wake between the two is lost.
        const woken = waiters.wait(nodeKey(nodeId), { timeoutMs: Math.min(waitMs, MAX_WAIT_MS), signal: call.signal });
        const delivery =
          (await retrying(() => deliveries.next(nodeId))) ?? ((await woken) ? await retrying(() => deliveries.next(nodeId)) : undefined);
        const rosterVersion = context.roster.version;
        if (delivery === undefined) return { rosterVersion };
        const { plan } = delivery;
        if (plan.reproducible && kernelBuild !== plan.kernelBuild) {
          const error = new NexusError(
            "KERNEL_MISMATCH",
            `The node trains with ${kernelBuild}; run ${delivery.runId} is held to ${plan.kernelBuild}.`,
            { details: { run: delivery.runId } },
          );
          await retrying(() =>
            refuseTask(store, { ...delivery, id: delivery.taskId }, { state: "failed", code: error.code, message: error.message }),
          );
          waiters.wake(answersKey(delivery.runId));
          waiters.wake(runKey(delivery.runId));
          throw error;
        }
        const { taskId, runId, round, attempt, party, specHash, baseModelHash, deadlineAt } = delivery;
        return {
          rosterVersion,
          task: {
            taskId,
            runId,
            round,
            attempt,
            kind: TASK_KIND[delivery.kind],
            party,
            specJson: delivery.specJson,
            specHash,
            planJson: delivery.planJson,
            planHash: plan.planHash,
            ...placeMessage(delivery.place(party)),
            auditHead: await auditHead(),
            baseModelHash,
            baseModelSizeBytes: BigInt(plan.model.sizeBytes),
            configJson: JSON.stringify(delivery.config),
            deadlineUnixMs: BigInt(deadlineAt.getTime()),
            traceparent: traces.delivered(delivery, nodeId) ?? "",
            preprocessingJson: delivery.preprocessingJson ?? "",
            ...(delivery.start === undefined ? {} : { start: { ...delivery.start, signature: Buffer.from(delivery.start.signature, "hex") } }),
          },
        };
      } finally {
        left({ hungUp: call.signal.aborted });
      }
    },

    async report(request, call) {
      const { nodeId, publicKey } = caller(call);
      if (!(await verify(publicKey, reportBytes(request), request.signature))) {
        throw new NexusError("SIGNATURE_INVALID", `The report of task ${request.taskId} is not signed by node ${nodeId}.`);
      }
      // The task as it was when its upload was let in; whether it is still open is decided with the answer.
      const upload = uploads.take(nodeId, request.taskId, request.blobHash);
      const task = upload?.task ?? (await retrying(() => openTask(store, documents, nodeId, request.taskId)));
      const { taskId, runId, round, attempt, specHash, planHash, baseModelHash, blobHash, metrics, signature, failure, durationMs } = request;
      const report = {
        ...{ taskId, runId, round, attempt, specHash, planHash, baseModelHash, blobHash, metrics, signature, durationMs },
        weight: safeCount(request.weight),
        ...(failure === undefined ? {} : { failure: { code: failure.code, message: failure.message } }),
      };
      let outcome: "accepted" | "failed" | undefined;
      try {
        outcome = await traces.reported(taskId, () => blobLock.shared(() => acknowledge(store, kernel, task, report, upload?.staged)));
      } catch (error) {
        const known = databaseError(error);
        await tellFullDisk(context, taskId, known);
        throw known;
      } finally {
        if (outcome !== "accepted") await upload?.staged.discard();
        waiters.wake(answersKey(runId));
        // A refusal is an event of the run.
        if (outcome !== "accepted") waiters.wake(runKey(runId));
      }
      return {};
    },

    async takeSumStep(request, call) {
      const { nodeId, publicKey } = caller(call);
      return takeSumStep({
        store,
        documents,
        views: context.sumViews,
        waiters,
        primitives: context.secAgg,
        nodeId,
        publicKey,
        request,
        signal: call.signal,
      });
    },

    async readPlanParties({ taskId, after }, call) {
      const { nodeId } = caller(call);
      if (taskId === "") throw new NexusError("MESSAGE_INVALID", "The request names no task whose plan it asks for.");
      const { plan } = await retrying(() => openTask(store, documents, nodeId, taskId));
      return { parties: plan.parties.slice(after, after + PARTIES_PAGE).map(partyMessage) };
    },

    async heartbeat({ taskIds }, call) {
      const { nodeId } = caller(call);
      await retrying(() => store.db.update(nodes).set({ lastSeenAt: new Date() }).where(eq(nodes.id, nodeId)));
      return { cancelledTaskIds: [...(await retrying(() => cancelledTasks(store, nodeId, taskIds.slice(0, 1_000))))] };
    },
  };
}

/** Discards uploads, whole ones and parts, whose report never came and whose task is over. */
export async function discardStaleUploads({ store, uploads, partialUploads }: CoordinatorContext): Promise<void> {
  const known = new Set([...uploads.taskIds, ...partialUploads.taskIds]);
  if (known.size === 0) return;
  const open = await store.db
    .select({ id: tasks.id, state: tasks.state })
    .from(tasks)
    .where(inArray(tasks.id, [...known]));
  const openIds = new Set(open.filter(({ state }) => state === "waiting" || state === "delivered").map(({ id }) => id));
  // An upload that began since the look is of a task that was open a moment ago.
  const openOrNew = (ids: readonly string[]) => new Set(ids.filter((id) => openIds.has(id) || !known.has(id)));
  await uploads.discardOthers(openOrNew(uploads.taskIds));
  await partialUploads.discardOthers(openOrNew(partialUploads.taskIds));
}

/** A party's place in the plan as it goes over the wire. */
function placeMessage(place: PartyPlace | undefined) {
  if (place === undefined) return {};
  const { planned, partyIndex, partyProof } = place;
  return { planned: partyMessage(planned), partyIndex, partyProof: [...partyProof] };
}

function partyMessage({ trainExamples, testExamples, ...party }: PlannedParty) {
  return { ...party, trainExamples: BigInt(trainExamples), testExamples: BigInt(testExamples) };
}

function parseSchema(text: string): RegisteredSchema {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new NexusError("MESSAGE_INVALID", "The dataset's schema is not JSON.", { cause });
  }
  const schema = parseDocumentWith(registeredSchema, document, "The dataset's schema");
  return schema.kind === "opaque" ? schema : (JSON.parse(schemaText(schema)) as RegisteredSchema);
}

function safeCount(value: bigint): number {
  if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
  throw new NexusError("MESSAGE_INVALID", `${value} is more examples than can be counted.`);
}
