import { crc32c } from "./crc32c.ts";

/** Source of form and constant: TensorFlow, tensorflow/core/lib/io/record_writer.h and tensorflow/core/lib/hash/crc32c.h. @module */

const MASK_DELTA = 0xa282ead8;
const HEADER_BYTES = 12;
const FOOTER_BYTES = 4;

/**
 * Frames records as TFRecord files hold them: for each the length (u64), the length's masked CRC-32C (u32), the bytes, and
 * their masked CRC-32C (u32); numbers are little-endian.
 */
export function encodeTfRecords(records: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const file = new Uint8Array(records.reduce((total, { length }) => total + HEADER_BYTES + length + FOOTER_BYTES, 0));
  const view = new DataView(file.buffer);
  let offset = 0;
  for (const record of records) {
    view.setBigUint64(offset, BigInt(record.length), true);
    view.setUint32(offset + 8, maskedCrc32c(file.subarray(offset, offset + 8)), true);
    file.set(record, offset + HEADER_BYTES);
    view.setUint32(offset + HEADER_BYTES + record.length, maskedCrc32c(record), true);
    offset += HEADER_BYTES + record.length + FOOTER_BYTES;
  }
  return file;
}

/** Masked, so that the check of bytes that hold checks is as good as any. */
function maskedCrc32c(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + MASK_DELTA) >>> 0;
}
