import { expect, it } from "vitest";
import { crc32c } from "./crc32c.ts";

const count = (from: number, step: number): Uint8Array => Uint8Array.from({ length: 32 }, (_, index) => from + index * step);

/** A SCSI read (10) command descriptor block in an iSCSI PDU. */
const READ_PDU =
  "01c00000" +
  "00000000" +
  "00000000" +
  "00000000" +
  "14000000" +
  "00000400" +
  "00000014" +
  "00000018" +
  "28000000" +
  "00000000" +
  "02000000" +
  "00000000";

// RFC 3720, appendix B.4, whose checks are printed byte by byte as they go over the wire, least significant first.
it.each([
  ["32 bytes of zeroes", new Uint8Array(32), 0x8a9136aa],
  ["32 bytes of ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
  ["32 bytes incrementing from 0", count(0, 1), 0x46dd794e],
  ["32 bytes decrementing from 31", count(31, -1), 0x113fdb5c],
  ["an iSCSI read PDU", Buffer.from(READ_PDU, "hex"), 0xd9963a56],
])("RFC 3720, B.4: %s", (_, bytes, check) => {
  expect(crc32c(bytes).toString(16)).toBe(check.toString(16));
});

it("of nothing is nothing", () => {
  expect(crc32c(new Uint8Array())).toBe(0);
});
