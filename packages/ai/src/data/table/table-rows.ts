import { allocateExamples, type Examples, viewExamples } from "../examples.ts";
import { featureLength, type TableSchema } from "../dataset-schema.ts";

/** Texts of columns that are kept beside the rows because a split goes by them: one text for each row. */
export type RowColumns = ReadonlyMap<string, readonly string[]>;

/**
 * Rows of a table while they are being read. They are written into blocks, so that nothing is copied while a file
 * grows; at the end each block is copied into the result and given back at once, so that the rows are never in memory twice.
 */
export interface TableRows {
  /** Rows written so far, those of the open block included. */
  readonly count: number;
  /** The texts of the columns that are kept, by name; the reader adds one for each row. */
  readonly kept: ReadonlyMap<string, string[]>;
  /** The block to write to, with room for at least one row from `at` on. */
  block(): { readonly features: Float32Array; readonly targets: Examples["targets"]; readonly at: number; readonly capacity: number };
  /** Says that rows were written to the open block, from its `at` on. */
  advance(rows: number): void;
  /** All rows. Nothing may be written after. */
  finish(): Examples;
}

/**
 * Small files take little. Beyond them blocks are larger than what allocators keep for themselves (glibc: up to 32 MiB, `mallopt(3)`,
 * M_MMAP_THRESHOLD), so that the system has each back as soon as it is freed.
 */
const BLOCK_BYTES = [256 * 1024, 2 * 1024 * 1024, 33 * 1024 * 1024] as const;

/** @param keep Names of columns whose texts are kept. */
export function createTableRows(schema: TableSchema, keep: readonly string[] = []): TableRows {
  const length = featureLength(schema);
  const full: Examples[] = [];
  let before = 0;
  let open: Examples | undefined;
  let at = 0;
  return {
    kept: new Map(keep.map((name) => [name, []])),
    get count() {
      return before + at;
    },
    block() {
      if (open !== undefined && at === open.count) {
        full.push(open);
        before += at;
        open = undefined;
        at = 0;
      }
      const bytes = BLOCK_BYTES[full.length] ?? BLOCK_BYTES[2];
      open ??= allocateExamples(schema, Math.max(1, Math.floor(bytes / (4 * length))));
      return { features: open.features as Float32Array, targets: open.targets, at, capacity: open.count };
    },
    advance(rows) {
      at += rows;
    },
    finish() {
      const all = allocateExamples(schema, before + at);
      let to = 0;
      for (const part of [...full, ...(open === undefined ? [] : [viewExamples(open, 0, at)])]) {
        all.features.set(part.features, to * length);
        all.targets.set(part.targets, to);
        to += part.count;
        release(part.features);
        release(part.targets);
      }
      full.length = 0;
      open = undefined;
      before = 0;
      at = 0;
      return all;
    },
  };
}

/** Gives memory back without waiting for a collection. */
function release({ buffer }: { readonly buffer: ArrayBufferLike }): void {
  if (buffer instanceof ArrayBuffer) buffer.transfer(0);
}

/** The texts of some rows. */
export function takeColumns(columns: RowColumns | undefined, rows: ArrayLike<number>): RowColumns | undefined {
  if (columns === undefined) return undefined;
  return new Map([...columns].map(([name, texts]) => [name, Array.from(rows, (row) => texts[row]!)]));
}
