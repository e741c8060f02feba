import { dirname, relative, resolve } from "node:path";
import type { DatasetSchema } from "../dataset-schema.ts";
import type { HoldOut } from "../descriptor.ts";
import { countMissing, type MissingCells } from "../missing-cells.ts";
import type { DatasetTerms } from "../terms.ts";
import { descriptorPath, parseDescriptor, writeDescriptor } from "./descriptor-file.ts";
import { chooseFiles, type NamedFiles } from "./choose-files.ts";
import { inferSchema, moveFiles } from "./file-formats.ts";
import { loadDescribed } from "./load-dataset.ts";
import type { LoadOptions } from "./load-options.ts";
import { readSchemaFile } from "./schema-file.ts";
import { readTermsFile, termsToKeep } from "./terms-file.ts";

/** What `nexus dataset add` is told. Paths are relative to the working directory; files of one kind are named. */
export interface AddDatasetOptions extends Omit<NamedFiles, "classNames">, Pick<LoadOptions, "signal"> {
  readonly name: string;
  /** The node's folder. */
  readonly folder: string;
  /** YAML or JSON file with the schema; default: inferred from the training files. */
  readonly schema?: string | undefined;
  /** A table without a schema: the column to predict. Default: the one called label, target, class or y. */
  readonly label?: string | undefined;
  /** Rows to hold out where no test files are named. */
  readonly holdOut?: HoldOut | undefined;
  /** YAML or JSON file with the owner's terms; default: those that the dataset has, if it is described already. */
  readonly terms?: string | undefined;
}

/** A dataset that was described. */
export interface AddedDataset {
  readonly name: string;
  readonly descriptorPath: string;
  readonly schema: DatasetSchema;
  readonly trainExamples: number;
  readonly testExamples: number;
  readonly contentHash: string;
  /** Features that have missing cells: a run fills them by its `preprocess` section, or is refused. */
  readonly missing: readonly MissingCells[];
  /** What the owner allows; absent: every run. */
  readonly terms?: DatasetTerms;
}

/**
 * Describes data where it lies: infers or reads its schema, reads every row once to see that it fits, and only then writes
 * the descriptor into the node's folder. No row is copied.
 * @throws NexusError USAGE when the files named make no dataset; DATA_UNREADABLE, DATA_INVALID as loading does.
 */
export async function addDataset(options: AddDatasetOptions): Promise<AddedDataset> {
  const target = descriptorPath(options.folder, options.name);
  const given = options.schema === undefined ? undefined : await readSchemaFile(options.schema);
  const terms = options.terms === undefined ? await termsToKeep(options.folder, options.name) : await readTermsFile(options.terms);
  const files = await chooseFiles({ ...options, classNames: given?.kind === "tensor" ? given.classNames : undefined });
  const schema = given ?? (await inferSchema(files, { ...defined("label", options.label), ...defined("signal", options.signal) }));
  const draft = {
    formatVersion: 1,
    name: options.name,
    schema,
    // As seen from the descriptor's folder, so that a node's folder and its data can be moved together.
    files: moveFiles(files, (path) => relative(dirname(target), resolve(path))),
    ...defined("holdOut", options.holdOut),
    ...defined("terms", terms),
  } as const;
  const descriptor = parseDescriptor(draft, target);
  const dataset = await loadDescribed(descriptor, dirname(target), options);
  await writeDescriptor(options.folder, descriptor);
  return {
    name: options.name,
    descriptorPath: target,
    schema,
    trainExamples: dataset.train.count,
    testExamples: dataset.test?.count ?? 0,
    contentHash: dataset.contentHash,
    missing: countMissing(dataset),
    ...defined("terms", terms),
  };
}

function defined<K extends string, V>(key: K, value: V | undefined): { readonly [key in K]?: V } {
  return value === undefined ? {} : ({ [key]: value } as { readonly [key in K]: V });
}
