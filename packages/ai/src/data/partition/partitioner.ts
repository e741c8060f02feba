import type { z } from "zod";
import type { RandomStream } from "../../random/index.ts";

/** What a partitioner decides on. It sees labels, positions and the columns that its options name: no names of parties, no clock. */
export interface PartitionInput<Options> {
  /** The label of each row: a class index, or a number where the task is regression. */
  readonly labels: ArrayLike<number>;
  /** Number of parties, 1 … number of rows. */
  readonly parties: number;
  readonly options: Options;
  /**
   * The values of a column by name, one for each row; NaN or the empty text where there is none.
   * @throws NexusError DATA_INVALID when the data has no such column.
   */
  readonly columns: (name: string) => ArrayLike<string | number>;
  /** Opens the random stream of a purpose within this partition. */
  readonly stream: (...purpose: readonly (string | number)[]) => RandomStream;
}

/**
 * One way of dealing rows to parties: one file beside this one, and one line in the index. It is pure, and gives each row
 * to exactly one party; the order of rows within a party carries no meaning.
 */
export interface Partitioner<Schema extends z.ZodType = z.ZodType> {
  /** The options, with a literal `kind`. */
  readonly schema: Schema;
  /** Fewest rows that such a split of so many parties takes. */
  rowsNeeded(options: z.output<Schema>, parties: number): number;
  partition(input: PartitionInput<z.output<Schema>>): Uint32Array[];
}

/** Declares a partitioner and keeps the type of its options. */
export function definePartitioner<Schema extends z.ZodType>(partitioner: Partitioner<Schema>): Partitioner<Schema> {
  return partitioner;
}

/** The numbers 0 … count − 1. */
export function rowNumbers(count: number): Uint32Array {
  const rows = new Uint32Array(count);
  for (let row = 0; row < count; row += 1) rows[row] = row;
  return rows;
}

/** Cuts a list into consecutive pieces whose lengths differ by at most one. */
export function cutEvenly(rows: Uint32Array, pieces: number): Uint32Array[] {
  const cut = (i: number): number => Math.floor((i * rows.length) / pieces);
  return Array.from({ length: pieces }, (_, i) => rows.subarray(cut(i), cut(i + 1)));
}
