import zlib from "node:zlib";
import type { CompressionCodec } from "hyparquet";
import { snappyUncompress } from "hyparquet/src/snappy.js";
import { unpackLz4Block, unpackLz4Pieces } from "./lz4.ts";
import { PageMistake } from "./page-check.ts";

/** How columns may be packed. */
export const CODECS: ReadonlySet<string> = new Set<CompressionCodec>(["UNCOMPRESSED", "SNAPPY", "GZIP", "BROTLI", "ZSTD", "LZ4", "LZ4_RAW"]);

/**
 * Unpacks a page into as many bytes as its header declares; no more are ever set aside.
 * @throws PageMistake when it has another length; whatever the codec throws when it is damaged.
 */
export function unpackPage(codec: CompressionCodec, input: Uint8Array, length: number): Uint8Array {
  const output = unpack(codec, input, length);
  if (output?.length !== length) throw new PageMistake("has a page that does not unpack to its length");
  return output;
}

function unpack(codec: CompressionCodec, input: Uint8Array, length: number): Uint8Array | undefined {
  const limit = { maxOutputLength: Math.max(1, length) };
  switch (codec) {
    case "GZIP":
      return zlib.gunzipSync(input, limit);
    case "BROTLI":
      return zlib.brotliDecompressSync(input, limit);
    case "ZSTD":
      // Node has it from 22.15 on.
      if (zlib.zstdDecompressSync === undefined) throw new PageMistake("is packed by ZSTD, which takes Node 22.15 or later");
      return zlib.zstdDecompressSync(input, limit);
    case "SNAPPY": {
      const output = new Uint8Array(length);
      snappyUncompress(input, output);
      return output;
    }
    case "LZ4":
      return unpackLz4Pieces(input, length);
    case "LZ4_RAW":
      return unpackLz4Block(input, length);
    default:
      throw new PageMistake(`is packed by ${codec}, which is not read`);
  }
}
