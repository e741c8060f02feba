import type { Sha256 } from "@ciphernx/core/blobs";
import { NexusError } from "@ciphernx/core/errors";
import { TaskKind } from "@ciphernx/protocol/proto";
import { preprocessingSchema } from "../../data/preprocess/index.ts";
import { loadModel } from "../../models/index.ts";
import { parseRunSpec, type RunSpec, type TaskPlan } from "../../spec/index.ts";
import { createStrategy } from "../../strategy/index.ts";
import { keptLength, keptTensors } from "../../strategy/party-values.ts";
import { placeLocal, sharingOf } from "../../strategy/sharing.ts";
import { decodeSafetensors } from "../../tensor/index.ts";
import type { TrainingTask } from "../../training/index.ts";
import { inSpan } from "../tracing/in-span.ts";
import type { AnswerTaskOptions } from "./answer-task.ts";
import { checkRoster } from "./check-roster.ts";
import { checkPlan, checkPlanHash, checkTerms } from "./check-terms.ts";
import type { KeptAfter } from "./kept-values.ts";
import { plannedParty } from "./planned-party.ts";

/** A task with all that the party needs for it. */
export interface PreparedTask {
  readonly training: TrainingTask;
  /** What the party kept from its last round that counted. */
  readonly kept: Float32Array | undefined;
  /** The strategy's vectors, when the task names them. */
  readonly server: Readonly<Record<string, Float64Array>> | undefined;
}

/** What a task says. */
export type AgreedTask = Pick<TrainingTask, "spec" | "plan" | "party" | "planned" | "round" | "signal">;

/**
 * What a task says, once the party and the owner of its data have agreed to it.
 * @throws NexusError when it breaks the party's or the owner's terms, or is no document
 */
export async function readTask(options: AnswerTaskOptions): Promise<AgreedTask> {
  const { identity, task, auditHeads, signal } = options;
  const { specHash, party, round } = task;
  await auditHeads?.take(task.auditHead);
  // Hashed as it came: a coordinator of another version may know of other defaults.
  const document = JSON.parse(task.specJson) as RunSpec;
  const plan = JSON.parse(task.planJson) as TaskPlan;
  if (task.planned === undefined) throw new NexusError("SPEC_INVALID", `The task ${task.taskId} does not say what its plan has of ${party}.`);
  const planned = plannedParty(task.planned);
  checkTerms({ spec: document, plan, specHash, party, planned, index: task.partyIndex, proof: task.partyProof }, identity.name);
  const spec = parseRunSpec(document, "The spec of the task");
  checkPlan({ spec, plan, round, kind: task.kind });
  checkPlanHash(plan, task.planHash);
  await askOwner(options, { spec, plan });
  return { spec, plan, party, planned, round, signal };
}

/**
 * Lets the organisations speak, and the owner of the data.
 * @throws NexusError as `NodeRoster.follow`, `checkRoster`, `DatasetGuard.admit`
 */
export async function askOwner(options: AnswerTaskOptions, asked: Pick<TrainingTask, "spec" | "plan">): Promise<void> {
  const { session, identity, task, guard, roster, parties: lists } = options;
  const { specHash, runId, round, party, start } = task;
  const { plan } = asked;
  const followed = await session.call(async () => roster?.follow(session.transport, plan.roster));
  if (followed === undefined) return guard.admit({ ...asked, specHash, runId, round, party });
  const parties = await lists.of(session, task, plan);
  await checkRoster({ plan, parties, start }, followed, identity);
  await guard.admit({ ...asked, specHash, runId, round, party, parties, roster: followed, startedBy: start!.organisation });
}

/** Fetches what a party needs to train or to judge. */
export async function prepareTask(options: AnswerTaskOptions): Promise<PreparedTask> {
  const { session, task, memory, signal, tracer } = options;
  const asked = await inSpan(tracer, "check terms", {}, () => readTask(options));
  const { plan } = asked;
  const blob = {
    expectedSizeBytes: Number(task.baseModelSizeBytes),
    memory: (sizeBytes: number) => new Uint8Array(memory.of("model", sizeBytes)),
    signal,
    deadlineUnixMs: Number(task.deadlineUnixMs),
  };
  const file = await inSpan(tracer, "fetch model", { kind: "client" }, () =>
    session.call(() => session.transport.blobs.get(task.baseModelHash as Sha256, blob)),
  );
  const { parameters, layout } = loadModel(file, plan.model.tensors);
  const { keptRound, keptAttempt, stateHash, ...config } = JSON.parse(task.configJson) as TrainingTask["config"];
  const training = { ...asked, parameters, layout, config, ...preprocessingOf(options) };
  // An evaluation needs the party's tensors, not what its strategy goes by.
  const needed = task.kind === TaskKind.FIT || plan.model.local !== undefined;
  const kept =
    needed && typeof keptRound === "number" && typeof keptAttempt === "number"
      ? await recall(options, training, { round: keptRound, attempt: keptAttempt })
      : undefined;
  const server = typeof stateHash === "string" ? await loadState(options, plan, stateHash as Sha256) : undefined;
  return { training, kept, server };
}

/** How rows become inputs, as the coordinator computed it from the statistics of all parties. */
function preprocessingOf({ task }: AnswerTaskOptions): Pick<TrainingTask, "preprocessing"> {
  if (task.preprocessingJson === "") return {};
  const parsed = preprocessingSchema.safeParse(JSON.parse(task.preprocessingJson));
  if (parsed.success) return { preprocessing: parsed.data };
  throw new NexusError("DATA_INVALID", `The task ${task.taskId} says in a form that nobody knows how rows become inputs: ${parsed.error.message}`);
}

/** The strategy's vectors as the coordinator keeps them. */
async function loadState(
  { session, task, signal }: AnswerTaskOptions,
  plan: TaskPlan,
  hash: Sha256,
): Promise<Readonly<Record<string, Float64Array>>> {
  const blob = { expectedSizeBytes: plan.stateBytes ?? 0, signal, deadlineUnixMs: Number(task.deadlineUnixMs) };
  const file = await session.call(() => session.transport.blobs.get(hash, blob));
  const { length } = sharingOf(plan.model);
  return Object.fromEntries(
    [...decodeSafetensors(file)].map(([name, tensor]) => {
      if (tensor.dtype === "F64" && tensor.data.length === length) return [name, tensor.data];
      throw new NexusError(
        "DATA_INVALID",
        `The strategy's vector "${name}" has ${tensor.data.length} values of ${tensor.dtype}, not ${length} of F64.`,
      );
    }),
  );
}

/** Keeps what stays with the party, before the coordinator can count on it. */
export async function keep({ task, kept }: AnswerTaskOptions, { spec, plan }: TrainingTask, values: Float32Array): Promise<void> {
  let at = 0;
  const tensors = keptTensors(sharingOf(plan.model), createStrategy(spec.strategy)).map(({ name, shape, length }) => {
    at += length;
    return [name, { shape, data: values.subarray(at - length, at) }] as const;
  });
  await kept.write(task.runId, task, new Map(tensors));
}

/** What the party kept, its tensors that are not shared put over the initial ones, which the model's file has; undefined when it is lost. */
async function recall(options: AnswerTaskOptions, { spec, plan, parameters }: TrainingTask, after: KeptAfter): Promise<Float32Array | undefined> {
  const { task, kept, onLost } = options;
  const sharing = sharingOf(plan.model);
  const strategy = createStrategy(spec.strategy);
  const lost = (reason: string) => {
    onLost?.(reason);
    return undefined;
  };
  const found = await kept.read(task.runId, after);
  if ("lost" in found) return lost(found.lost);
  const values = new Float32Array(keptLength(sharing, strategy));
  let at = 0;
  for (const { name, length } of keptTensors(sharing, strategy)) {
    const data = found.values.get(name)?.data;
    if (data?.length !== length) return lost(`what is kept has not the ${length} values of "${name}"`);
    values.set(data, at);
    at += length;
  }
  placeLocal(values.subarray(0, sharing.localLength), parameters, sharing);
  await kept.forgetBefore(task.runId, after);
  return values;
}
