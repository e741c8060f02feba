import { plural } from "@ciphernx/core/errors";
import type { Json } from "@ciphernx/core/spec";
import { type Preprocessing, preprocessingHash } from "../data/preprocess/index.ts";
import type { Contributions } from "../federation/round/contributions.ts";
import type { RunPlan, RunSpec } from "../spec/index.ts";

export interface ModelCardFacts {
  readonly runId: string;
  readonly spec: RunSpec;
  readonly plan: RunPlan;
  /** How rows become the model's inputs; null where they are its inputs. */
  readonly preprocessing: Preprocessing | null;
  readonly initialModelHash: string | null;
  readonly modelHash: string;
  readonly round: number;
  /** Whose updates and statistics were added. */
  readonly contributions: Contributions;
  readonly metrics: { readonly fit: Readonly<Record<string, number>>; readonly evaluated: Readonly<Record<string, number>> | null };
}

/**
 * What a reader must know before using a model: whose rows it was really learnt from and in how many rounds, by which procedure, how well
 * it did, and what is claimed of its bits. Datasets appear by reference only. Cards that were made before `data.trainedRows`, the parties'
 * `rounds` and `dependsOnAnswers` do not say whether everybody of the plan took part.
 * Source of the form: Mitchell et al., "Model cards for model reporting", FAT* 2019.
 */
export function modelCard(facts: ModelCardFacts): Json {
  const { runId, spec, plan, preprocessing, initialModelHash, modelHash, round, metrics } = facts;
  const { rounds, counted, changedRounds } = facts.contributions;
  const learntFrom = plan.parties.filter(({ name }) => rounds.has(name));
  return {
    version: 1,
    name: spec.name,
    model: {
      hash: modelHash,
      format: "safetensors",
      parameters: plan.model.parameters,
      tensors: plan.model.tensors.map(({ name, shape }) => ({ name, shape: [...shape] })),
      ...(plan.model.local === undefined
        ? {}
        : { local: { tensors: [...plan.model.local], note: "Each party keeps its own values of these tensors; the file holds the initial ones." } }),
      ...(plan.model.network === undefined ? {} : { network: plan.model.network as unknown as Json }),
    },
    training: {
      rounds: round,
      strategy: spec.strategy as unknown as Json,
      train: spec.train as unknown as Json,
      encoding: { ...plan.encoding },
      protection: spec.protection,
      seed: spec.seed,
    },
    data: {
      dataset: spec.data.dataset,
      schema: plan.schema as unknown as Json,
      ...(preprocessing === null ? {} : { preprocessing: preprocessing as unknown as Json }),
      trainedRows: learntFrom.reduce((sum, { trainExamples }) => sum + trainExamples, 0),
      parties: plan.parties.map(({ name, trainExamples, testExamples, contentHash }) => ({
        name,
        trainExamples,
        testExamples,
        contentHash,
        rounds: rounds.get(name) ?? 0,
        ...(counted === undefined ? {} : { counted: counted.has(name) }),
      })),
    },
    metrics: {
      fit: { ...metrics.fit },
      evaluated: metrics.evaluated === null ? null : { ...metrics.evaluated },
      ...(plan.metricSubjects === undefined ? {} : { subjects: { ...plan.metricSubjects } }),
    },
    lineage: {
      run: runId,
      specHash: plan.specHash,
      planHash: plan.planHash,
      initialModelHash,
      kernelBuild: plan.kernelBuild,
      ...(preprocessing === null ? {} : { preprocessingHash: preprocessingHash(preprocessing) }),
    },
    reproducible: plan.reproducible,
    dependsOnAnswers: plan.dependsOnAnswers === true || changedRounds > 0,
    labels: [...plan.labels, ...(changedRounds === 0 ? [] : [changedLabel(changedRounds, round, counted !== undefined)])],
  };
}

/** What is told of rounds, the one before the first included, to which not everyone contributed whom the seed draws. */
function changedLabel(changed: number, rounds: number, prepared: boolean): string {
  const of = plural(prepared ? rounds + 1 : rounds, "round");
  return `In ${changed} of ${of}${prepared ? ", that of the statistics included," : ""} not all were added whom the seed draws first.`;
}
