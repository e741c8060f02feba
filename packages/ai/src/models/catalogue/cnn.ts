import { z } from "zod";
import type { LayerSpec } from "../../nn/index.ts";
import { imageShapeSchema } from "../input-shape.ts";
import { defineModel } from "./catalogue-model.ts";
import { imageNetwork } from "./image.ts";

/**
 * The CNN of McMahan, Moore, Ramage, Hampson, Agüera y Arcas 2017, §3: 5 × 5 convolutions that keep the image's size (32 channels, then
 * 64), each with ReLU and 2 × 2 max pooling, a dense layer of 512 units with ReLU, and the outputs. 1,663,370 parameters on
 * 28 × 28 × 1 with 10 classes.
 */
export const cnn = defineModel({
  schema: z.strictObject({
    kind: z.literal("cnn").describe("The CNN of McMahan et al. 2017 for images"),
    channels: z
      .array(z.int().min(1).max(65_536))
      .min(1)
      .max(8)
      .default([32, 64])
      .describe("Channels of each convolution; the image's sides are halved behind each"),
    units: z.int().min(1).max(65_536).default(512).describe("Units of the dense layer behind the convolutions"),
    inputShape: imageShapeSchema,
  }),
  network(options, task) {
    const stages = options.channels.flatMap((channels): LayerSpec[] => [
      { kind: "conv2d", channels, size: 5, padding: 2 },
      { kind: "relu" },
      { kind: "max-pool", size: 2 },
    ]);
    return imageNetwork(options, task, [...stages, { kind: "flatten" }, { kind: "dense", units: options.units }, { kind: "relu" }]);
  },
});
