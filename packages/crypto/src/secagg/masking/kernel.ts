const PAGE_BYTES = 65_536;
/** Alignment of buffers, and what the kernels read and write at once: one cache line. */
const LINE_BYTES = 64;
/** Instances that wait to be lent again at most. */
const KEPT_INSTANCES = 4;

/** Coordinates that end at a whole byte when packed, whatever their bits. */
export const GROUP = 8;
/** Bytes that the kernels may read and write beyond the end of a packed vector. */
export const PACKED_MARGIN_BYTES = 16;

type AddWords = (sum: number, streams: number, strideBytes: number, count: number, lengthBytes: number) => void;
type ByGroups = (from: number, to: number, bits: number, groups: number) => void;

/** The functions of `kernels/index.ts`. Addresses and lengths are whole numbers. */
export interface MaskExports {
  readonly addWords16: AddWords;
  readonly addWords32: AddWords;
  readonly addWords64: AddWords;
  readonly subtractWords16: AddWords;
  readonly subtractWords32: AddWords;
  readonly subtractWords64: AddWords;
  /** To the sum first, of the packed second. */
  readonly addPacked16: ByGroups;
  readonly addPacked32: ByGroups;
  readonly addPacked64: ByGroups;
  readonly pack16: ByGroups;
  readonly pack32: ByGroups;
  readonly pack64: ByGroups;
  readonly extend16: ByGroups;
  readonly extend32: ByGroups;
  readonly extend64: ByGroups;
  widen(values: number, words: number, groups: number): void;
}

/** What the kernels do with words of one size. */
export interface WordKernels {
  readonly addWords: AddWords;
  readonly subtractWords: AddWords;
  readonly addPacked: ByGroups;
  readonly pack: ByGroups;
  readonly extend: ByGroups;
}

/** The kernels for a ring's words. */
export function wordKernels(exports: MaskExports, wordBytes: 2 | 4 | 8): WordKernels {
  switch (wordBytes) {
    case 2: {
      const { addWords16: addWords, subtractWords16: subtractWords, addPacked16: addPacked, pack16: pack, extend16: extend } = exports;
      return { addWords, subtractWords, addPacked, pack, extend };
    }
    case 4: {
      const { addWords32: addWords, subtractWords32: subtractWords, addPacked32: addPacked, pack32: pack, extend32: extend } = exports;
      return { addWords, subtractWords, addPacked, pack, extend };
    }
    case 8: {
      const { addWords64: addWords, subtractWords64: subtractWords, addPacked64: addPacked, pack64: pack, extend64: extend } = exports;
      return { addWords, subtractWords, addPacked, pack, extend };
    }
  }
}

/** One instance of the kernels with memory of its own, which never grows: views of it stay valid. */
export interface MaskInstance {
  readonly exports: MaskExports;
  readonly buffer: ArrayBuffer;
  /** Address of each requested buffer, in the order of the request. */
  readonly addresses: readonly number[];
}

/** The compiled kernels of masking. */
export interface MaskKernel {
  /** Can be posted to a worker, which makes its own kernel of it without compiling again. */
  readonly module: WebAssembly.Module;
  /**
   * An instance with buffers of at least these sizes, zeroed, the caller's until it is disposed of, which wipes it: what it held were masks. Instances that come
   * back are lent again, because making one is dear and its memory is only freed by the collector.
   */
  lend(...buffersBytes: readonly number[]): MaskInstance & Disposable;
}

/** Kernels from the bytes of `secagg.wasm`, or from its compiled module; platform-free. */
export async function instantiateMaskKernel(source: BufferSource | WebAssembly.Module): Promise<MaskKernel> {
  const module = source instanceof WebAssembly.Module ? source : await WebAssembly.compile(source);
  const returned: { readonly sizes: string; readonly instance: MaskInstance }[] = [];

  function instantiate(buffersBytes: readonly number[]): MaskInstance {
    // The kernels hold no data of their own.
    let end = PAGE_BYTES;
    const addresses = buffersBytes.map((sizeBytes) => {
      const address = end;
      end += Math.ceil(sizeBytes / LINE_BYTES) * LINE_BYTES;
      return address;
    });
    const pages = Math.ceil(end / PAGE_BYTES);
    const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const instance = new WebAssembly.Instance(module, { env: { memory } });
    return { exports: instance.exports as unknown as MaskExports, buffer: memory.buffer, addresses };
  }

  function lend(...buffersBytes: readonly number[]): MaskInstance & Disposable {
    const sizes = buffersBytes.join();
    const index = returned.findIndex((one) => one.sizes === sizes);
    const instance = index < 0 ? instantiate(buffersBytes) : returned.splice(index, 1)[0]!.instance;
    return {
      ...instance,
      [Symbol.dispose]() {
        new Uint8Array(instance.buffer).fill(0);
        returned.push({ sizes, instance });
        if (returned.length > KEPT_INSTANCES) returned.shift();
      },
    };
  }

  return { module, lend };
}

/** Bytes in whole lines, as the kernels go through words. */
export function wholeLines(sizeBytes: number): number {
  return Math.ceil(sizeBytes / LINE_BYTES) * LINE_BYTES;
}
