import { nodeSecAgg } from "@ciphernx/crypto/secagg/node";
import { createHash } from "node:crypto";
import { NexusError } from "@ciphernx/core/errors";
import { nameSchema, parseDocumentWith } from "@ciphernx/core/spec";
import type { OpaqueSchema, RegisteredSchema } from "../data/index.ts";
import { type NodeEvent, runNode } from "../federation/node/index.ts";
import { folderKeptValues } from "../federation/node/kept-folder.ts";
import { folderSumJournal } from "../federation/node/sum/folder-sum-journal.ts";
import { folderAuditHeads } from "../federation/node/audit-heads.ts";
import { folderRoster } from "../federation/node/node-roster.ts";
import { openNodeConnection } from "../federation/node/node-connection.ts";
import { holdNode, joinNode } from "../federation/node/node-folder.ts";
import type { WayToCoordinator } from "../federation/node/node-transport.ts";
import { registerDataset } from "../federation/node/register-dataset.ts";
import { SOFTWARE_VERSION } from "../federation/node/software-version.ts";
import { type ParameterSet, viewParameters } from "../tensor/index.ts";
import type { Trainer, TrainingTask } from "../training/index.ts";

/** What a party's own trainer is given. */
export interface PartyTask {
  /** The model of the round by tensor name; copies, yours to change. */
  readonly parameters: ParameterSet;
  /** Counted from 1. */
  readonly round: number;
  /** The party's name in the spec. */
  readonly party: string;
  /** What the strategy adds, for example `{ proximalMu: 0.01 }`. */
  readonly config: Readonly<Record<string, string | number | boolean>>;
  /** To be added to the gradient of every step of a fit, by tensor name; only with strategies that correct gradients (scaffold). */
  readonly correction?: ParameterSet;
  /** Aborted when nobody wants the answer any more. */
  readonly signal: AbortSignal;
}

/** A party with a trainer of its own. */
export interface NodeDefinition {
  /** The data that the trainer reads, by reference. */
  readonly dataset: {
    readonly name: string;
    readonly trainExamples: number;
    readonly testExamples?: number;
    /** SHA-256 of the content, 64 hex digits, when the party wants it recorded. Default: zeros. */
    readonly contentHash?: string;
    readonly schema?: RegisteredSchema;
  };
  /** Names the trainer's code in run records. Default `custom`. */
  readonly trainer?: string;
  /**
   * Learns from the party's rows. `examples` is the update's weight; `metrics` are sums over these examples, one for each of the
   * spec's `evaluate.metrics`.
   */
  fit(task: PartyTask): Promise<PartyFit> | PartyFit;
  /** Judges the model on held-out rows. */
  evaluate(task: PartyTask): Promise<PartyJudgement> | PartyJudgement;
}

export interface PartyFit extends PartyEvaluation {
  /** Every tensor after training, of the shapes that were given. */
  readonly parameters: ParameterSet;
  /** Steps that the trainer took, for strategies that ask how much a party trained. Default: as the spec's `train` section says. */
  readonly steps?: number;
}

export interface PartyEvaluation {
  readonly examples: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface PartyJudgement extends PartyEvaluation {
  /** Sums for metrics such as auc of a built-in network, as `createTally` adds them up; only where the spec names some. */
  readonly heldOutSums?: Readonly<Record<string, number>>;
}

export interface ServeOptions extends WayToCoordinator {
  /** The coordinator, for example `http://127.0.0.1:7700`. Only needed to join. */
  readonly url?: string;
  /** A join token; only needed the first time. */
  readonly token?: string;
  /** The party's name, as specs write it; only needed the first time. */
  readonly name?: string;
  /** Where the node's identity is kept. */
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly onEvent?: (event: NodeEvent) => void;
}

/** A party that is ready to serve. */
export interface DefinedNode {
  /** Joins when the folder holds no identity yet, then serves tasks until the signal aborts. */
  serve(options: ServeOptions): Promise<void>;
}

/**
 * Defines a party with a trainer and parameters of its own: any named tensors, in whatever library.
 *
 * @example
 * const node = defineNode({
 *   dataset: { name: "visits", trainExamples: rows.length },
 *   fit: ({ parameters }) => ({ parameters: train(parameters, rows), examples: rows.length, metrics: { loss: 0.1, correct: 9 } }),
 *   evaluate: () => ({ examples: 0, metrics: { loss: 0, correct: 0 } }),
 * });
 * await node.serve({ url, token, name: "clinic", folder: "./clinic", signal });
 */
export function defineNode(definition: NodeDefinition): DefinedNode {
  const { dataset } = definition;
  parseDocumentWith(nameSchema, dataset.name, "The dataset's name");
  const schema: RegisteredSchema = dataset.schema ?? ({ kind: "opaque" } satisfies OpaqueSchema);
  return {
    async serve({ url, token, name, folder, transport, proxy, signal, onEvent }) {
      if (url !== undefined && token !== undefined && name !== undefined)
        await joinNode({ url, token, name, folder, transport, proxy, unlessJoined: true });
      await using held = await holdNode(folder);
      const { connect, renew } = await openNodeConnection(folder, { ...held, ...(transport === undefined ? {} : { transport }), proxy });
      await runNode({
        identity: held.identity,
        trainer: partyTrainer(definition),
        softwareVersion: SOFTWARE_VERSION,
        ...{ connect, renew },
        digest: (bytes) => createHash("sha256").update(bytes).digest("hex"),
        signal,
        kept: folderKeptValues(folder),
        secAgg: nodeSecAgg,
        sums: folderSumJournal(folder),
        auditHeads: await folderAuditHeads(folder),
        roster: await folderRoster(folder, held.identity),
        onSession: (session) =>
          registerDataset(session, {
            name: dataset.name,
            schema,
            trainExamples: dataset.trainExamples,
            testExamples: dataset.testExamples ?? 0,
            contentHash: dataset.contentHash ?? "0".repeat(64),
          }),
        ...(onEvent === undefined ? {} : { onEvent }),
      });
    },
  };
}

/** A party's functions as the engine's trainer: named tensors in, named tensors out, checked. */
export function partyTrainer(definition: NodeDefinition): Trainer {
  const given = (task: TrainingTask): PartyTask => ({
    parameters: viewParameters(task.parameters.slice(), task.layout),
    round: task.round,
    party: task.party,
    config: task.config,
    ...(task.correction === undefined ? {} : { correction: viewParameters(task.correction, task.layout) }),
    signal: task.signal ?? new AbortController().signal,
  });
  return {
    kernelBuild: `custom:${definition.trainer ?? "custom"}`,
    async fit(task) {
      const { parameters, examples, metrics, steps } = await definition.fit(given(task));
      return { parameters: flattenChecked(parameters, task), weight: examples, metrics, ...(steps === undefined ? {} : { steps }) };
    },
    async evaluate(task) {
      const { examples, metrics, heldOutSums } = await definition.evaluate(given(task));
      return { weight: examples, metrics, ...(heldOutSums === undefined ? {} : { heldOutSums }) };
    },
  };
}

/** The tensors as one vector: a copy, unless they lie side by side in memory, as those that were given do. */
function flattenChecked(parameters: ParameterSet, { layout, party }: TrainingTask): Float32Array {
  const tensors: Float32Array[] = [];
  for (const { name, shape, length } of layout.entries) {
    const tensor = parameters.get(name);
    if (tensor === undefined || tensor.data.length !== length || tensor.shape.join() !== shape.join()) {
      const found = tensor === undefined ? "is missing" : `is [${tensor.shape.join(", ")}] with ${tensor.data.length} values`;
      throw new NexusError(
        "TRAINER_FAILED",
        `The tensor "${name}" that the trainer of ${party} returned ${found}; the model has [${shape.join(", ")}].`,
      );
    }
    tensors.push(tensor.data);
  }
  const unknown = [...parameters.keys()].find((name) => !layout.entries.some((entry) => entry.name === name));
  if (unknown !== undefined)
    throw new NexusError("TRAINER_FAILED", `The trainer of ${party} returned a tensor "${unknown}" that the model does not have.`);
  const [first] = tensors;
  const sideBySide = tensors.every(
    (data, index) => data.buffer === first?.buffer && data.byteOffset === first.byteOffset + layout.entries[index]!.offset * 4,
  );
  if (first !== undefined && sideBySide) return new Float32Array(first.buffer, first.byteOffset, layout.length);
  const flat = new Float32Array(layout.length);
  for (const [index, data] of tensors.entries()) flat.set(data, layout.entries[index]!.offset);
  return flat;
}
