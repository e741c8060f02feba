/**
 * The few column types that every table shares: times are `timestamptz` read as `Date`, counters are
 * `bigint` read as exact numbers (all of them stay below 2^53), bytes are `bytea` read as `Uint8Array`.
 *
 * @module
 */
import { pgCore } from "../drizzle.ts";

const { bigint, customType, timestamp } = pgCore;

/** An instant, stored with its zone, read as `Date`. */
export const instant = () => timestamp({ withTimezone: true, mode: "date" });

/** A whole number below 2^53: bytes, examples, weights, event numbers, seeds. */
export const count = () => bigint({ mode: "number" });

/** Raw bytes: keys and signatures. Tensors never enter the database. */
export const bytes = customType<{ data: Uint8Array; driverData: Uint8Array }>({
  dataType: () => "bytea",
  // The driver hands out a Buffer that may be a window of a pooled allocation; the copy is plain and owns its bytes.
  fromDriver: (value) => Uint8Array.from(value),
  toDriver: (value) => Buffer.from(value.buffer, value.byteOffset, value.byteLength),
});
