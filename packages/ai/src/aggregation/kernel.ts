/** Coordinates that every kernel handles in one go; buffers are padded to whole groups. */
export const GROUP = 16;

const PAGE_BYTES = 65_536;
/** Instances that wait to be lent again at most. */
const KEPT_INSTANCES = 8;
/** Alignment of buffers: one cache line. */
const LINE_BYTES = 64;

/** The functions of `kernels/index.ts`. Addresses and lengths are whole numbers. */
export interface AggregationExports {
  heapBase(): number;
  encodeNearest(delta: number, out: number, length: number, factor: number, range: number, scale: number, levels: number): number;
  encodeStochastic(delta: number, words: number, out: number, length: number, factor: number, range: number, scale: number, levels: number): number;
  fillPhilox(out: number, blocks: number, first: number, key0: number, key1: number, upper0: number, upper1: number): void;
  addInt8(sum: number, updates: number, strideBytes: number, count: number, length: number): void;
  addInt16(sum: number, updates: number, strideBytes: number, count: number, length: number): void;
  addInt32(sum: number, updates: number, strideBytes: number, count: number, length: number): void;
  addInt64(sum: number, partial: number, length: number): void;
  decodeMean(sum: number, out: number, length: number, step: number, maxWeight: number, weight: number): void;
  checkRange8(values: number, sizeBytes: number, limit: number): number;
  checkRange16(values: number, sizeBytes: number, limit: number): number;
  checkRange32(values: number, sizeBytes: number, limit: number): number;
}

/** One instance of the kernels with memory of its own, which never grows: views of it stay valid. */
export interface AggregationInstance {
  readonly exports: AggregationExports;
  readonly buffer: ArrayBuffer;
  /** Address of each requested buffer, in the order of the request. */
  readonly addresses: readonly number[];
}

/** The compiled kernels of this package's aggregation. */
export interface AggregationKernel {
  /** Can be posted to a worker, which makes its own kernel of it without compiling again. */
  readonly module: WebAssembly.Module;
  /** A new instance with buffers of at least these sizes, zeroed. */
  instantiate(...buffersBytes: readonly number[]): AggregationInstance;
  /**
   * An instance with buffers of these sizes, the caller's until it is disposed of; what they hold is garbage. Instances that come back
   * are lent again: making one is dear, and its memory is only freed by the collector.
   */
  lend(...buffersBytes: readonly number[]): AggregationInstance & Disposable;
  /**
   * An instance kept for work that begins and ends within one call, such as encoding a tile. Made once for each
   * `use`; what it holds from the call before is garbage.
   */
  scratch(use: string, ...buffersBytes: readonly number[]): AggregationInstance;
}

/** Kernels from the bytes of `aggregation.wasm`, or from its compiled module; platform-free. */
export async function instantiateAggregationKernel(source: BufferSource | WebAssembly.Module): Promise<AggregationKernel> {
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
  const kept = new Map<string, AggregationInstance>();
  const returned: { readonly sizes: string; readonly instance: AggregationInstance }[] = [];

  function instantiate(...buffersBytes: readonly number[]): AggregationInstance {
    // The kernels hold no data of their own; the first page is more than heapBase() asks for.
    let end = PAGE_BYTES;
    const addresses = buffersBytes.map((sizeBytes) => {
      const address = end;
      end += Math.ceil(sizeBytes / LINE_BYTES) * LINE_BYTES;
      return address;
    });
    const pages = Math.ceil(end / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    return { exports: instance.exports as unknown as AggregationExports, buffer: memory.buffer, addresses };
  }

  function lend(...buffersBytes: readonly number[]): AggregationInstance & Disposable {
    const sizes = buffersBytes.join();
    const index = returned.findIndex((one) => one.sizes === sizes);
    const instance = index < 0 ? instantiate(...buffersBytes) : returned.splice(index, 1)[0]!.instance;
    return {
      ...instance,
      [Symbol.dispose]() {
        returned.push({ sizes, instance });
        if (returned.length > KEPT_INSTANCES) returned.shift();
      },
    };
  }

  function scratch(use: string, ...buffersBytes: readonly number[]): AggregationInstance {
    const known = kept.get(use);
    if (known !== undefined) return known;
    const made = instantiate(...buffersBytes);
    kept.set(use, made);
    return made;
  }

  return { module, instantiate, lend, scratch };
}
