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
    keep: number,
  ): void;
  padPlanes(from: Address, to: Address, planes: number, height: number, width: number, top: number, left: number): void;
  cropPlanes(from: Address, to: Address, planes: number, height: number, width: number, top: number, left: number): void;
  spreadRows(from: Address, to: Address, rows: number, columns: number, factor: number): void;
  addPlaneSums(from: Address, to: Address, channels: number, spatial: number): void;
  add(a: Address, b: Address, to: Address, count: number): void;
  zeros(to: Address, count: number): void;
  packPatches(from: Address, to: Address, channels: number, ...geometry: Geometry): number;
  packPatchesTransposed(from: Address, to: Address, channels: number, ...geometry: Geometry): number;
  addPatches(from: Address, to: Address, channels: number, ...geometry: Geometry): void;
  maxPool(from: Address, to: Address, chosen: Address, planes: number, ...geometry: PoolGeometry): void;
  maxPoolBackward(gradient: Address, chosen: Address, to: Address, planes: number, inputs: number, outputs: number): void;
  averagePool(from: Address, to: Address, planes: number, ...geometry: PoolGeometry): void;
  averagePoolBackward(gradient: Address, to: Address, planes: number, ...geometry: PoolGeometry): void;
  inverseRoots(variances: Address, to: Address, count: number, epsilon: number): void;
  groupNorm(
    x: Address,
    y: Address,
    weight: Address,
    bias: Address,
    means: Address,
    inverses: Address,
    rows: number,
    groups: number,
    perGroup: number,
    spatial: number,
    epsilon: number,
  ): void;
  groupNormBackward(
    x: Address,
    dy: Address,
    dx: Address,
    weight: Address,
    weightGradient: Address,
    biasGradient: Address,
    means: Address,
    inverses: Address,
    rows: number,
    groups: number,
    perGroup: number,
    spatial: number,
  ): void;
  channelMoments(x: Address, means: Address, variances: Address, rows: number, channels: number, spatial: number): void;
  batchNorm(
    x: Address,
    y: Address,
    weight: Address,
    bias: Address,
    means: Address,
    inverses: Address,
    rows: number,
    channels: number,
    spatial: number,
  ): void;
  batchNormBackward(
    x: Address,
    dy: Address,
    dx: Address,
    weight: Address,
    weightGradient: Address,
    biasGradient: Address,
    means: Address,
    inverses: Address,
    rows: number,
    channels: number,
    spatial: number,
  ): void;
  blend(a: Address, b: Address, to: Address, count: number, share: number): void;
  dropoutMask(to: Address, count: number, key0: number, key1: number, counter2: number, counter3: number, threshold: number, scale: number): void;
  multiply(a: Address, b: Address, to: Address, count: number): void;
  embedding(tokens: Address, table: Address, to: Address, rows: number, length: number, vocabulary: number, dimensions: number): number;
  embeddingBackward(tokens: Address, gradient: Address, to: Address, rows: number, length: number, vocabulary: number, dimensions: number): void;
  depthwise(from: Address, weight: Address, bias: Address, to: Address, channels: number, ...geometry: Geometry): void;
  depthwiseBackward(gradient: Address, weight: Address, to: Address, channels: number, ...geometry: Geometry): void;
  depthwiseWeights(from: Address, gradient: Address, to: Address, channels: number, ...geometry: Geometry): void;
}

/** Geometry of a convolution over planes that are padded already. */
export type Geometry = readonly [
  height: number,
  width: number,
  kernelHeight: number,
  kernelWidth: number,
  strideY: number,
  strideX: number,
  outHeight: number,
  outWidth: number,
];

/** Geometry of pooling over planes without padding around them. */
export type PoolGeometry = readonly [
  height: number,
  width: number,
  kernelHeight: number,
  kernelWidth: number,
  strideY: number,
  strideX: number,
  top: number,
  left: number,
  outHeight: number,
  outWidth: number,
];
