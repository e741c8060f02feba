// Integer aggregation in WebAssembly SIMD. The modules keep no state: the host lays out memory above heapBase()
// and passes addresses. Every loop reads and writes whole groups of GROUP coordinates, so buffers are padded to that.
export { checkRange8, checkRange16, checkRange32 } from "./check";
export { decodeMean } from "./decode";
export { encodeNearest, encodeStochastic } from "./encode";
export { fillPhilox } from "./philox";
export { addInt8, addInt16, addInt32, addInt64 } from "./sum";

/** First byte that the host may use. */
export function heapBase(): usize {
  return __heap_base;
}
