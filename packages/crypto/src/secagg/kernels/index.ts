// Sums of masked vectors in WebAssembly SIMD. The modules keep no state: the host lays out memory and passes addresses. Sums are words of 2, 4 or 8
// bytes that wrap around; only their lowest `bits` count, and what lies above is garbage until the end. Every loop reads and writes whole lines of
// 64 bytes or whole groups of 8 coordinates, which are exactly `bits` bytes when packed; buffers are padded to that, and packed ones by 16 bytes more.
export { addPacked16, addPacked32, addPacked64, pack16, pack32, pack64 } from "./packed";
export { addWords16, addWords32, addWords64, extend16, extend32, extend64, subtractWords16, subtractWords32, subtractWords64, widen } from "./words";
