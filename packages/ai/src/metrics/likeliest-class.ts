import type { JudgedExamples } from "./metric.ts";

/** What a model takes an example for. */
export interface Likeliest {
  /** The class with the highest probability, the first of equals, as where correct examples are counted. */
  readonly index: number;
  /** Its probability. */
  readonly confidence: number;
}

export function likeliestClass({ outputs, width }: JudgedExamples, example: number): Likeliest {
  const first = outputs[example * width]!;
  if (width === 1) return first > 0.5 ? { index: 1, confidence: first } : { index: 0, confidence: 1 - first };
  let index = 0;
  let confidence = first;
  for (let output = 1; output < width; output += 1) {
    const probability = outputs[example * width + output]!;
    if (probability > confidence) {
      index = output;
      confidence = probability;
    }
  }
  return { index, confidence };
}
