import { NexusError } from "@ciphernx/core/errors";
import { requireWhole, shapeText } from "./checks.ts";
import type { LayerDefinition } from "./layer.ts";

/**
 * A vector for each token: features are whole numbers from 0 to vocabulary − 1, [length] of them an example, and come
 * out as [dimensions, length], channels first, so that pooling averages over the tokens. `weight` is
 * [vocabulary, dimensions]. A token that the table does not have throws DATA_INVALID.
 */
export interface EmbeddingSpec {
  readonly kind: "embedding";
  /** How many tokens there are. */
  readonly vocabulary: number;
  /** Length of a token's vector. */
  readonly dimensions: number;
}

/** From here on not every whole number is an f32. */
const MOST_TOKENS = 2 ** 24;

export const embedding: LayerDefinition<EmbeddingSpec> = {
  kind: "embedding",

  plan({ vocabulary, dimensions }, inputShape, planning) {
    requireWhole(planning, "vocabulary", vocabulary);
    requireWhole(planning, "dimensions", dimensions);
    if (vocabulary > MOST_TOKENS) throw planning.refuse(`has a vocabulary of ${vocabulary}; it takes at most ${MOST_TOKENS}.`);
    const [length] = inputShape;
    if (inputShape.length !== 1 || length === undefined) {
      throw planning.refuse(`is given ${shapeText(inputShape)}; it takes [length].`, { given: [...inputShape], wanted: ["length"] });
    }
    return {
      outputShape: [dimensions, length],
      parameters: [
        // Variance 1 / dimensions: a token's vector has a length near 1.
        { name: "weight", shape: [vocabulary, dimensions], initialiser: { kind: "uniform", bound: Math.sqrt(3 / dimensions) } },
      ],
      bind({ kernel, memory, parameters, gradients, input, output }) {
        const [weight] = parameters as [number];
        const [weightGradient] = gradients as [number];
        return {
          forward(rows) {
            const wrong = kernel.embedding(input, weight, output, rows, length, vocabulary, dimensions);
            if (wrong < 0) return;
            const token = new Float32Array(memory.buffer, input, wrong + 1)[wrong];
            throw new NexusError(
              "DATA_INVALID",
              `An example has the token ${token} at place ${wrong % length}; tokens are whole numbers from 0 to ${vocabulary - 1}.`,
              {
                details: { token, place: wrong % length, vocabulary },
              },
            );
          },
          backward(rows, outputGradient, inputGradient) {
            kernel.embeddingBackward(input, outputGradient, weightGradient, rows, length, vocabulary, dimensions);
            if (inputGradient !== 0) kernel.zeros(inputGradient, rows * length);
          },
        };
      },
    };
  },
};
