import type { Roster } from "@ciphernx/core/roster";
import type { PlannedParty, RunSpec, TaskPlan } from "../../spec/index.ts";

/** A task that a node is about to answer. The spec has the hash that the task names, and the plan does not contradict it. */
export interface AskedTask {
  readonly spec: RunSpec;
  readonly plan: TaskPlan;
  readonly specHash: string;
  readonly runId: string;
  /** From 1; 0 while rows are counted before the first round. */
  readonly round: number;
  /** This node. */
  readonly party: string;
  /** The roster, which has every party of the plan; undefined where the node goes by none. */
  readonly roster?: Roster;
  /** The plan's parties; where there is a roster. */
  readonly parties?: readonly Pick<PlannedParty, "name">[];
  /** The organisation that started the run, as its signature shows; where there is a roster. */
  readonly startedBy?: string;
}

/** Speaks for the owners of a node's datasets, before each task and once more before its answer is sent. */
export interface DatasetGuard {
  /** @throws NexusError TERMS_REFUSED, APPROVAL_REQUIRED; DATA_UNREADABLE, DATA_INVALID when it cannot tell what the owner wants */
  admit(asked: AskedTask): Promise<void>;
}

/** Where no owner has said anything: every run. */
export const OPEN_GUARD: DatasetGuard = { admit: () => Promise.resolve() };
