/**
 * Matrix products of 256³ and 1024³ in f32 on one thread, numbers without zeros, the packing of operands counted in:
 * billions of operations a second (a product and an addition are two) of both builds of the kernels, beside the most
 * that this machine does without FMA through the same engine, and a plain loop in JavaScript. Turns alternate; medians.
 *
 * @module
 */
import { type Kernel, loadKernel } from "@ciphernx/ai/nn";
import { randomStream } from "@ciphernx/ai/random";
import { median, type Outcome } from "./figures/figure.ts";
import { multiplyAddChains } from "./training/multiply-add-limit.ts";

export const name = "sgemm";

const TURNS = 11;
const WARM_UP_TURNS = 3;
/** Products in a turn by size, so that each turn takes some tens of milliseconds. */
const PRODUCTS: ReadonlyMap<number, number> = new Map([
  [256, 40],
  [1024, 1],
]);
const CHAINS = [8, 12, 14];
const CHAIN_STEPS = 2_000_000;

export async function run(): Promise<Outcome> {
  const kernels = { baseline: await loadKernel(), fma: await loadKernel({ build: "fma" }) };
  const works: { readonly name: string; readonly work: () => number; readonly speeds: number[] }[] = [];
  const add = (name: string, work: () => number): void => void works.push({ name, work, speeds: [] });
  for (const chains of CHAINS) {
    const limit = await multiplyAddChains(chains);
    add(`limit ${chains}`, () => limit(CHAIN_STEPS));
  }
  for (const [build, kernel] of Object.entries(kernels)) {
    for (const [size, products] of PRODUCTS) add(`${build} ${size}`, productsOf(kernel, size, products));
  }
  add("plain 256", plainProducts(256));

  for (let turn = 0; turn < WARM_UP_TURNS + TURNS; turn += 1) {
    for (const { work, speeds } of works) {
      const began = performance.now();
      const operations = work();
      const seconds = (performance.now() - began) / 1000;
      if (turn >= WARM_UP_TURNS) speeds.push(operations / seconds / 1e9);
    }
  }
  const speedOf = (wanted: string): number => median(works.find(({ name }) => name === wanted)!.speeds);
  const limit = Math.max(...CHAINS.map((chains) => speedOf(`limit ${chains}`)));
  const unit = "GFLOP/s";
  return {
    figures: [
      { name: "products with additions in registers, no FMA", value: limit, unit },
      ...[...PRODUCTS.keys()].flatMap((size) => [
        { name: `${size}³, baseline`, value: speedOf(`baseline ${size}`), unit },
        { name: `${size}³, baseline to that limit`, value: speedOf(`baseline ${size}`) / limit, unit: "×", atLeast: 0.75 },
        { name: `${size}³, fma`, value: speedOf(`fma ${size}`), unit },
      ]),
      { name: "256³, plain loops", value: speedOf("plain 256"), unit },
    ],
  };
}

/** What a product needs of the module; `packages/ai/src/nn/kernels` describes it. */
interface Exports {
  packPanels(from: number, to: number, k: number, n: number): number;
  gemmRows(a: number, panels: number, c: number, m: number, n: number, k: number, accumulate: number, finite: number, scratch: number): void;
}

const ALIGNMENT = 64;

/** Products of two square matrices; returns their operations. Checks one number of the result. */
function productsOf(kernel: Kernel, size: number, products: number): () => number {
  const bytes = size * size * 4;
  const base = Math.ceil(kernel.heapBase / ALIGNMENT) * ALIGNMENT;
  const [a, b, panels, c, scratch] = [0, 1, 2, 3, 4].map((place) => base + place * bytes) as [number, number, number, number, number];
  const pages = Math.ceil((scratch + kernel.gemmScratchBytes) / 65_536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
  const { packPanels, gemmRows } = new WebAssembly.Instance(kernel.module, { env: { memory } }).exports as unknown as Exports;
  const left = new Float32Array(memory.buffer, a, size * size);
  const right = new Float32Array(memory.buffer, b, size * size);
  fillWithoutZeros(left, right);
  const result = new Float32Array(memory.buffer, c, size * size);
  return () => {
    for (let product = 0; product < products; product += 1) {
      const finite = packPanels(b, panels, size, size);
      gemmRows(a, panels, c, size, size, size, 0, finite, scratch);
    }
    const [row, column] = [size - 1, 1];
    let real = 0;
    for (let k = 0; k < size; k += 1) real += left[row * size + k]! * right[k * size + column]!;
    if (!(Math.abs(result[row * size + column]! - real) < 1e-3)) throw new Error(`The product of ${size}³ is wrong.`);
    return 2 * size ** 3 * products;
  };
}

function plainProducts(size: number): () => number {
  const [left, right, result] = [0, 1, 2].map(() => new Float32Array(size * size)) as [Float32Array, Float32Array, Float32Array];
  fillWithoutZeros(left, right);
  return () => {
    result.fill(0);
    for (let i = 0; i < size; i += 1) {
      for (let k = 0; k < size; k += 1) for (let j = 0; j < size; j += 1) result[i * size + j]! += left[i * size + k]! * right[k * size + j]!;
    }
    return 2 * size ** 3;
  };
}

function fillWithoutZeros(...matrices: readonly Float32Array[]): void {
  const random = randomStream(1, "sgemm");
  for (const matrix of matrices) for (let i = 0; i < matrix.length; i += 1) matrix[i] = random.uniform() - 0.5 || 0.5;
}

if (import.meta.main) console.table((await run()).figures);
