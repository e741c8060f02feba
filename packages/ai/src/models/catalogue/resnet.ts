import { z } from "zod";
import type { LayerSpec } from "../../nn/index.ts";
import { imageShapeSchema } from "../input-shape.ts";
import { defineModel } from "./catalogue-model.ts";
import { imageNetwork } from "./image.ts";

/** Stages of blocks; each but the first halves the image's sides and doubles the channels. */
const STAGES = [0, 1, 2] as const;

/**
 * The residual network for small images of He, Zhang, Ren, Sun 2016, §4.2: a 3 × 3 convolution, three stages of blocks of two 3 × 3
 * convolutions, the mean of each channel, and the outputs; where the shape changes the shortcut is a 1 × 1 convolution (their option B).
 * Group norm takes the place of batch norm, whose statistics come apart between parties with different data (Hsieh, Phanishayee,
 * Mutlu, Gibbons 2020). Convolutions keep their biases.
 */
export const resnet = defineModel({
  schema: z.strictObject({
    kind: z.literal("resnet").describe("Residual network with group norm (He et al. 2016, Hsieh et al. 2020) for images"),
    depth: z.literal([8, 14, 20, 26, 32, 44, 56]).default(8).describe("Layers with weights on the longest way: 6 × blocks of a stage + 2"),
    width: z.int().min(1).max(4_096).default(16).describe("Channels of the first stage; the second has twice, the third four times as many"),
    groups: z.int().min(1).max(4_096).default(2).describe("Groups of each group norm; must divide the width"),
    inputShape: imageShapeSchema,
  }),
  network(options, task) {
    const { depth, width, groups } = options;
    if (width % groups !== 0) {
      return {
        refusals: [
          {
            path: "model.groups",
            reason: `${groups} groups do not divide the ${width} channels of the first stage.`,
            remedy: "Use a divisor of the width.",
            edits: [{ path: "model.groups", value: largestDivisor(width, groups) }],
          },
        ],
      };
    }
    const blocks = Array.from({ length: (depth - 2) / 6 });
    const stages = STAGES.flatMap((stage) => blocks.flatMap((_, block) => residualBlock(width * 2 ** stage, groups, stage > 0 && block === 0)));
    return imageNetwork(options, task, [...convolution(width, groups), { kind: "relu" }, ...stages, { kind: "global-average-pool" }]);
  },
});

/** A 3 × 3 convolution and its norm. It starts as layers before a ReLU do, which the norm in between would hide. */
function convolution(channels: number, groups: number, stride = 1): readonly LayerSpec[] {
  return [
    { kind: "conv2d", channels, size: 3, stride, padding: 1, initial: "he" },
    { kind: "group-norm", groups },
  ];
}

function residualBlock(channels: number, groups: number, halves: boolean): readonly LayerSpec[] {
  return [
    {
      kind: "residual",
      layers: [...convolution(channels, groups, halves ? 2 : 1), { kind: "relu" }, ...convolution(channels, groups)],
      ...(halves
        ? {
            shortcut: [
              { kind: "conv2d", channels, size: 1, stride: 2 },
              { kind: "group-norm", groups },
            ],
          }
        : {}),
    },
    { kind: "relu" },
  ];
}

function largestDivisor(of: number, atMost: number): number {
  let divisor = Math.min(of, atMost);
  while (of % divisor !== 0) divisor -= 1;
  return divisor;
}
