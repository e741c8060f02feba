import { canonicalJson } from "@ciphernx/core/spec";
import type { RegisteredSchema } from "../../data/index.ts";
import type { NodeSession } from "./session.ts";

/** A dataset by reference: what the coordinator may know of it. */
export interface DatasetReference {
  readonly name: string;
  readonly schema: RegisteredSchema;
  readonly trainExamples: number;
  readonly testExamples: number;
  readonly contentHash: string;
}

/** Tells the coordinator of a dataset of this node; a later registration under the same name replaces it. @returns its id */
export async function registerDataset(
  session: NodeSession,
  { name, schema, trainExamples, testExamples, contentHash }: DatasetReference,
): Promise<string> {
  const request = { name, schemaJson: canonicalJson(schema), trainExamples: BigInt(trainExamples), testExamples: BigInt(testExamples), contentHash };
  const { datasetId } = await session.call((client) => client.registerDataset(request));
  return datasetId;
}
