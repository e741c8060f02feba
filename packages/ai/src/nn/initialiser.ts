import type { RandomStream } from "../random/index.ts";

/** How a parameter starts. Only + − × ÷ √ on its way, so every host starts from the same bits. */
export type Initialiser = { readonly kind: "zeros" } | { readonly kind: "ones" } | { readonly kind: "uniform"; readonly bound: number };

/** The spread of weights by what goes into a unit (`he`), or also by what comes out of it (`glorot`). */
export type FanInitial = "he" | "glorot";

export const ZEROS: Initialiser = { kind: "zeros" };
export const ONES: Initialiser = { kind: "ones" };

/** He, Zhang, Ren, Sun 2015, §2.2 in its uniform form: variance 2 / fanIn, for layers that a ReLU follows. */
export function heUniform(fanIn: number): Initialiser {
  return { kind: "uniform", bound: Math.sqrt(6 / fanIn) };
}

/** Glorot, Bengio 2010, equation 16: variance 2 / (fanIn + fanOut). */
export function glorotUniform(fanIn: number, fanOut: number): Initialiser {
  return { kind: "uniform", bound: Math.sqrt(6 / (fanIn + fanOut)) };
}

/** As the spec says; when it does not, He where a ReLU is the next layer, else Glorot. */
export function weightInitialiser(initial: FanInitial | undefined, next: string | undefined, fanIn: number, fanOut: number): Initialiser {
  return (initial ?? (next === "relu" ? "he" : "glorot")) === "he" ? heUniform(fanIn) : glorotUniform(fanIn, fanOut);
}

/** Fills a parameter in order from its stream; uniform values lie in (−bound, bound), one word of the stream each. */
export function initialise(initialiser: Initialiser, stream: RandomStream, to: Float32Array): void {
  if (initialiser.kind !== "uniform") {
    to.fill(initialiser.kind === "ones" ? 1 : 0);
    return;
  }
  const { bound } = initialiser;
  for (let i = 0; i < to.length; i += 1) to[i] = ((stream.uint32() + 0.5) / 0x80000000 - 1) * bound;
}
