import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { crc32, deflateSync } from "node:zlib";
import fc from "fast-check";
import sharp from "sharp";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { TensorSchema } from "../../dataset-schema.ts";
import type { Examples } from "../../examples.ts";
import { addDataset } from "../add-dataset.ts";
import { loadDataset } from "../load-dataset.ts";
import { inferImageFolder, loadImageFolder } from "./image-folder.ts";
import { imageHeader } from "./image-header.ts";
import { listImages, listLabels } from "./list-images.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ciphernx-images-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function put(name: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(join(folder, name), bytes);
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}

/** A PNG made by hand (PNG specification, third edition, §5 and §11): `colour` 0 is grey, 2 RGB, 4 grey with opacity, 6 RGBA. */
function png(width: number, height: number, pixels: readonly number[], colour = 0, depth = 8): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = colour;
  const stride = pixels.length / height;
  const rows = Array.from({ length: height }, (_, y) => [0, ...pixels.slice(y * stride, (y + 1) * stride)]).flat();
  const mark = Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);
  return Buffer.concat([mark, chunk("IHDR", header), chunk("IDAT", deflateSync(Uint8Array.from(rows))), chunk("IEND", new Uint8Array(0))]);
}

const LABELS = ["cat", "dog"];
const grey: TensorSchema = { kind: "tensor", shape: [1, 2, 3], element: "u8", scale: 1 / 255, task: "classification", classes: 2 };
const colour: TensorSchema = { ...grey, shape: [3, 2, 2] };
const load = (schema: TensorSchema): Promise<Examples> => loadImageFolder(schema, folder, LABELS);

describe("loadImageFolder", () => {
  it("gives the pixels of each image, by label and name", async () => {
    await put("dog/b.png", png(3, 2, [0, 1, 2, 3, 4, 5]));
    await put("dog/a.PNG", png(3, 2, [255, 0, 255, 0, 255, 0]));
    await put("cat/z.png", png(3, 2, [9, 8, 7, 6, 5, 4]));
    await put("cat/.DS_Store", Uint8Array.of(1));
    await put("LICENSE.txt", Uint8Array.of(1));
    const wanted = { features: Uint8Array.of(9, 8, 7, 6, 5, 4, 255, 0, 255, 0, 255, 0, 0, 1, 2, 3, 4, 5), targets: Uint8Array.of(0, 1, 1), count: 3 };
    expect(await load(grey)).toMatchObject(wanted);
    expect(await load({ ...grey, shape: [2, 3] })).toMatchObject(wanted);
    expect((await loadImageFolder(grey, folder, ["dog", "cat"])).targets).toEqual(Uint8Array.of(0, 0, 1));
    const floats = await load({ ...grey, element: "f32", scale: 1 });
    expect(floats.features).toEqual(Float32Array.from(wanted.features, (byte) => byte / 255));
  });

  it("lays colours out channel by channel, and takes grey for equal colours", async () => {
    await put("cat/a.png", png(2, 2, [1, 11, 21, 2, 12, 22, 3, 13, 23, 4, 14, 24], 2));
    await put("cat/b.png", png(2, 2, [5, 6, 7, 8]));
    expect((await load(colour)).features).toEqual(Uint8Array.of(1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24, 5, 6, 7, 8, 5, 6, 7, 8, 5, 6, 7, 8));
    await put("cat/a.png", png(2, 2, [1, 11, 21, 0, 2, 12, 22, 99, 3, 13, 23, 0, 4, 14, 24, 255], 6));
    await rm(join(folder, "cat/b.png"));
    expect((await load({ ...colour, shape: [4, 2, 2] })).features).toEqual(Uint8Array.of(1, 2, 3, 4, 11, 12, 13, 14, 21, 22, 23, 24, 0, 99, 0, 255));
  });

  it("decodes JPEG files, whatever they are called", async () => {
    const flat = sharp({ create: { width: 16, height: 8, channels: 3, background: { r: 200, g: 100, b: 50 } } });
    await put("dog/a.jpg", await flat.clone().jpeg({ quality: 100, chromaSubsampling: "4:4:4" }).toBuffer());
    await put("dog/b.png", await flat.clone().jpeg({ quality: 100, progressive: true }).toBuffer());
    const { features, count } = await load({ ...colour, shape: [3, 8, 16] });
    expect(count).toBe(2);
    for (let i = 0; i < features.length; i += 1) expect(Math.abs(features[i]! - [200, 100, 50][Math.floor(i / 128) % 3]!)).toBeLessThanOrEqual(2);
  });

  it("makes a dataset of a folder", async () => {
    for (const [i, name] of ["cat/1.png", "cat/2.png", "dog/1.png"].entries()) await put(name, png(3, 2, [i, 0, 0, 0, 0, 0]));
    const named = { ...grey, classNames: LABELS };
    expect(await inferImageFolder(folder, LABELS)).toEqual(named);
    const node = await mkdtemp(join(tmpdir(), "ciphernx-node-"));
    try {
      const added = await addDataset({ name: "pets", folder: node, data: [folder], testData: [folder] });
      expect(added).toMatchObject({ trainExamples: 3, testExamples: 3, schema: named });
      expect((await loadDataset(added.descriptorPath)).contentHash).toBe(added.contentHash);
    } finally {
      await rm(node, { recursive: true, force: true });
    }
  });

  it("numbers the classes as a schema that is shared names them, also where a party has no image of one", async () => {
    await put("dog/1.png", png(3, 2, [1, 0, 0, 0, 0, 0]));
    const node = await mkdtemp(join(tmpdir(), "ciphernx-node-"));
    const schema = join(node, "schema.json");
    const add = async (classNames: readonly string[]) => {
      await writeFile(schema, JSON.stringify({ ...grey, classes: classNames.length, classNames }));
      return addDataset({ name: "pets", folder: node, data: [folder], schema });
    };
    try {
      const { descriptorPath } = await add(["bird", "cat", "dog"]);
      expect((await loadDataset(descriptorPath)).train.targets).toEqual(Uint8Array.of(2));
      await expect(add(["bird", "cat"])).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringContaining("dog") as string });
    } finally {
      await rm(node, { recursive: true, force: true });
    }
  });

  it("refuses another size, colour or depth than is declared, naming file and both", async () => {
    const cases: readonly (readonly [Uint8Array, string])[] = [
      [png(2, 3, [1, 2, 3, 4, 5, 6]), "a.png is 2×3 pixels of 1 channel; the schema declares 3×2 pixels of 1 channel"],
      [
        png(
          3,
          2,
          Array.from({ length: 18 }, () => 7),
          2,
        ),
        "3 channels; the schema declares",
      ],
      [
        png(
          3,
          2,
          Array.from({ length: 12 }, () => 7),
          4,
        ),
        "is grey with opacity",
      ],
      [
        png(
          3,
          2,
          Array.from({ length: 12 }, () => 7),
          0,
          16,
        ),
        "has more than 8 bits a channel",
      ],
      [
        png(
          300,
          200,
          Array.from({ length: 60_000 }, () => 7),
        ),
        "is 300×200 pixels of 1 channel; the schema declares 3×2",
      ],
    ];
    for (const [bytes, message] of cases) {
      await put("cat/a.png", bytes);
      await expect(load(grey)).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringContaining(message) as string });
    }
    await put(
      "cat/a.png",
      await sharp({ create: { width: 2, height: 2, channels: 3, background: "red" } })
        .toColourspace("cmyk")
        .jpeg()
        .toBuffer(),
    );
    await expect(load(colour)).rejects.toThrow("is neither grey nor red, green and blue");
    const palette = await sharp({ create: { width: 2, height: 2, channels: 4, background: { r: 9, g: 8, b: 7, alpha: 0.5 } } })
      .png({ palette: true })
      .toBuffer();
    await put("cat/a.png", palette);
    await expect(load(colour)).rejects.toThrow("has other channels than its header says, such as opacity");
    await put(
      "cat/a.png",
      await sharp({ create: { width: 2, height: 2, channels: 3, background: { r: 9, g: 8, b: 7 } } })
        .png({ palette: true })
        .toBuffer(),
    );
    expect((await load(colour)).features).toEqual(Uint8Array.of(9, 9, 9, 9, 8, 8, 8, 8, 7, 7, 7, 7));
    await expect(load({ ...grey, shape: [2, 2, 3] })).rejects.toThrow("Images have the shape [channels, height, width]");
  });

  it("refuses files that are no images, are damaged, or declare what they do not hold", async () => {
    const whole = png(3, 2, [1, 2, 3, 4, 5, 6]);
    const huge = Uint8Array.from(whole);
    new DataView(huge.buffer).setUint32(16, 60_000);
    new DataView(huge.buffer).setUint32(20, 60_000);
    const jpeg = await sharp({ create: { width: 64, height: 64, channels: 3, background: "red" } })
      .jpeg()
      .toBuffer();
    const cases: readonly (readonly [Uint8Array, TensorSchema])[] = [
      [new Uint8Array(0), grey],
      [Buffer.from("<svg xmlns='http://www.w3.org/2000/svg' width='3' height='2'/>"), grey],
      [Buffer.from("GIF89a"), grey],
      [whole.subarray(0, 8), grey],
      [whole.subarray(0, 40), grey],
      [whole.subarray(0, -20), grey],
      [Uint8Array.from(whole, (byte, at) => (at === 45 ? byte ^ 0xff : byte)), grey],
      [huge, grey],
      [jpeg.subarray(0, 100), { ...colour, shape: [3, 64, 64] }],
      [jpeg.subarray(0, jpeg.length - 20), { ...colour, shape: [3, 64, 64] }],
    ];
    for (const [bytes, schema] of cases) {
      await put("cat/a.png", bytes);
      await expect(load(schema)).rejects.toMatchObject({ code: "DATA_INVALID", message: expect.stringContaining("a.png") as string });
      await expect(inferImageFolder(folder, LABELS).then((inferred) => load(inferred))).rejects.toMatchObject({ code: "DATA_INVALID" });
    }
  });

  it.skipIf(process.platform === "win32")("follows no link", async () => {
    await put("cat/a.png", png(3, 2, [1, 2, 3, 4, 5, 6]));
    await symlink(join(folder, "cat/a.png"), join(folder, "cat/b.png"));
    await expect(load(grey)).rejects.toThrow("b.png is a link, which is not followed");
    await rm(join(folder, "cat/b.png"));
    await symlink(join(folder, "cat"), join(folder, "dog"));
    await expect(load(grey)).rejects.toThrow("dog is a link");
  });

  it("stops when it is told to", async () => {
    await put("cat/a.png", png(3, 2, [1, 2, 3, 4, 5, 6]));
    await expect(loadImageFolder(grey, folder, LABELS, { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});

describe("listImages", () => {
  it("names what does not belong", async () => {
    await expect(listImages(join(folder, "none"), LABELS)).rejects.toMatchObject({ code: "DATA_UNREADABLE" });
    await expect(listImages(folder, LABELS)).rejects.toThrow("holds no images");
    await put("bird/a.png", new Uint8Array(1));
    await expect(listImages(folder, LABELS)).rejects.toThrow("bird is the folder of no label");
    await rm(join(folder, "bird"), { recursive: true });
    await put("cat/a.gif", new Uint8Array(1));
    await expect(listImages(folder, LABELS)).rejects.toThrow("a.gif is no PNG or JPEG file by its name");
    await rm(join(folder, "cat/a.gif"));
    await put("cat/more/a.png", new Uint8Array(1));
    await expect(listImages(folder, LABELS)).rejects.toThrow("more is a folder within a label's folder");
    await put("a.png", new Uint8Array(1));
    await expect(listLabels(folder)).rejects.toThrow("a.png lies in no label's folder");
    await expect(addDataset({ name: "a", folder, data: [join(folder, "cat")] })).rejects.toThrow("holds 1 folder of images");
  });
});

describe("imageHeader", () => {
  it("gives a shape or a mistake for whatever bytes follow a file's mark", () => {
    const marks = fc.constantFrom(
      [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
      [0xff, 0xd8, 0xff],
      [0xff, 0xd8, 0xff, 0xe0, 0, 4, 0, 0, 0xff, 0xc0, 0, 11, 8],
    );
    fc.assert(
      fc.property(marks, fc.uint8Array({ maxLength: 60 }), (mark, rest) => {
        const header = imageHeader(Uint8Array.from([...mark, ...rest]));
        if ("mistake" in header) expect(header.mistake).toMatch(/^(is|has) /);
        else expect(header.width * header.height).toBeGreaterThan(0);
      }),
      { numRuns: 500 },
    );
  });
});
