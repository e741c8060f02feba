import { z } from "zod";
import type { NetworkLayerSpec as LayerSpec } from "../../nn/index.ts";

const channels = z.int().min(1).max(65_536);
const pixels = z.int().min(1).max(65_536);
const border = z.int().min(0).max(65_536);

/** One number for both directions, or [vertical, horizontal]. */
const pairOf = (number: z.ZodInt) => z.union([number, z.tuple([number, number])]);

const size = pairOf(pixels).describe("Side of the window in pixels, or [height, width]");
const stride = pairOf(pixels).default(1).describe("Pixels from one window to the next");
const padding = pairOf(border).default(0).describe("Zeros on each side of the image");
const initial = z.enum(["he", "glorot"]).exactOptional().describe("Spread of the first weights; default: he where a ReLU follows, else glorot");
const epsilon = z.number().positive().lt(1).default(1e-5).describe("Added to the variance before its root");

const poolWindow = {
  size,
  stride: pairOf(pixels).exactOptional().describe("Pixels from one window to the next; default: the size"),
  padding: pairOf(border).default(0).describe("How far windows reach beyond each side of the image"),
};

const plainLayers = [
  z.strictObject({
    kind: z.literal("dense").describe("Weighted sums of all values"),
    units: z.int().min(1).max(1_000_000).describe("Outputs"),
    initial,
  }),
  z.strictObject({ kind: z.literal("relu").describe("max(x, 0)") }),
  z.strictObject({ kind: z.literal("tanh").describe("Hyperbolic tangent") }),
  z.strictObject({ kind: z.literal("sigmoid").describe("1 / (1 + e^−x)") }),
  z.strictObject({ kind: z.literal("flatten").describe("All values in a row") }),
  z.strictObject({
    kind: z.literal("conv2d").describe("Convolution over [channels, height, width]"),
    channels: channels.describe("Output channels"),
    size,
    stride,
    padding,
    initial,
  }),
  z.strictObject({
    kind: z.literal("depthwise-conv2d").describe("Convolution of each channel with a window of its own"),
    size,
    stride,
    padding,
    initial,
  }),
  z.strictObject({ kind: z.literal("max-pool").describe("The largest value of each window"), ...poolWindow }),
  z.strictObject({ kind: z.literal("average-pool").describe("The mean of each window"), ...poolWindow }),
  z.strictObject({ kind: z.literal("global-average-pool").describe("The mean of each channel") }),
  z.strictObject({
    kind: z.literal("group-norm").describe("Group normalisation: the norm that federated work uses"),
    groups: channels.describe("How many groups; must divide the channels"),
    epsilon,
  }),
  z.strictObject({
    kind: z.literal("batch-norm").describe("Batch normalisation; its running statistics are averaged over the parties, so prefer group-norm"),
    momentum: z.number().positive().max(1).default(0.1).describe("Share of a batch in the running statistics"),
    epsilon,
  }),
  z.strictObject({
    kind: z.literal("dropout").describe("Sets values to 0 at random while training"),
    rate: z.number().min(0).lt(1).describe("Probability of a value to become 0"),
  }),
  z.strictObject({
    kind: z.literal("embedding").describe("A vector for each token; features are whole numbers from 0"),
    vocabulary: z
      .int()
      .min(1)
      .max(2 ** 24)
      .describe("How many tokens there are"),
    dimensions: channels.describe("Length of a token's vector"),
  }),
] as const;

const plainLayer = z.discriminatedUnion("kind", plainLayers);

/**
 * A layer as a spec lists it. Residual blocks hold plain layers only: a document cannot nest without end, and the JSON Schema of the
 * spec stays free of references.
 */
export const layerSchema = z.discriminatedUnion("kind", [
  ...plainLayers,
  z.strictObject({
    kind: z.literal("residual").describe("The sum of what the layers make of the input and the input itself"),
    layers: z.array(plainLayer).min(1).max(100).describe("The layers inside"),
    shortcut: z.array(plainLayer).max(100).default([]).describe("Layers for the input that is added, where the shape changes"),
  }),
]) satisfies z.ZodType<LayerSpec>;
