/** A named tensor of a model: row-major f32. */
export interface Tensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** A model's parameters by name. Iteration order carries no meaning; the canonical order is sorted by name. */
export type ParameterSet = ReadonlyMap<string, Tensor>;

/** Where each tensor lies in the flat vector of all parameters, in canonical order. */
export interface ParameterLayout {
  readonly entries: readonly { readonly name: string; readonly shape: readonly number[]; readonly offset: number; readonly length: number }[];
  /** Number of parameters. */
  readonly length: number;
}

/** Compares names by UTF-16 code unit, as safetensors' canonical order and every sorted list of ours does. */
export function compareNames(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The layout of tensors with these shapes, sorted by name. */
export function parameterLayout(shapes: Iterable<readonly [name: string, shape: readonly number[]]>): ParameterLayout {
  let offset = 0;
  const entries = [...shapes]
    .toSorted(([a], [b]) => compareNames(a, b))
    .map(([name, shape]) => {
      const length = shape.reduce((product, size) => product * size, 1);
      const entry = { name, shape: [...shape], offset, length };
      offset += length;
      return entry;
    });
  return { entries, length: offset };
}

/** Copies parameters into one flat vector in canonical order. */
export function flattenParameters(parameters: ParameterSet, layout: ParameterLayout): Float32Array {
  const flat = new Float32Array(layout.length);
  for (const { name, offset } of layout.entries) {
    const tensor = parameters.get(name);
    if (tensor === undefined) throw new RangeError(`The tensor ${name} is missing.`);
    flat.set(tensor.data, offset);
  }
  return flat;
}

/** Views of a flat vector as named tensors; no copy. */
export function viewParameters(flat: Float32Array, layout: ParameterLayout): ParameterSet {
  return new Map(layout.entries.map(({ name, shape, offset, length }) => [name, { shape, data: flat.subarray(offset, offset + length) }]));
}
