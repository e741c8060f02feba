// The speed limit of this machine for products with additions in f32 SIMD without FMA, through the same engine: a WASM
// function that does nothing else, in chains that do not wait for each other and fit the registers.

const [V128, I32, F32] = [0x7b, 0x7f, 0x7d] as const;
const [LOCAL_GET, LOCAL_SET, LOCAL_TEE, END] = [0x20, 0x21, 0x22, 0x0b] as const;
const F32X4_SPLAT = [0xfd, 0x13] as const;
const F32X4_ADD = [0xfd, 0xe4, 0x01] as const;
const F32X4_MUL = [0xfd, 0xe6, 0x01] as const;
const FIRST_LANE = [0xfd, 0x1f, 0] as const;
/** Parameters of the function, then its locals: the two constants, then the chains. */
const [STEPS, X, Y, A, B, CHAINS] = [0, 1, 2, 3, 4, 5] as const;

/** Operations in a step of a chain: 4 lanes, each a product and an addition. */
const OPERATIONS = 8;

/**
 * A function that does `steps` times c ← c × x + y in each of `chains` chains, and returns the operations of a call.
 * How many chains are quickest depends on the processor: latency × units, as far as there are registers.
 */
export async function multiplyAddChains(chains: number): Promise<(steps: number) => number> {
  const { instance } = await WebAssembly.instantiate(chainsModule(chains));
  const run = instance.exports["run"] as (steps: number, x: number, y: number) => number;
  return (steps) => {
    // Goes to 2: neither overflows nor ends in numbers that are slow because they are small.
    if (Math.abs(run(steps, 0.5, 1) - 2 * chains) > 0.1) throw new Error(`The ${chains} chains do not compute what they should.`);
    return steps * chains * OPERATIONS;
  };
}

function chainsModule(chains: number): Uint8Array<ArrayBuffer> {
  const all = Array.from({ length: chains }, (_, chain) => CHAINS + chain);
  const body = [
    ...[1, chains + 2, V128],
    ...[LOCAL_GET, X, ...F32X4_SPLAT, LOCAL_SET, A],
    ...[LOCAL_GET, Y, ...F32X4_SPLAT, LOCAL_SET, B],
    // No two chains start with the same number, so that none can stand for another.
    ...all.flatMap((chain) => [LOCAL_GET, chain === CHAINS ? B : chain - 1, LOCAL_GET, B, ...F32X4_ADD, LOCAL_SET, chain]),
    ...[0x03, 0x40], // loop
    ...all.flatMap((chain) => [LOCAL_GET, chain, LOCAL_GET, A, ...F32X4_MUL, LOCAL_GET, B, ...F32X4_ADD, LOCAL_SET, chain]),
    ...[LOCAL_GET, STEPS, 0x41, 1, 0x6b, LOCAL_TEE, STEPS, 0x0d, 0, END], // steps ← steps − 1; again unless 0
    ...all.flatMap((chain, index) => [LOCAL_GET, chain, ...(index === 0 ? [] : F32X4_ADD)]),
    ...[...FIRST_LANE, END],
  ];
  return Uint8Array.from([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, [1, 0x60, 3, I32, F32, F32, 1, F32]),
    ...section(3, [1, 0]),
    ...section(7, [1, 3, ...new TextEncoder().encode("run"), 0, 0]),
    ...section(10, [1, ...unsigned(body.length), ...body]),
  ]);
}

function section(id: number, content: readonly number[]): readonly number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** LEB128. */
function unsigned(value: number): readonly number[] {
  return value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >>> 7)];
}
