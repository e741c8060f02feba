import { NexusError } from "@ciphernx/core/errors";
import { runs, type StartedBy, type Store } from "@ciphernx/core/store";
import { eq } from "@ciphernx/core/store/sql";
import { partyTree, taskPlan } from "../../spec/party-tree.ts";
import type { PlannedParty, RunPlan, RunSpec } from "../../spec/index.ts";

/** Runs whose documents are kept: those at work, of which a coordinator has few at a time. */
const KEPT_RUNS = 16;

/** What a run was started with, and what its rows are prepared by once that is known. Neither ever changes. */
export interface RunDocuments {
  readonly spec: RunSpec;
  readonly specHash: string;
  readonly plan: RunPlan;
  /** Both as they go to nodes: the plan without its list of parties. */
  readonly specJson: string;
  readonly planJson: string;
  /** What goes to a party in the list's place: its entry, and what shows it there. Undefined for who is not in it. */
  place(party: string): PartyPlace | undefined;
  /** How rows become inputs; null before the parties' statistics have been added, and where nothing is prepared. */
  readonly preprocessingJson: string | null;
  /** What an organisation signed when it started the run; undefined where the project has no roster. */
  readonly start: (StartedBy & { readonly idempotencyKey: string }) | undefined;
}

/** A party's place in the list of a plan. */
export interface PartyPlace {
  readonly planned: PlannedParty;
  readonly partyIndex: number;
  readonly partyProof: readonly Uint8Array[];
}

/** Documents of runs, read once: each task of each round needs them. */
export interface RunDocumentCache {
  /** @throws NexusError RUN_NOT_FOUND */
  of(runId: string): Promise<RunDocuments>;
}

export function createRunDocumentCache(store: Store): RunDocumentCache {
  const kept = new Map<string, Promise<RunDocuments>>();
  return {
    of(runId) {
      const documents = kept.get(runId) ?? readDocuments(store, runId);
      // The latest used is the last to go.
      kept.delete(runId);
      kept.set(runId, documents);
      documents.then(
        // What is not known yet is read again.
        ({ plan, preprocessingJson }) => plan.preprocess !== undefined && preprocessingJson === null && kept.delete(runId),
        () => kept.delete(runId), // whoever waits for it gets the error; the next one reads again
      );
      for (const oldest of kept.keys()) {
        if (kept.size <= KEPT_RUNS) break;
        kept.delete(oldest);
      }
      return documents;
    },
  };
}

async function readDocuments({ db }: Store, runId: string): Promise<RunDocuments> {
  const { spec: asked, specHash: askedHash, plan: planned, preprocessing: prepared, startedBy: by, idempotencyKey: key } = runs;
  const [row] = await db
    .select({ spec: asked, specHash: askedHash, plan: planned, preprocessing: prepared, startedBy: by, idempotencyKey: key })
    .from(runs)
    .where(eq(runs.id, runId));
  if (row === undefined) throw new NexusError("RUN_NOT_FOUND", `No run has the id ${runId}.`);
  const { spec, specHash, plan, preprocessing, startedBy, idempotencyKey } = row;
  return {
    ...{
      spec: spec as RunSpec,
      specHash,
      plan: plan as RunPlan,
      specJson: JSON.stringify(spec),
      planJson: JSON.stringify(taskPlan(plan as RunPlan)),
    },
    place: placesIn(plan as RunPlan),
    preprocessingJson: preprocessing === null ? null : JSON.stringify(preprocessing),
    start: startedBy === null ? undefined : { ...startedBy, idempotencyKey: idempotencyKey ?? "" },
  };
}

function placesIn({ parties }: RunPlan): RunDocuments["place"] {
  const tree = partyTree(parties);
  const indexOf = new Map(parties.map(({ name }, index) => [name, index]));
  return (party) => {
    const partyIndex = indexOf.get(party);
    return partyIndex === undefined ? undefined : { planned: parties[partyIndex]!, partyIndex, partyProof: tree.proof(partyIndex) };
  };
}
