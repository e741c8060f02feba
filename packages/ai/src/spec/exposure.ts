import type { TaskPlan } from "./plan.ts";

/** Who might see something of a run; `you` is a party with its own. */
export const VIEWERS = ["you", "other nodes", "coordinator", "model recipient"] as const;
/** What there is to see of your part in a run. */
export const SUBJECTS = ["rows", "your update", "your metrics", "sum", "participation", "model"] as const;

export type Viewer = (typeof VIEWERS)[number];
export type Subject = (typeof SUBJECTS)[number];

/** What one viewer sees of one subject. */
export interface Exposure {
  readonly sees: "sees" | "never" | "only with";
  /** Why, or under which assumption, as a sentence. */
  readonly because: string;
}

/** Who sees what, in a run by this plan. */
export type ExposureTable = Readonly<Record<Viewer, Readonly<Record<Subject, Exposure>>>>;

const sees = (because: string): Exposure => ({ sees: "sees", because });
const never = (because: string): Exposure => ({ sees: "never", because });

const OWN = sees("It is your own.");
const STAYS = never("Rows stay at your node; nothing sends them.");
const NOT_SENT = never("Nobody sends it to them.");
const FROM_MODELS = sees("Each round's model is sent to the nodes; what changed from one to the next is what the strategy makes of the sum.");

/** What follows from a plan, for whoever asks before taking part. Pure. What a model itself tells of the rows behind it is another matter: docs/PRIVACY.md. */
export function exposure({ protection, cohort }: Pick<TaskPlan, "protection" | "cohort">): ExposureTable {
  const yours: Exposure =
    protection === undefined
      ? sees("It receives what each party uploads, adds it up, and deletes it when the round is committed.")
      : {
          sees: "only with",
          because:
            `It receives masked vectors, and unmasks sums of ${Math.max(cohort.quorum, protection.leastSurvivors)} parties of ${protection.kMin} organisations or more. ` +
            `It could see yours with ${protection.corrupt + 1} or more of ${cohort.size} parties on its side, with all the others in a sum, or by breaking X25519, Ed25519, AES-128 or SHA-256.`,
        };
  return {
    you: { rows: OWN, "your update": OWN, "your metrics": OWN, sum: FROM_MODELS, participation: OWN, model: sees("Each task comes with it.") },
    "other nodes": {
      ...{ rows: STAYS, "your update": NOT_SENT, "your metrics": NOT_SENT, sum: FROM_MODELS },
      participation: sees("The plan lists the parties; who is in a protected sum is told to each of them."),
      model: sees("Each task comes with it."),
    },
    coordinator: {
      ...{ rows: STAYS, "your update": yours, "your metrics": yours },
      sum: sees("It makes the next model of it."),
      participation: sees("It invites, and records who answered."),
      model: sees("It keeps it."),
    },
    "model recipient": {
      ...{ rows: STAYS, "your update": NOT_SENT, "your metrics": NOT_SENT },
      sum: never("It receives the last model alone, with means over all parties on its card."),
      participation: sees("The model's card names whose updates are in it."),
      model: sees("It is what it receives."),
    },
  };
}
