// The f32 SIMD kernels of ai/nn, one wasm module (AssemblyScript). All pointers are byte addresses in the memory of
// the network, all counts are elements. Rules that every file keeps, so that other builds can give the same bits:
// multiply, then add (never fused, but for the matrix product of the build `fma`); a matrix product adds over k in
// ascending order for each output element; a reduction along contiguous numbers is sum16 (16 strided partial sums, then
// a halving tree).
export { adamStep } from "./adam";
export { addPatches, packPatches, packPatchesTransposed } from "./patches";
export { add, addPlaneSums, cropPlanes, padPlanes, spreadRows, zeros } from "./planes";
export { addBiasRows, columnSums, copy } from "./rows";
export { averagePool, averagePoolBackward, maxPool, maxPoolBackward } from "./pool";
export { batchNorm, batchNormBackward, blend, channelMoments, groupNorm, groupNormBackward, inverseRoots } from "./norm";
export { bceGradient, bceLosses } from "./bce";
export { bytesToFloats } from "./bytes";
export { countAgreeing, rowMeans } from "./example";
export { depthwise, depthwiseBackward, depthwiseWeights } from "./depthwise";
export { dropoutMask, multiply } from "./dropout";
export { embedding, embeddingBackward } from "./embedding";
export { exp, log, sigmoid, sigmoidBackward, tanh, tanhBackward } from "./elementwise";
export { gemmColumns, gemmRows, gemmScratchBytes } from "./gemm";
export { heapBase } from "./heap";
export { mseGradient, mseLosses } from "./mse";
export { packPanels, packPanelsTransposed } from "./panels";
export { relu, reluBackward } from "./relu";
export { sgdStep } from "./sgd";
export { softmax, softmaxCrossEntropy } from "./softmax";
export { sum16 } from "./reduce";
