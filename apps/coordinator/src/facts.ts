import type { RegisteredSchema } from "@ciphernx/ai/data";
import type { CompileFacts, PartyFacts } from "@ciphernx/ai/spec";
import type { Roster } from "@ciphernx/core/roster";
import { datasets, nodes, type Store } from "@ciphernx/core/store";
import { and, eq } from "@ciphernx/core/store/sql";

/** Which project, and what of it. */
export interface FactsWanted {
  readonly projectId: string;
  readonly dataset: string;
  readonly kernelBuild: string;
  /** Undefined where the project has none. */
  readonly roster: Roster | undefined;
}

/** What `compile` needs to know of a project: its approved nodes, with the dataset of that name where they registered it. */
export async function compileFacts(store: Store, { projectId, dataset, kernelBuild, roster }: FactsWanted): Promise<CompileFacts> {
  const rows = await store.db
    .select({
      name: nodes.name,
      publicKey: nodes.publicKey,
      build: nodes.kernelBuild,
      masks: nodes.masks,
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
    ...(roster === undefined ? {} : { roster: { version: roster.version, hash: roster.hash } }),
    parties: rows.map(({ name, publicKey, build, masks, schema, trainExamples, testExamples, contentHash }) => ({
      name,
      kernelBuild: build ?? "never connected",
      masks,
      ...membership(roster, name, publicKey),
      ...(trainExamples === null || testExamples === null || contentHash === null
        ? {}
        : { dataset: { schema: schema as RegisteredSchema, trainExamples, testExamples, contentHash } }),
    })),
  };
}

/** What the roster says of a node with that key. */
function membership(roster: Roster | undefined, name: string, publicKey: Uint8Array): Pick<PartyFacts, "onRoster" | "organisation"> {
  const node = roster?.nodes.get(name);
  return node?.key === Buffer.from(publicKey).toString("hex") ? { onRoster: true, organisation: node.organisation } : { onRoster: false };
}
