import { NexusError, plural } from "@ciphernx/core/errors";
import { hashDocument, type Refusal } from "@ciphernx/core/spec";
import { packedBytes } from "@ciphernx/crypto/secagg/parameters";
import { checkEncoding, type EncodingSpec, updateFileSizeBytes, vectorLength } from "../aggregation/index.ts";
import { metricSubjects, metricSumNames, metricTask } from "../metrics/index.ts";
import { type ModelShape, modelShape } from "../models/index.ts";
import { inferShapes, multiplyAdds } from "../nn/index.ts";
import { safetensorsSizeBytes } from "../tensor/index.ts";
import type { RowSchema } from "../data/index.ts";
import { columnSteps, type ColumnSteps, preparedLength, statisticsLength } from "../data/preprocess/index.ts";
import { createStrategy } from "../strategy/index.ts";
import { sharingOf } from "../strategy/sharing.ts";
import { checkKernels } from "./check-kernels.ts";
import { checkKnown } from "./check-known.ts";
import { checkMemory } from "./check-memory.ts";
import { checkMissing } from "./check-missing.ts";
import { checkProtection } from "./check-protection.ts";
import { checkRoster } from "./check-roster.ts";
import { checkSchedule } from "./check-schedule.ts";
import { chooseLocal, untrainedTensors } from "./choose-local.ts";
import { chooseMetrics } from "./choose-metrics.ts";
import { chooseParties, type KnownParty } from "./choose-parties.ts";
import { labelCohort } from "./label-cohort.ts";
import { labelFewRows } from "./label-few-rows.ts";
import type { Compiled, CompileFacts, PlannedParty, RunPlan } from "./plan.ts";
import { partyTreeHead } from "./party-tree.ts";
import { planHash } from "./plan-hash.ts";
import { type RunSpec, runSpecHash } from "./run-spec.ts";

/** Operations of a multiply-add forward: itself, and two backward. */
const FLOPS_PER_MULTIPLY_ADD = 6;
/** What a round costs besides training and transfer. */
const ROUND_OVERHEAD_SECONDS = 0.1;
/** Largest model: a file of 4 GiB, which parties and the coordinator can still hold as one vector. */
const MAX_PARAMETERS = 2 ** 30;

/**
 * Prices a spec against what is known of the world: a plan, or every reason why not with its remedy.
 * Pure and platform-free: the coordinator, the command line and a browser worker give the same answer.
 */
export function compile(spec: RunSpec, facts: CompileFacts): Compiled {
  const refusals: Refusal[] = [];
  const parties = chooseParties(spec, facts, refusals);
  if (parties.length === 0) return { ok: false, refusals };

  const steps = resolveSteps(spec, parties[0]!.dataset.schema, refusals);
  const shape = resolveModel(spec, parties, steps, refusals);
  // A party that is refused above is no reason to refuse the cohort's size as well.
  const cohort = resolveCohort(spec, spec.data.parties === "all" ? parties.length : new Set(spec.data.parties).size, refusals);
  checkMissing(spec, parties, steps, refusals);
  checkRoster(parties, facts, refusals);
  checkKnown(parties, steps, refusals);
  const labels = checkKernels(spec, parties, facts, refusals);
  const encoding = resolveEncoding(spec, parties, cohort.invited, refusals);
  const strategy = createStrategy(spec.strategy);
  const protection = checkProtection(spec, facts, { parties, cohort, encoding, strategy }, refusals);
  const metrics = chooseMetrics(spec, parties[0]!.dataset.schema, shape, refusals);
  checkSchedule(spec, refusals);
  const local = shape === undefined ? [] : chooseLocal(spec, shape, refusals);
  const untrained = shape === undefined ? [] : untrainedTensors(shape).filter((name) => !local.includes(name));
  const unfit = strategy.check?.({ train: spec.train, untrained });
  if (unfit !== undefined) refusals.push(unfit);
  if (shape === undefined || refusals.length > 0) return { ok: false, refusals };

  const { reported, heldOut } = metrics;
  const task = metricTask(parties[0]!.dataset.schema, shape.network);
  const judged = reported.length + metricSumNames(heldOut, task).length;
  const subjects = metricSubjects(heldOut, parties[0]!.dataset.schema, task);
  const staying = local.length === 0 ? {} : { local };
  const { sums = [], vectors = [], receivesState = false } = strategy.party ?? {};
  const shared = sharingOf({ ...shape, ...staying }).length;
  const sizeOf = (length: number, names: number) =>
    protection === undefined
      ? updateFileSizeBytes(length, names, encoding)
      : packedBytes(vectorLength(length, Array.from({ length: names }, String), encoding), protection);
  const rides = protection?.metricsRide === true;
  const updateBytes = sizeOf(shared * (1 + vectors.length), reported.length + sums.length + (rides ? 1 + judged : 0));
  const stateBytes = receivesState ? safetensorsSizeBytes(strategy.state.map(({ name }) => ({ name, dtype: "F64", shape: [shared] }))) : 0;
  const sizeBytes = safetensorsSizeBytes(shape.tensors);
  const fits = cohort.invited * spec.rounds;
  const judges = parties.filter(({ dataset }) => dataset.testExamples > 0).length;
  const evaluations = spec.evaluate.every === 0 ? 0 : judges * (rides ? 1 : Math.ceil(spec.rounds / spec.evaluate.every));
  const statisticsBytes = steps === undefined ? 0 : sizeOf(0, statisticsLength(steps));
  const down = (fits + evaluations) * sizeBytes + (fits - cohort.invited) * stateBytes;
  const up = fits * updateBytes + evaluations * sizeOf(0, judged) + parties.length * statisticsBytes;
  const answers = labelCohort(cohort, steps === undefined ? 0 : parties.length);
  const few = steps === undefined || protection !== undefined ? undefined : labelFewRows(parties);
  const planned = parties.map(({ name, dataset: { trainExamples, testExamples, contentHash } }): PlannedParty => ({
    name,
    trainExamples,
    testExamples,
    contentHash,
  }));
  const plan: Omit<RunPlan, "planHash"> = {
    specHash: runSpecHash(spec),
    parties: planned,
    partyTree: partyTreeHead(planned),
    mostTrainExamples: planned.reduce((most, { trainExamples }) => Math.max(most, trainExamples), 0),
    ...(facts.roster === undefined ? {} : { roster: facts.roster }),
    schema: parties[0]!.dataset.schema,
    ...(steps === undefined ? {} : { preprocess: { steps, features: preparedLength(steps), statisticsBytes } }),
    rounds: spec.rounds,
    cohort,
    model: {
      ...(shape.network === undefined ? {} : { network: shape.network }),
      tensors: shape.tensors,
      parameters: shape.parameters,
      sizeBytes,
      ...staying,
    },
    encoding,
    metricNames: reported,
    ...(heldOut.length === 0 ? {} : { heldOutMetrics: heldOut }),
    ...(Object.keys(subjects).length === 0 ? {} : { metricSubjects: subjects }),
    ...(sums.length === 0 ? {} : { strategySums: sums }),
    ...(vectors.length === 0 ? {} : { strategyVectors: vectors }),
    ...(stateBytes === 0 ? {} : { stateBytes }),
    ...(protection === undefined ? {} : { protection }),
    updateBytes,
    totalBytes: { down, up },
    estimatedSeconds: estimateSeconds(spec, facts, parties, workOf(shape), sizeBytes + updateBytes),
    kernelBuild: facts.kernelBuild,
    reproducible: labels.length === 0,
    ...(answers === undefined ? {} : { dependsOnAnswers: true }),
    labels: [...labels, ...[answers, few].filter((label) => label !== undefined)],
  };
  return { ok: true, plan: { ...plan, planHash: planHash(plan) } };
}

/** The plan of a spec, or SPEC_REFUSED with every refusal in its message and in `details.refusals`. */
export function compileOrThrow(spec: RunSpec, facts: CompileFacts): RunPlan {
  const compiled = compile(spec, facts);
  if (compiled.ok) return compiled.plan;
  throw refusedError(compiled.refusals);
}

/** The error that carries refusals to whoever asked for the run. */
export function refusedError(refusals: readonly Refusal[]): NexusError {
  const lines = refusals.map(({ path, reason, remedy }) => `  ${path}: ${reason} ${remedy}`);
  return new NexusError("SPEC_REFUSED", `The spec cannot be run:\n${lines.join("\n")}`, { details: { refusals } });
}

/** What is done with the rows before they are learnt from; undefined when nothing is, or when it cannot be. */
function resolveSteps(spec: RunSpec, schema: RowSchema, refusals: Refusal[]): readonly ColumnSteps[] | undefined {
  if (spec.preprocess === undefined) return undefined;
  if (spec.model.kind !== "tensors") return columnSteps(spec.preprocess, schema, refusals);
  refusals.push({
    path: "preprocess",
    reason: "The parties' own trainers read their rows themselves.",
    remedy: "Leave the section out, or use a model of the catalogue.",
  });
  return undefined;
}

function resolveModel(
  spec: RunSpec,
  parties: readonly KnownParty[],
  steps: readonly ColumnSteps[] | undefined,
  refusals: Refusal[],
): ModelShape | undefined {
  const [first, ...others] = parties;
  const foreign = others.filter(({ dataset }) => !sameForm(dataset.schema, first!.dataset.schema));
  if (foreign.length > 0) {
    refusals.push({
      path: "data.dataset",
      reason: `The schema of "${spec.data.dataset}" at ${foreign.map(({ name }) => name).join(", ")} differs from the one at ${first!.name}${describeDifference(first!.dataset.schema, foreign[0]!.dataset.schema)}.`,
      remedy:
        "Give every party the same schema (`nexus dataset add --schema FILE`, then restart its node), or list other parties under data.parties.",
    });
    return undefined;
  }
  // Why rows cannot be prepared has been told; what the model would make of them as they are says nothing.
  if (spec.preprocess !== undefined && steps === undefined) return undefined;
  const shape = modelShape(spec.model, first!.dataset.schema, steps && preparedLength(steps));
  if ("refusals" in shape) {
    refusals.push(...shape.refusals);
    return undefined;
  }
  if (shape.parameters > MAX_PARAMETERS) {
    refusals.push({
      path: "model",
      reason: `The model has ${shape.parameters} parameters, more than the ${MAX_PARAMETERS} that are possible.`,
      remedy: "Make it smaller.",
    });
    return undefined;
  }
  if (shape.network !== undefined) checkMemory(spec, shape.network, refusals);
  return shape;
}

/** Where two schemas first differ, for people: a column with its type, or the kind. */
function describeDifference(a: RowSchema, b: RowSchema): string {
  if (a.kind !== "table" || b.kind !== "table") return a.kind === b.kind ? "" : `: ${b.kind} instead of ${a.kind}`;
  const columns = new Map(a.columns.map((column) => [column.name, column]));
  const other = b.columns.find((column) => !sameForm(column, columns.get(column.name)));
  const lacking = a.columns.find(({ name }) => !b.columns.some((column) => column.name === name));
  if (other !== undefined) return columns.has(other.name) ? ` in the column "${other.name}"` : `: it has a column "${other.name}"`;
  return lacking === undefined ? " in the order of its columns" : `: it lacks the column "${lacking.name}"`;
}

function sameForm(a: unknown, b: unknown): boolean {
  return hashDocument("schema", a) === hashDocument("schema", b);
}

function resolveCohort(spec: RunSpec, parties: number, refusals: Refusal[]): RunPlan["cohort"] {
  const wanted = spec.cohort.size === "all" ? parties : spec.cohort.size;
  const size = Math.min(wanted, parties);
  const quorum = spec.cohort.quorum === "all" ? size : spec.cohort.quorum;
  if (wanted > parties) {
    refusals.push({
      path: "cohort.size",
      reason: `A round wants ${plural(wanted, "party", "parties")}, but ${parties === 1 ? "1 takes" : `${parties} take`} part.`,
      remedy: `Lower it to ${parties} or write all.`,
      edits: [{ path: "cohort.size", value: parties }],
    });
  }
  if (quorum > size) {
    refusals.push({
      path: "cohort.quorum",
      reason: `A quorum of ${quorum} can never be reached with ${plural(size, "party", "parties")} a round.`,
      remedy: `Lower it to ${size} at most.`,
      edits: [{ path: "cohort.quorum", value: size }],
    });
  }
  return {
    size,
    invited: Math.min(parties, size + spec.cohort.overSelect),
    quorum,
    deadlineMs: Math.round(spec.cohort.deadlineSeconds * 1000),
    attempts: spec.cohort.attempts,
  };
}

function resolveEncoding(spec: RunSpec, parties: readonly KnownParty[], invited: number, refusals: Refusal[]): EncodingSpec {
  const { range, bits, rounding } = spec.encoding;
  // An evaluation's weight is a count of held-out rows, and it is bounded like the weight of an update.
  const largest = parties.reduce((most, { dataset }) => Math.max(most, dataset.trainExamples, dataset.testExamples), 1);
  const maxWeight = spec.encoding.maxWeight === "auto" ? largest : spec.encoding.maxWeight;
  const encoding: EncodingSpec = { range, bits, rounding, maxWeight };
  const addable = checkEncoding(encoding, Math.max(invited, parties.length));
  if (!addable.ok) {
    const rangeFits = checkEncoding({ ...encoding, range: 1 }, Math.max(invited, parties.length)).ok;
    refusals.push(
      rangeFits
        ? {
            path: "encoding.range",
            reason: addable.reason,
            remedy: "Use a larger range, 1 for example.",
            edits: [{ path: "encoding.range", value: 1 }],
          }
        : { path: "encoding", reason: addable.reason, remedy: "Use fewer bits, a smaller weight, or a smaller cohort." },
    );
  }
  if (maxWeight < largest) {
    refusals.push({
      path: "encoding.maxWeight",
      reason: `A party has ${plural(largest, "row")}, more than the largest weight ${maxWeight}.`,
      remedy: "Raise it, or write auto.",
      edits: [{ path: "encoding.maxWeight", value: "auto" }],
    });
  }
  return encoding;
}

/** Multiply-adds of an example's way through the model; of a party's own trainer, one for each parameter. */
function workOf({ network, parameters }: ModelShape): number {
  if (network === undefined) return parameters;
  return inferShapes(network.layers, network.inputShape ?? [network.inputLength]).reduce((sum, layer) => sum + multiplyAdds(layer), 0);
}

function estimateSeconds(spec: RunSpec, facts: CompileFacts, parties: readonly KnownParty[], work: number, bytesPerParty: number): number {
  const slowest = parties.reduce((most, { dataset }) => Math.max(most, dataset.trainExamples), 0);
  const training = (slowest * spec.train.epochs * work * FLOPS_PER_MULTIPLY_ADD) / (facts.flopsPerSecond ?? 20e9);
  const transfer = bytesPerParty / (facts.bytesPerSecond ?? 50e6);
  return Math.ceil(spec.rounds * (training + transfer + ROUND_OVERHEAD_SECONDS));
}
