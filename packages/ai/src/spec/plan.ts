import type { RosterHead } from "@ciphernx/core/roster";
import type { Refusal } from "@ciphernx/core/spec";
import type { DatasetFacts, RowSchema } from "../data/index.ts";
import type { ColumnSteps } from "../data/preprocess/index.ts";
import type { NetworkSpec } from "../nn/index.ts";
import type { PlannedProtection } from "./plan-protection.ts";

/** What is known of a party when a spec is compiled. */
export interface PartyFacts {
  readonly name: string;
  readonly kernelBuild: string;
  /** Whether its node can mask what it uploads. Default true. */
  readonly masks?: boolean;
  /** Whether an organisation of the project's roster has signed for the node with its key. Default true. */
  readonly onRoster?: boolean;
  /** The organisation that signed for it. */
  readonly organisation?: string;
  /** The dataset of the spec's name that the party registered, if it did. */
  readonly dataset?: DatasetFacts;
}

/** What `compile` needs to know of the world; everything else is in the spec. */
export interface CompileFacts {
  /** Approved nodes of the project. */
  readonly parties: readonly PartyFacts[];
  /** Head of the project's roster; absent where no organisation has begun one. */
  readonly roster?: RosterHead;
  /** All parties are this machine's own: there is nobody to hide an update from, and no roster. */
  readonly simulated?: boolean;
  /** Kernel build of the coordinator, or of the simulator. */
  readonly kernelBuild: string;
  /** Speed of one party's training, for the estimate. Default 20e9 floating-point operations a second. */
  readonly flopsPerSecond?: number;
  /** Speed of the network, for the estimate. Default 50e6. */
  readonly bytesPerSecond?: number;
}

/** A party of a plan. The list is sorted by name, which is the order of everything that has one. */
export interface PlannedParty {
  readonly name: string;
  readonly trainExamples: number;
  readonly testExamples: number;
  readonly contentHash: string;
}

/**
 * What a run will do, resolved from spec and facts, without the list of its parties: nodes receive it with each task, and the list can be long.
 */
export interface TaskPlan {
  readonly specHash: string;
  /** Merkle tree of the list of parties (RFC 9162): binds the list, and shows each party that it is in it. */
  readonly partyTree: { readonly size: number; readonly rootHash: string };
  /** Training rows of the party that has most. */
  readonly mostTrainExamples: number;
  /** The roster on which every party is, as it was when the plan was made; absent where the project has none. */
  readonly roster?: RosterHead;
  /** What every party's rows are: the order of features, the names of classes. */
  readonly schema: RowSchema;
  /** How rows become inputs; absent when they are learnt from as they are. */
  readonly preprocess?: {
    /** For each feature of the schema, in its order. */
    readonly steps: readonly ColumnSteps[];
    /** Features of a row afterwards. */
    readonly features: number;
    /** Bytes of the statistics that each party uploads before the first round. */
    readonly statisticsBytes: number;
  };
  readonly rounds: number;
  readonly cohort: {
    /** Updates a round wants. */
    readonly size: number;
    /** Parties invited: size + overSelect, at most all. */
    readonly invited: number;
    readonly quorum: number;
    readonly deadlineMs: number;
    readonly attempts: number;
  };
  readonly model: {
    /** Absent when the trainer is the parties' own. */
    readonly network?: NetworkSpec;
    /** Shape of each tensor, sorted by name. */
    readonly tensors: readonly { readonly name: string; readonly shape: readonly number[] }[];
    readonly parameters: number;
    readonly sizeBytes: number;
    /** Tensors that stay with the parties, sorted by name; absent when all are shared. The model's file has their initial values. */
    readonly local?: readonly string[];
  };
  readonly encoding: {
    readonly range: number;
    readonly bits: number;
    readonly rounding: "nearest" | "stochastic";
    readonly maxWeight: number;
  };
  /** Sums over examples that parties report for fit and evaluate; their means are shown. */
  readonly metricNames: readonly string[];
  /** Metrics that are worked out of further sums, which only an evaluation has; absent when there are none. */
  readonly heldOutMetrics?: readonly string[];
  /** Of which classes those are, in words, by name; absent when none is of certain classes. */
  readonly metricSubjects?: Readonly<Record<string, string>>;
  /** Sums that the strategy has each fit upload beside the metrics; absent when there are none. */
  readonly strategySums?: readonly string[];
  /** Vectors that the strategy has each fit upload behind the changes, each as long; absent when there are none. */
  readonly strategyVectors?: readonly string[];
  /** Bytes of the strategy's own vectors, which each fit from the second round on receives with the model; absent when none does. */
  readonly stateBytes?: number;
  /** How updates are hidden from the coordinator; absent when they are not. */
  readonly protection?: PlannedProtection;
  /** Bytes of one party's upload in a round. */
  readonly updateBytes: number;
  readonly totalBytes: { readonly down: number; readonly up: number };
  readonly estimatedSeconds: number;
  readonly kernelBuild: string;
  /** Whether the same spec, seed and accepted sets give the same bits; `labels` says why not. */
  readonly reproducible: boolean;
  /** Whether accepted sets may differ from what the seed draws, because a round need not wait for everyone; absent when each waits. */
  readonly dependsOnAnswers?: boolean;
  readonly labels: readonly string[];
  /** SHA-256 of everything above. */
  readonly planHash: string;
}

/** What a run will do, and who takes part in it. */
export interface RunPlan extends TaskPlan {
  readonly parties: readonly PlannedParty[];
}

export type Compiled = { readonly ok: true; readonly plan: RunPlan } | { readonly ok: false; readonly refusals: readonly Refusal[] };
