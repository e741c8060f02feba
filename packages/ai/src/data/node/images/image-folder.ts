import { availableParallelism } from "node:os";
import { NexusError } from "@ciphernx/core/errors";
import { type DatasetSchema, featureLength, type TensorSchema } from "../../dataset-schema.ts";
import { allocateExamples, type Examples } from "../../examples.ts";
import type { LoadOptions } from "../load-options.ts";
import { loadImageDecoder } from "./decode-image.ts";
import type { ImageShape } from "./image-header.ts";
import { listImages } from "./list-images.ts";

/** What a typed array of any type surely holds. */
const MAX_VALUES = 2 ** 31 - 1;

/**
 * Rows from a folder of images, `<folder>/<label>/<image>.png` or `.jpg`: channels × height × width, as bytes or, where the schema
 * stores floats, divided by 255. They are ordered by label, then by name.
 * @param labels The folders' names in the order of their class indices.
 * @throws NexusError DATA_UNREADABLE, DATA_INVALID naming the file that is damaged, no image, or of another size or colour than declared.
 */
export async function loadImageFolder(
  schema: DatasetSchema,
  folder: string,
  labels: readonly string[],
  { signal }: LoadOptions = {},
): Promise<Examples> {
  const shape = imageShape(schema);
  const images = await listImages(folder, labels);
  const length = featureLength(schema);
  if (images.length * length > MAX_VALUES) {
    throw new NexusError("DATA_INVALID", `${folder} holds ${images.length} images, together more than ${MAX_VALUES} values.`, {
      hint: "Split the data into smaller folders, or make the images smaller.",
      details: { file: folder },
    });
  }
  const decoder = await loadImageDecoder();
  const examples = allocateExamples(schema, images.length);
  let next = 0;
  const work = async (): Promise<void> => {
    const bytes = new Uint8Array(length);
    for (let row = next++; row < images.length; row = next++) {
      signal?.throwIfAborted();
      const { path, label } = images[row]!;
      const { features } = examples;
      const place = features instanceof Uint8Array ? features.subarray(row * length, (row + 1) * length) : bytes;
      await decoder.decode(path, shape, place);
      if (features instanceof Float32Array) for (let i = 0; i < length; i += 1) features[row * length + i] = bytes[i]! / 255;
      examples.targets[row] = label;
    }
  };
  const results = await Promise.allSettled(
    Array.from({ length: Math.min(images.length, 2 * availableParallelism()) }, () =>
      work().catch((error: unknown) => {
        // The others stop at their next image.
        next = images.length;
        throw error;
      }),
    ),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
  return examples;
}

/** Proposes the schema of a folder of images from its first one: bytes, scaled by 1/255, one class for each label. */
export async function inferImageFolder(folder: string, labels: readonly string[]): Promise<TensorSchema> {
  const [first] = await listImages(folder, labels);
  const decoder = await loadImageDecoder();
  const { channels, height, width } = await decoder.inspect(first!.path);
  const classes = { classes: labels.length, classNames: [...labels] };
  return { kind: "tensor", shape: [channels, height, width], element: "u8", scale: 1 / 255, task: "classification", ...classes };
}

/** The shape of a schema's images: channels, height and width, or height and width of grey ones. */
function imageShape(schema: DatasetSchema): ImageShape {
  const shape = schema.kind === "tensor" ? schema.shape : [];
  const [channels, height, width] = shape.length === 2 ? [1, ...shape] : shape;
  if (shape.length > 3 || height === undefined || width === undefined || (channels !== 1 && channels !== 3 && channels !== 4)) {
    throw new NexusError("DATA_INVALID", `Images have the shape [channels, height, width] with 1, 3 or 4 channels, not [${shape.join(", ")}].`, {
      hint: "Declare the shape that the images have.",
    });
  }
  return { channels, height, width };
}
