/**
 * What a PNG or JPEG file says of itself at its beginning: enough to refuse it before any of it is unpacked.
 *
 * Source: W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", §11.2.1; ITU-T T.81 (JPEG), §B.1 and §B.2.2.
 *
 * @module
 */

/** Size and channels of an image: 1 is grey, 3 is red, green and blue, 4 has opacity as well. */
export interface ImageShape {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** An image's shape, or what is wrong with it. */
export type ImageHeader = ImageShape | { readonly mistake: string };

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const JPEG = [0xff, 0xd8, 0xff];
/** The first chunk of every PNG file. */
const IHDR = 0x4948_4452;
const PALETTE = 3;
/** Channels by colour type. A palette holds colours; with opacity, if the file has more than one chunk for it. */
const PNG_CHANNELS: Readonly<Record<number, number>> = { 0: 1, 2: 3, [PALETTE]: 3, 4: 2, 6: 4 };

/** Reads the header at the beginning of a file. */
export function imageHeader(bytes: Uint8Array): ImageHeader {
  const begins = (mark: readonly number[]): boolean => mark.every((byte, i) => bytes[i] === byte);
  if (begins(PNG)) return checked(pngHeader(bytes));
  if (begins(JPEG)) return checked(jpegHeader(bytes));
  return { mistake: "is neither a PNG nor a JPEG file: it does not begin as one" };
}

function checked(header: ImageHeader): ImageHeader {
  if ("mistake" in header) return header;
  if (header.width === 0 || header.height === 0) return DAMAGED;
  return header.channels === 2 ? { mistake: "is grey with opacity, which is not read" } : header;
}

const DAMAGED = { mistake: "is damaged: its header cannot be read" } as const;
const DEEP = { mistake: "has more than 8 bits a channel, which is not read" } as const;

function pngHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 33 || view.getUint32(12) !== IHDR) return DAMAGED;
  const colour = view.getUint8(25);
  const channels = PNG_CHANNELS[colour];
  if (channels === undefined) return DAMAGED;
  if (view.getUint8(24) > 8) return DEEP;
  return { channels, height: view.getUint32(20), width: view.getUint32(16) };
}

/** Walks the segments before the pixels to the frame's header. */
function jpegHeader(bytes: Uint8Array): ImageHeader {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 2; at + 4 <= bytes.length;) {
    if (bytes[at] !== 0xff) return DAMAGED;
    const marker = bytes[at + 1]!;
    // Markers may be filled up with 0xff; some stand alone.
    if (marker === 0xff || marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)) {
      at += marker === 0xff ? 1 : 2;
      continue;
    }
    const length = view.getUint16(at + 2);
    if (length < 2) return DAMAGED;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
    if (isFrame) {
      if (at + 10 > bytes.length) return DAMAGED;
      if (view.getUint8(at + 4) !== 8) return DEEP;
      const components = view.getUint8(at + 9);
      if (components !== 1 && components !== 3) return { mistake: "is neither grey nor red, green and blue" };
      return { channels: components, height: view.getUint16(at + 5), width: view.getUint16(at + 7) };
    }
    // Pixels, or the end, before any frame.
    if (marker === 0xda || marker === 0xd9) return DAMAGED;
    at += 2 + length;
  }
  return DAMAGED;
}
