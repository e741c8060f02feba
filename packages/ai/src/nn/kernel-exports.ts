/** Byte address in a network's memory. */
export type Address = number;

/** What `nn.wasm` exports; `kernels/*.ts` describe each function. Booleans are 0 or 1. */
export interface KernelExports {
  heapBase(): Address;
  gemmScratchBytes(): number;
  bytesToFloats(from: Address, to: Address, count: number, scale: number): void;
  packPanels(from: Address, to: Address, k: number, n: number): number;
  packPanelsTransposed(from: Address, to: Address, k: number, n: number): number;
  gemmRows(a: Address, panels: Address, c: Address, m: number, n: number, k: number, accumulate: number, finite: number, scratch: Address): void;
  gemmColumns(a: Address, panels: Address, c: Address, m: number, n: number, k: number, accumulate: number, finite: number, scratch: Address): void;
  addBiasRows(bias: Address, to: Address, rows: number, columns: number): void;
  columnSums(from: Address, to: Address, rows: number, columns: number): void;
  copy(from: Address, to: Address, count: number): void;
  sum16(from: Address, count: number): number;
  exp(from: Address, to: Address, count: number): void;
  log(from: Address, to: Address, count: number): void;
  relu(from: Address, to: Address, count: number): void;
  reluBackward(y: Address, dy: Address, dx: Address, count: number): void;
  sigmoid(from: Address, to: Address, count: number): void;
  sigmoidBackward(y: Address, dy: Address, dx: Address, count: number): void;
  tanh(from: Address, to: Address, count: number): void;
  tanhBackward(y: Address, dy: Address, dx: Address, count: number): void;
  softmax(logits: Address, to: Address, rows: number, columns: number, scratch: Address): void;
  softmaxCrossEntropy(
    logits: Address,
    classes: Address,
    rows: number,
    columns: number,
    scale: number,
    gradient: Address,
    losses: Address,
    scratch: Address,
  ): number;
  bceLosses(logits: Address, targets: Address, losses: Address, count: number): void;
  bceGradient(logits: Address, targets: Address, gradient: Address, count: number, scale: number): void;
  mseLosses(outputs: Address, targets: Address, losses: Address, count: number): void;
  mseGradient(outputs: Address, targets: Address, gradient: Address, count: number, scale: number): void;
  rowMeans(from: Address, to: Address, rows: number, columns: number, factor: number): void;
  countAgreeing(outputs: Address, targets: Address, rows: number, columns: number): number;
  sgdStep(
    weights: Address,
    gradient: Address,
    velocity: Address,
    anchor: Address,
    count: number,
    rate: number,
    momentum: number,
    decay: number,
    proximal: number,
  ): void;
  adamStep(
    weights: Address,
    gradient: Address,
    mean: Address,
    square: Address,
    anchor: Address,
    count: number,
    rate: number,
    beta1: number,
    oneMinusBeta1: number,
    beta2: number,
    oneMinusBeta2: number,
    rootCorrection: number,
    epsilon: number,
    decay: number,
    proximal: number,
  ): void;
}
