import { defineErrors, EXIT } from "./define.ts";

export const runErrors = defineErrors({
  RUN_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "No run of that id exists.",
    hint: "`nexus run list` shows the runs.",
  },
  RUN_AMBIGUOUS: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "Several runs have that name, or ids that begin so.",
    hint: "Write more of the id; `nexus run list` shows them.",
  },
  RUN_STATE: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The run is in a state in which that cannot be done.",
    hint: "`nexus run show RUN` tells its state.",
  },
  RUN_FAILED: {
    exit: EXIT.failed,
    rpc: "aborted",
    meaning: "The run ended without a result.",
    hint: "`nexus run show RUN` names the round, the nodes and the reasons.",
  },
  QUORUM_NOT_REACHED: {
    exit: EXIT.failed,
    rpc: "aborted",
    meaning: "Too few nodes answered a round before its deadline, in every attempt.",
    hint: "Look at the named nodes, lower cohort.quorum, or give cohort.deadlineSeconds more time.",
  },
  MODEL_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "No model of that id exists.",
    hint: "`nexus model list` shows the models.",
  },
  MODEL_NOT_USABLE: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "A model cannot be run: its file is not the one of its card, or the card does not say how.",
    hint: "`nexus model pull` writes a model and the card that belongs to it.",
  },
  TASK_CLOSED: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The task was answered already, or its round is over; the report changes nothing.",
    hint: "Nothing needs doing; the node goes on with its next task.",
  },
  UPDATE_REJECTED: {
    exit: EXIT.failed,
    rpc: "invalid_argument",
    meaning: "An update has the wrong shape, type, length or range, holds a value that is not finite, or contradicts its report.",
    hint: "Look at the node's trainer; the round goes on without this update when its quorum allows.",
  },
  SUM_REFUSED: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "A node takes no further part in a protected sum: what it was shown contradicts the plan, the roster or what it saw before.",
    hint: "The message names what it was. A node that was restarted within a round is left out of it; anything else is a reason to ask who runs the coordinator.",
  },
  TRAINER_FAILED: {
    exit: EXIT.failed,
    rpc: "aborted",
    meaning: "A node could not fit or evaluate the model.",
    hint: "Look at the node's log; the round goes on without it when its quorum allows.",
  },
});
