/**
 * Decoding of single PNG and JPEG files by libvips, through `sharp`. Only files that begin as one of the two are given to it, and it is
 * told how many pixels there may be, so that none of its other formats is reached and no small file becomes a large image. Pixels
 * are taken as they are stored: no colour profile, gamma or orientation is applied.
 *
 * @module
 */
import { constants } from "node:fs";
import { open } from "node:fs/promises";
import { NexusError } from "@ciphernx/core/errors";
import type Library from "sharp";
import { unreadable } from "../read-file.ts";
import { imageHeader, type ImageShape } from "./image-header.ts";

/** Decodes images. */
export interface ImageDecoder {
  /** What a file says of itself. @throws NexusError DATA_UNREADABLE, DATA_INVALID naming the file. */
  inspect(path: string): Promise<ImageShape>;
  /**
   * The pixels of an image of this shape, channel by channel; grey images are taken for coloured ones of three equal channels.
   * @throws NexusError DATA_UNREADABLE, DATA_INVALID naming the file when it is damaged or has another shape.
   */
  decode(path: string, shape: ImageShape, into: Uint8Array): Promise<void>;
}

const MAX_FILE_BYTES = 128 * 1024 * 1024;
/** An image whose size nobody has declared yet. */
const MAX_PIXELS = 2 ** 25;
type SharpLibrary = typeof Library;

/** Loads the library. @throws NexusError DATA_UNREADABLE when it cannot be loaded on this machine. */
export async function loadImageDecoder(): Promise<ImageDecoder> {
  let library: SharpLibrary;
  try {
    ({ default: library } = await import("sharp"));
  } catch (cause) {
    throw new NexusError(
      "DATA_UNREADABLE",
      `Images are decoded by the npm package sharp, which cannot be loaded on ${process.platform}-${process.arch}.`,
      {
        hint: "npm install --include=optional sharp; or write the images as NPY or IDX.",
        cause,
      },
    );
  }
  // Every image is decoded once, and several are at a time: caches and threads within one image only take memory.
  library.cache(false);
  library.concurrency(1);

  return {
    async inspect(path) {
      const { height, width, ...rest } = headerOf(await readImage(path), path);
      if (height * width > MAX_PIXELS)
        throw invalid(path, `has ${width}×${height} pixels; at most ${MAX_PIXELS} are read`, "Make the images smaller.");
      return { height, width, ...rest };
    },
    async decode(path, shape, into) {
      const { channels, height, width } = shape;
      const bytes = await readImage(path);
      const found = headerOf(bytes, path);
      const isGreyAsColour = channels === 3 && found.channels === 1;
      if (found.height !== height || found.width !== width || (found.channels !== channels && !isGreyAsColour)) {
        throw invalid(
          path,
          `is ${nameOf(found)}; the schema declares ${nameOf(shape)}`,
          "Bring all images to one size and colour, or declare theirs.",
        );
      }
      const image = library(bytes, { failOn: "error", limitInputPixels: height * width, ignoreIcc: true });
      let pixels: Uint8Array;
      try {
        pixels = await image
          .toColourspace(channels === 1 ? "b-w" : "srgb")
          .raw({ depth: "uchar" })
          .toBuffer();
      } catch (cause) {
        throw Object.assign(invalid(path, "is damaged: it cannot be decoded"), { cause });
      }
      if (pixels.length !== channels * height * width) throw invalid(path, "has other channels than its header says, such as opacity", "Flatten it.");
      byChannel(pixels, channels, into);
    },
  };
}

function invalid(path: string, what: string, hint = "Get the file again, or write it anew as PNG or JPEG."): NexusError {
  return new NexusError("DATA_INVALID", `${path} ${what}.`, { hint, details: { file: path } });
}

const nameOf = ({ channels, height, width }: ImageShape): string => `${width}×${height} pixels of ${channels} channel${channels === 1 ? "" : "s"}`;

function headerOf(bytes: Uint8Array, path: string): ImageShape {
  const header = imageHeader(bytes);
  if ("mistake" in header) throw invalid(path, header.mistake, "Write it anew as PNG or JPEG, grey or RGB, with 8 bits a channel.");
  return header;
}

/** Red, green and blue side by side become three planes. */
function byChannel(pixels: Uint8Array, channels: number, into: Uint8Array): void {
  if (channels === 1) {
    into.set(pixels);
    return;
  }
  const plane = pixels.length / channels;
  for (let channel = 0; channel < channels; channel += 1) {
    const start = channel * plane;
    for (let i = 0, from = channel; i < plane; i += 1, from += channels) into[start + i] = pixels[from]!;
  }
}

/** The bytes of a file; a link is not followed, a pipe not waited for. */
async function readImage(path: string): Promise<Uint8Array> {
  let handle;
  try {
    // Windows has neither flag.
    handle = await open(path, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  } catch (error) {
    throw unreadable(path, error);
  }
  await using file = handle;
  const found = await file.stat();
  if (!found.isFile()) throw invalid(path, "is not a regular file");
  const { size } = found;
  if (size > MAX_FILE_BYTES) throw invalid(path, `has ${size} bytes; at most ${MAX_FILE_BYTES} are read`);
  const bytes = new Uint8Array(size);
  let filled = 0;
  for (;;) {
    const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
    filled += bytesRead;
    if (bytesRead === 0 || filled === size) break;
  }
  if (filled < size) throw invalid(path, "became shorter while it was read");
  return bytes;
}
