// The f32 SIMD kernels of ai/nn, one wasm module (AssemblyScript). All pointers are byte addresses in the memory of
// the network, all counts are elements. Rules that every file keeps, so that other builds can give the same bits:
// multiply, then add (never fused); a matrix product adds over k in ascending order for each output element; a
// reduction along contiguous numbers is sum16 (16 strided partial sums, then a halving tree).
export { adamStep } from "./adam";
export { addBiasRows, columnSums, copy } from "./rows";
export { bceGradient, bceLosses } from "./bce";
export { bytesToFloats } from "./bytes";
export { countAgreeing, rowMeans } from "./example";
export { exp, log, sigmoid, sigmoidBackward, tanh, tanhBackward } from "./elementwise";
export { gemmColumns, gemmRows, gemmScratchBytes } from "./gemm";
export { heapBase } from "./heap";
export { mseGradient, mseLosses } from "./mse";
export { packPanels, packPanelsTransposed } from "./panels";
export { relu, reluBackward } from "./relu";
export { sgdStep } from "./sgd";
export { softmax, softmaxCrossEntropy } from "./softmax";
export { sum16 } from "./reduce";
