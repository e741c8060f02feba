export { deterministicExp, deterministicLog } from "./deterministic-math.ts";
export { dirichlet, gamma, normal } from "./distributions.ts";
export { philox4x32 } from "./philox.ts";
export { type RandomStream, randomStream } from "./stream.ts";
