import { z } from "zod";
import { imageShapeSchema } from "../input-shape.ts";
import { activationSchema } from "./activation.ts";
import { defineModel } from "./catalogue-model.ts";
import { imageNetwork } from "./image.ts";

/**
 * LeNet-5 (LeCun, Bottou, Bengio, Haffner 1998, §II.B) in its usual modern form: tanh and average pooling as in the paper, but pooling
 * without coefficients of its own, every map of the second convolution sees all maps of the first, and dense outputs under softmax
 * take the place of radial basis functions. The paper's 32 × 32 images are 28 × 28 ones with a border of 2, hence the padding.
 * 61,706 parameters on 28 × 28 × 1 with 10 classes.
 */
export const lenet5 = defineModel({
  schema: z.strictObject({
    kind: z.literal("lenet5").describe("LeNet-5 (LeCun et al. 1998) for images"),
    activation: activationSchema.default("tanh").describe("Activation after each convolution and dense layer"),
    pooling: z.enum(["average", "max"]).default("average").describe("How neighbouring pixels become one"),
    padding: z.int().min(0).max(4).default(2).describe("Zeros around the image; 0 for images of 32 × 32 and more"),
    inputShape: imageShapeSchema,
  }),
  network(options, task) {
    const activation = { kind: options.activation } as const;
    const pool = { kind: `${options.pooling}-pool`, size: 2 } as const;
    return imageNetwork(options, task, [
      { kind: "conv2d", channels: 6, size: 5, padding: options.padding },
      activation,
      pool,
      { kind: "conv2d", channels: 16, size: 5 },
      activation,
      pool,
      { kind: "flatten" },
      { kind: "dense", units: 120 },
      activation,
      { kind: "dense", units: 84 },
      activation,
    ]);
  },
});
