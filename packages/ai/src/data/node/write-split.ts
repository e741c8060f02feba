import { mkdir, open } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset } from "../dataset.ts";
import type { DatasetSchema } from "../dataset-schema.ts";
import type { Examples, Targets } from "../examples.ts";
import { encodeIdx, type IdxArray } from "../idx/idx-array.ts";
import type { PartyDataset } from "../split.ts";
import { writeDescriptor } from "./descriptor-file.ts";

/** One party's part on disk. */
export interface PartyFolder {
  readonly party: string;
  /** The folder to give to the party's node. */
  readonly folder: string;
  readonly descriptorPath: string;
  readonly trainExamples: number;
  readonly testExamples: number;
  readonly contentHash: string;
}

/**
 * Writes each part of a split to `<out>/<party>/datasets/<name>.json`, with its rows in `<out>/<party>/datasets/<name>/`. Loading a descriptor gives the
 * dataset that was written, with its content hash. The descriptor comes last: a folder with one is complete.
 */
export async function writeSplit(out: string, name: string, parts: readonly PartyDataset[]): Promise<readonly PartyFolder[]> {
  const written: PartyFolder[] = [];
  for (const { party, dataset } of parts) {
    const folder = join(out, party);
    const path = await writeDataset(folder, name, dataset);
    written.push({
      party,
      folder,
      descriptorPath: path,
      trainExamples: dataset.train.count,
      testExamples: dataset.test?.count ?? 0,
      contentHash: dataset.contentHash,
    });
  }
  return written;
}

/** Writes a dataset into a node's folder as IDX files with a descriptor. @returns The descriptor's path. */
export async function writeDataset(nodeFolder: string, name: string, { schema, train, test }: Dataset): Promise<string> {
  const folder = join(nodeFolder, "datasets", name);
  await mkdir(folder, { recursive: true });
  const pair = async (part: "train" | "test", examples: Examples): Promise<{ features: string; targets: string }> => {
    await writeIdx(join(folder, `${part}-features.idx`), { shape: [examples.count, ...rowShape(schema, examples)], data: examples.features });
    await writeIdx(join(folder, `${part}-targets.idx`), { shape: [examples.count], data: idxTargets(examples.targets) });
    return { features: `${name}/${part}-features.idx`, targets: `${name}/${part}-targets.idx` };
  };
  const trainFiles = await pair("train", train);
  const testFiles = test === undefined ? {} : { test: await pair("test", test) };
  return writeDescriptor(nodeFolder, { formatVersion: 1, name, schema, files: { format: "idx", train: trainFiles, ...testFiles } });
}

function rowShape(schema: DatasetSchema, { featureLength }: Examples): readonly number[] {
  return schema.kind === "tensor" ? schema.shape : [featureLength];
}

/** IDX has no unsigned 32-bit type; class indices fit a signed one, or a double. */
function idxTargets(targets: Targets): Uint8Array | Int32Array | Float32Array | Float64Array {
  if (!(targets instanceof Uint32Array)) return targets;
  return targets.every((target) => target <= 0x7fff_ffff) ? Int32Array.from(targets) : Float64Array.from(targets);
}

async function writeIdx(path: string, array: IdxArray): Promise<void> {
  await using file = await open(path, "w");
  for (const piece of encodeIdx(array)) await file.writeFile(piece);
  await file.sync();
}
