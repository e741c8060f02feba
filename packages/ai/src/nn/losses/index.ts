import { bce } from "./bce.ts";
import type { LossDefinition } from "./loss.ts";
import { mse } from "./mse.ts";
import { softmaxCrossEntropy } from "./softmax-cross-entropy.ts";

/** What a network minimises. `bce` takes logits. */
export type LossKind = "softmax-cross-entropy" | "bce" | "mse";

const LOSSES: Readonly<Record<LossKind, LossDefinition>> = { "softmax-cross-entropy": softmaxCrossEntropy, bce, mse };

/** The kinds of losses there are. */
export const LOSS_KINDS = Object.keys(LOSSES) as readonly LossKind[];

/** The definition of a loss, or undefined for a kind that this build does not know. */
export function lossDefinition(kind: LossKind): LossDefinition | undefined {
  return Object.hasOwn(LOSSES, kind) ? LOSSES[kind] : undefined;
}

export type { BoundLoss, LossContext, LossDefinition } from "./loss.ts";
