import type { RegisteredSchema } from "@ciphernx/ai/data";
import type { CompileFacts } from "@ciphernx/ai/spec";
import { datasets, nodes, type Store } from "@ciphernx/core/store";
import { and, eq } from "@ciphernx/core/store/sql";

/** What `compile` needs to know of a project: its approved nodes, with the dataset of that name where they registered it. */
export async function compileFacts(store: Store, projectId: string, dataset: string, kernelBuild: string): Promise<CompileFacts> {
  const rows = await store.db
    .select({
      name: nodes.name,
      build: nodes.kernelBuild,
      schema: datasets.schema,
      trainExamples: datasets.trainExamples,
      testExamples: datasets.testExamples,
      contentHash: datasets.contentHash,
    })
    .from(nodes)
    .leftJoin(datasets, and(eq(datasets.nodeId, nodes.id), eq(datasets.name, dataset)))
    .where(and(eq(nodes.projectId, projectId), eq(nodes.status, "approved")));
  return {
    kernelBuild,
    parties: rows.map(({ name, build, schema, trainExamples, testExamples, contentHash }) => ({
      name,
      kernelBuild: build ?? "never connected",
      ...(trainExamples === null || testExamples === null || contentHash === null
        ? {}
        : { dataset: { schema: schema as RegisteredSchema, trainExamples, testExamples, contentHash } }),
    })),
  };
}
