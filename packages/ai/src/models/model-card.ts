import type { Json } from "@ciphernx/core/spec";
import { type Preprocessing, preprocessingHash } from "../data/preprocess/index.ts";
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
  readonly metrics: { readonly fit: Readonly<Record<string, number>>; readonly evaluated: Readonly<Record<string, number>> | null };
}

/**
 * What a reader must know before using a model: what it was made from, by which procedure, how well it did, and what is
 * claimed of its bits. Datasets appear by reference only.
 * Source of the form: Mitchell et al., "Model cards for model reporting", FAT* 2019.
 */
export function modelCard({ runId, spec, plan, preprocessing, initialModelHash, modelHash, round, metrics }: ModelCardFacts): Json {
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
      parties: plan.parties.map(({ name, trainExamples, testExamples, contentHash }) => ({ name, trainExamples, testExamples, contentHash })),
    },
    metrics: { fit: { ...metrics.fit }, evaluated: metrics.evaluated === null ? null : { ...metrics.evaluated } },
    lineage: {
      run: runId,
      specHash: plan.specHash,
      planHash: plan.planHash,
      initialModelHash,
      kernelBuild: plan.kernelBuild,
      ...(preprocessing === null ? {} : { preprocessingHash: preprocessingHash(preprocessing) }),
    },
    reproducible: plan.reproducible,
    labels: [...plan.labels],
  };
}
