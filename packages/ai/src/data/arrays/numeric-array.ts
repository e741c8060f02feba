/** What a number is stored as in memory. */
export type NumericData = Uint8Array | Int8Array | Uint16Array | Int16Array | Uint32Array | Int32Array | Float32Array | Float64Array;

/** An array of any rank, from whatever file. */
export interface NumericArray {
  readonly shape: readonly number[];
  /** Row-major; as many values as the product of the shape. */
  readonly data: NumericData;
}
