import { concatenateExamples, type Examples, type PartyDataset, prepareFeatures, type Preprocessing } from "@ciphernx/ai/data";
import { evaluateMetrics } from "@ciphernx/ai/metrics";
import { loadModel, readModelCard } from "@ciphernx/ai/models";
import { createNetwork, type Kernel, loadKernel } from "@ciphernx/ai/nn";
import { simulate, trainAlone } from "@ciphernx/ai/simulation";
import type { RunPlan, RunSpec } from "@ciphernx/ai/spec";

/** How well a model does on some rows; a figure that the rows do not tell (the AUC of one class) is not there. */
export type Figures = Readonly<Partial<Record<FigureName, number>>>;
export const FIGURE_NAMES = ["auc", "accuracy", "f1", "calibration"] as const;
export type FigureName = (typeof FIGURE_NAMES)[number];

/** The three ways to a model. */
export const WAYS = ["localOnly", "federated", "pooled"] as const;
export type Way = (typeof WAYS)[number];

/** One draw of held-out rows: what each way's model does on all of them together, and on each party's own. */
export interface Draw {
  /** SHA-256 of the federated model. */
  readonly modelHash: string;
  readonly plan: RunPlan;
  /** On the rows of all parties together; each party's local model in turn. */
  readonly union: { readonly localOnly: readonly Figures[]; readonly federated: Figures; readonly pooled: Figures };
  readonly own: readonly OwnRows[];
}

/** The figures on one party's own held-out rows. */
export interface OwnRows extends Readonly<Record<Way, Figures>> {
  readonly party: string;
  readonly trainExamples: number;
  readonly testExamples: number;
  /** Held-out rows of the second class. */
  readonly positives: number;
}

/**
 * Trains every way's model on one draw and judges each on rows that none has learnt from: the federated one by the simulator, with the bits
 * that a run between nodes gives, each party's alone with preprocessing of its own, and one on everybody's rows.
 */
export async function compareModels(spec: RunSpec, parties: readonly PartyDataset[], signal: AbortSignal): Promise<Draw> {
  const kernel = await loadKernel();
  const { plan, modelHash, file, card } = await simulate({ spec, parties, signal });
  const { schema } = parties[0]!.dataset;
  const joined = (parts: readonly Examples[]) => concatenateExamples(schema, parts, { shared: true });
  const all = joined(parties.map(({ dataset }) => dataset.test!));
  const rows = [
    { name: "pooled", train: joined(parties.map(({ dataset }) => dataset.train)) },
    ...parties.map(({ party, dataset }) => ({ name: party, train: dataset.train })),
  ];
  const [pooled, ...locals] = await trainAlone({ spec, plan, rows, test: all });
  const federated = {
    parameters: loadModel(file, plan.model.tensors).parameters,
    preprocessing: readModelCard(card, "the card").preprocessing ?? null,
  };
  const judged = (model: Model, examples: Examples): Figures => judge(kernel, plan, model, examples);
  return {
    ...{ modelHash, plan },
    union: { localOnly: locals.map((model) => judged(model, all)), federated: judged(federated, all), pooled: judged(pooled!, all) },
    own: parties.map(({ party, dataset: { train, test } }, index) => ({
      ...{ party, trainExamples: train.count, testExamples: test!.count, positives: [...test!.targets].filter((target) => target === 1).length },
      ...{ localOnly: judged(locals[index]!, test!), federated: judged(federated, test!), pooled: judged(pooled!, test!) },
    })),
  };
}

interface Model {
  readonly parameters: Float32Array;
  readonly preprocessing: Preprocessing | null;
}

function judge(
  kernel: Kernel,
  { model: { network } }: RunPlan,
  { parameters, preprocessing }: Model,
  { features, targets, count }: Examples,
): Figures {
  const runner = createNetwork(kernel, network!, { maxBatch: 256 });
  runner.load(parameters);
  const outputs = runner.predict(preprocessing === null ? features : prepareFeatures(preprocessing, features));
  const width = outputs.length / count;
  let correct = 0;
  for (let row = 0; row < count; row += 1) {
    const ill = outputs[row * width + width - 1]!;
    const isIll = ill > (width === 1 ? 0.5 : outputs[row * width]!);
    if (isIll === (targets[row] === 1)) correct += 1;
  }
  return { ...evaluateMetrics(["auc", "f1", "calibration"], outputs, targets, { classes: 2 }), accuracy: correct / count };
}
