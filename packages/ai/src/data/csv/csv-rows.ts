/**
 * The short way from the bytes of CSV to typed rows: cells are read where they lie, without a text for each. It only takes records whose
 * every cell is plainly right; any other it leaves alone, and the long way, over texts, reads it or says what is wrong with it. So both
 * ways give the same values, and errors come from one of them.
 *
 * Decimals: digits make a whole number m below 10^15, and m × 10^±k with k ≤ 22 is one operation on two exact doubles, so it is rounded
 * once and correctly. Source: W. D. Clinger, "How to read floating point numbers accurately", PLDI 1990, §3.
 *
 * @module
 */
import { featureColumns, findLabel, type TableSchema, type ValueColumn } from "../dataset-schema.ts";
import { categoryNumbers, parseDecimal, textReader } from "../table/cell.ts";
import type { Targets } from "../examples.ts";
import type { TableRows } from "../table/table-rows.ts";
import { type CategoryBytes, categoryBytes, hashByte } from "./category-bytes.ts";

/** Reads records of one file. */
export interface CsvRowReader {
  /**
   * Reads whole records from `start` on, as many as are plainly right.
   * @param end After a line feed; nothing beyond is looked at.
   * @returns Where the first record begins that was left alone, or `end`.
   */
  read(bytes: Uint8Array, start: number, end: number): number;
  /** Records that the last call passed, empty lines included. */
  readonly passed: number;
}

export interface CsvRowOptions {
  /** Where each column of the schema stands in a record. */
  readonly positions: ReadonlyMap<string, number>;
  /** Cells of a record. */
  readonly cells: number;
  /** Code of the character between cells. */
  readonly separator: number;
  readonly maxRecordBytes: number;
}

const QUOTE = 0x22;
const LF = 0x0a;
const CR = 0x0d;
const PLUS = 0x2b;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const LETTER_E = 0x65;
const TO_LOWER_CASE = 0x20;
const NOT_ASCII = 0x80;

const MAX_DIGITS = 15;
/** So many digits fit 32 bits. */
const MAX_SHORT_DIGITS = 9;
const MAX_POWER = 22;
const POWERS = Float64Array.from({ length: MAX_POWER + 1 }, (_, power) => Number(`1e${power}`));

const SKIPPED = 0;
const NUMBER = 1;
const CATEGORY = 2;
/** A number that is not every one: there is a range, or a missing code that is a number. */
const CHECKED_NUMBER = 3;

/** What a cell that is not plainly right makes of its record; no cell ends and no record begins there. */
const LEFT_ALONE = 0;

export function createCsvRowReader(schema: TableSchema, rows: TableRows, options: CsvRowOptions): CsvRowReader {
  const { positions, cells, separator, maxRecordBytes } = options;
  const features = featureColumns(schema);
  const length = features.length;
  const kinds = new Uint8Array(cells);
  /** The place of a cell's value in its row; −1 is the label's. */
  const slots = new Int32Array(cells).fill(-1);
  const lows = new Float64Array(cells).fill(-Infinity);
  const highs = new Float64Array(cells).fill(Infinity);
  /** Numbers that may be a missing code: then the text decides. */
  const codes = Array.from({ length: cells }, (): readonly number[] => []);
  const categories: (CategoryBytes | undefined)[] = Array.from({ length: cells });
  const readers: (((text: string) => number | undefined) | undefined)[] = Array.from({ length: cells });
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  const label = findLabel(schema);

  function declare(column: ValueColumn, slot: number): void {
    const cell = positions.get(column.name)!;
    kinds[cell] = column.type === "category" ? CATEGORY : NUMBER;
    slots[cell] = slot;
    readers[cell] = textReader(column);
    if (column.type === "category") {
      // A missing code may be called like a category: then the text decides.
      const numbers = categoryNumbers(column);
      categories[cell] = categoryBytes(column.missing?.some((code) => numbers.has(code)) === true ? new Map() : numbers);
    } else {
      codes[cell] = (column.missing ?? []).map(parseDecimal).filter((code) => code !== undefined);
      if (column.range !== undefined) [lows[cell], highs[cell]] = column.range;
      if (column.range !== undefined || codes[cell].length > 0) kinds[cell] = CHECKED_NUMBER;
    }
  }
  features.forEach(declare);
  if (label !== undefined) declare(label, -1);

  /** The value of the cell that was read last, where no number needs an object. */
  const value = new Float64Array(1);
  let passed = 0;
  /** Where the next record begins. */
  let position = 0;

  /** Reads a cell by its text, from `start` to before `end`; false when its record must be left alone. */
  function readText(bytes: Uint8Array, start: number, end: number, cell: number): boolean {
    let read: number | undefined;
    try {
      const text = decoder.decode(bytes.subarray(start, end));
      read = kinds[cell] === SKIPPED ? 0 : readers[cell]!(text);
    } catch {
      // Not UTF-8: the long way says so.
      return false;
    }
    if (read === undefined) return false;
    value[0] = read;
    return true;
  }

  /** Reads a cell that stands in quotes, of which none is within. @returns Where it ends. */
  function readQuoted(bytes: Uint8Array, start: number, cell: number): number {
    let at = start + 1;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === QUOTE) break;
      if (byte === LF || byte === 0) return LEFT_ALONE;
      at += 1;
    }
    return readText(bytes, start + 1, at, cell) ? at + 1 : LEFT_ALONE;
  }

  /** Reads a bare cell that is no plain number. @returns Where it ends. */
  function readBare(bytes: Uint8Array, start: number, cell: number): number {
    let at = start;
    let hash = 0;
    let all = 0;
    for (;;) {
      const byte = bytes[at]!;
      if (byte === separator || byte === LF || byte === CR) break;
      if (byte === QUOTE || byte === 0) return LEFT_ALONE;
      hash = hashByte(hash, byte);
      all |= byte;
      at += 1;
    }
    if (kinds[cell] === CATEGORY) {
      const found = categories[cell]!.find(bytes, start, at, hash);
      value[0] = found;
      if (found !== -1) return at;
    } else if (kinds[cell] === SKIPPED && all < NOT_ASCII) return at;
    return readText(bytes, start, at, cell) ? at : LEFT_ALONE;
  }

  /** Reads a number that has an exponent or many digits; it is known to begin as one. @returns Where it ends. */
  function readLongNumber(bytes: Uint8Array, start: number, cell: number): number {
    let at = bytes[start] === MINUS || bytes[start] === PLUS ? start + 1 : start;
    let digits = 0;
    let count = 0;
    let power = 0;
    let hasPoint = false;
    for (; ; at += 1) {
      const digit = bytes[at]! - ZERO;
      if (digit >= 0 && digit <= 9) {
        digits = digits * 10 + digit;
        count += 1;
        if (hasPoint) power -= 1;
      } else if (digit === DOT - ZERO && !hasPoint) hasPoint = true;
      else break;
    }
    if ((bytes[at]! | TO_LOWER_CASE) === LETTER_E) {
      const sign = bytes[at + 1]!;
      const from = sign === MINUS || sign === PLUS ? at + 2 : at + 1;
      let exponent = 0;
      for (at = from; at < from + 3; at += 1) {
        const digit = bytes[at]! - ZERO;
        if (digit < 0 || digit > 9) break;
        exponent = exponent * 10 + digit;
      }
      if (at === from) return readBare(bytes, start, cell);
      power += sign === MINUS ? -exponent : exponent;
    }
    const byte = bytes[at]!;
    const isWhole = byte === separator || byte === LF || byte === CR;
    if (!isWhole || count === 0 || count > MAX_DIGITS || power < -MAX_POWER || power > MAX_POWER) return readBare(bytes, start, cell);
    const size = power < 0 ? digits / POWERS[-power]! : digits * POWERS[power]!;
    value[0] = bytes[start] === MINUS ? -size : size;
    return checkNumber(bytes, start, at, cell);
  }

  /** Holds a number against its column's range and missing codes. */
  function checkNumber(bytes: Uint8Array, start: number, end: number, cell: number): number {
    const number = value[0]!;
    if (codes[cell]!.includes(number)) return readBare(bytes, start, cell);
    return number >= lows[cell]! && number <= highs[cell]! ? end : LEFT_ALONE;
  }

  /** Reads a cell that is no short number. @returns Where it ends. */
  function readOther(bytes: Uint8Array, start: number, cell: number): number {
    const byte = bytes[start]!;
    if (byte === QUOTE) return readQuoted(bytes, start, cell);
    return kinds[cell] === NUMBER || kinds[cell] === CHECKED_NUMBER ? readLongNumber(bytes, start, cell) : readBare(bytes, start, cell);
  }

  /**
   * Reads records into rows from `row` on. It is one function, and short numbers are read within it, since nearly all the time of a
   * large file is spent here.
   * @returns How many rows it has written.
   */
  function readRecords(bytes: Uint8Array, end: number, into: Float32Array, labels: Targets, firstRow: number, capacity: number): number {
    const [cellKinds, cellSlots, powers, result, between, last] = [kinds, slots, POWERS, value, separator, cells - 1];
    let row = firstRow;
    let at = position;
    while (at < end && row < capacity) {
      const start = at;
      const out = row * length;
      let byte = bytes[at]!;
      if (byte === LF || (byte === CR && bytes[at + 1] === LF)) {
        at += byte === LF ? 1 : 2;
        passed += 1;
        position = at;
        continue;
      }
      for (let cell = 0; ; cell += 1) {
        const kind = cellKinds[cell]!;
        let number = NaN;
        if (byte !== between && byte !== LF && byte !== CR) {
          const from = at;
          let digits = 0;
          let power = 0;
          const isNegative = byte === MINUS;
          if (isNegative) byte = bytes[(at += 1)]!;
          const first = at;
          while (byte >= ZERO && byte <= NINE) {
            digits = (Math.imul(digits, 10) + byte - ZERO) | 0;
            byte = bytes[(at += 1)]!;
          }
          let count = at - first;
          if (byte === DOT) {
            byte = bytes[(at += 1)]!;
            const point = at;
            while (byte >= ZERO && byte <= NINE) {
              digits = (Math.imul(digits, 10) + byte - ZERO) | 0;
              byte = bytes[(at += 1)]!;
            }
            power = at - point;
            count += power;
          }
          const isWhole = byte === between || byte === LF || byte === CR;
          if (isWhole && count > 0 && count <= MAX_SHORT_DIGITS && kind === NUMBER) {
            number = power === 0 ? digits : digits / powers[power]!;
            if (isNegative) number = -number;
          } else {
            at = readOther(bytes, from, cell);
            if (at === LEFT_ALONE) return row - firstRow;
            number = result[0]!;
            byte = bytes[at]!;
          }
        }
        if (kind !== SKIPPED) {
          const slot = cellSlots[cell]!;
          if (slot >= 0) into[out + slot] = number;
          else if (Number.isNaN(number)) return row - firstRow;
          else labels[row] = number;
        }
        if (cell === last) break;
        if (byte !== between) return row - firstRow;
        byte = bytes[(at += 1)]!;
      }
      if (byte === CR) byte = bytes[(at += 1)]!;
      if (byte !== LF || at - start > maxRecordBytes) return row - firstRow;
      at += 1;
      row += 1;
      passed += 1;
      position = at;
    }
    return row - firstRow;
  }

  function read(bytes: Uint8Array, start: number, end: number): number {
    passed = 0;
    position = start;
    while (position < end) {
      const { features: values, targets, at, capacity } = rows.block();
      const before = position;
      const written = readRecords(bytes, end, values, targets, at, capacity);
      rows.advance(written);
      if (position === before || (position < end && at + written < capacity)) break;
    }
    return position;
  }

  return {
    read,
    get passed() {
      return passed;
    },
  };
}
