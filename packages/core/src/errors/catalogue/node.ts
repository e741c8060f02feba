import { defineErrors, EXIT } from "./define.ts";

export const nodeErrors = defineErrors({
  NODE_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "No node of that name or id has joined.",
    hint: "`nexus node list` shows the nodes that have joined. A node whose coordinator began anew joins again: `nexus node join URL --token TOKEN --name NAME --folder DIR --rejoin`.",
  },
  NODE_NOT_APPROVED: {
    exit: EXIT.connection,
    rpc: "permission_denied",
    meaning: "The node has joined but nobody has approved it yet.",
    hint: "`nexus node approve NAME` on the coordinator's machine lets it take part.",
    retryable: true,
  },
  NODE_REMOVED: {
    exit: EXIT.connection,
    rpc: "permission_denied",
    meaning: "The node was removed from the project.",
    hint: "Join again with a new token if that was a mistake: `nexus node join URL --token TOKEN --name NAME --folder DIR --rejoin`.",
  },
  NODE_NAME_TAKEN: {
    exit: EXIT.failed,
    rpc: "already_exists",
    meaning: "Another node of the project has that name.",
    hint: "Choose another --name, or remove the other node first.",
  },
  NODE_FOLDER_INVALID: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The node's folder does not hold the identity of a joined node.",
    hint: "Join with `nexus node join URL --token TOKEN --folder DIR` first.",
  },
  NODE_ALREADY_JOINED: {
    exit: EXIT.failed,
    rpc: "already_exists",
    meaning: "The folder holds the identity of a node that has joined before.",
    hint: "Run it with `nexus node run`. Where its coordinator no longer knows it, `nexus node join … --rejoin` gives it a new identity and keeps its datasets and terms; another node needs another --folder.",
  },
  NODE_FOLDER_BUSY: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "Another process is running the node of that folder, or is joining with it.",
    hint: "Stop the named process first; one folder is one node, so another node needs a folder of its own.",
  },
  JOIN_TOKEN_INVALID: {
    exit: EXIT.connection,
    rpc: "unauthenticated",
    meaning: "The join token is unknown, was used already, or has expired.",
    hint: "Ask for a new one: `nexus node token` on the coordinator's machine.",
  },
  NODE_LIMIT: {
    exit: EXIT.failed,
    rpc: "permission_denied",
    meaning: "A task needs more than the node's operator gives to it; the node took no part.",
    hint: "Lower `train.batchSize` or the model's size; or the node's operator raises the limit: `nexus node run --memory`, and then `nexus run resume RUN`.",
  },
  TERMS_REFUSED: {
    exit: EXIT.failed,
    rpc: "permission_denied",
    meaning: "A run asks for more than the terms of a dataset allow; the node that holds it took no part.",
    hint: "Change the spec to what the message says is allowed, or agree on other terms with the owner of the data: `nexus dataset terms NAME --folder DIR --set FILE` on the node's machine.",
  },
  APPROVAL_REQUIRED: {
    exit: EXIT.failed,
    rpc: "permission_denied",
    meaning: "The owner of a dataset approves runs one by one, and has not approved this one, or no longer.",
    hint: "The owner runs `nexus dataset approve NAME --folder DIR --run SPEC` on the node's machine; `nexus run resume RUN` then goes on.",
  },
  APPROVAL_NOT_FOUND: {
    exit: EXIT.failed,
    rpc: "not_found",
    meaning: "There is no approval of that spec for the dataset.",
    hint: "`nexus dataset approvals NAME --folder DIR` lists those that there are.",
  },
  KERNEL_MISMATCH: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "The node trains with another kernel build than the run's, so its bits could differ.",
    hint: "Install the same version on the node and run it without --kernel, or set `reproducibility: any-kernel` in the spec to accept and label it.",
  },
  KERNEL_UNSUPPORTED: {
    exit: EXIT.failed,
    rpc: "failed_precondition",
    meaning: "This host's WebAssembly lacks instructions that the chosen build of the training kernels needs.",
    hint: "Use the baseline build: leave out `--kernel fma`, or call `loadKernel()` without a build.",
  },
});
