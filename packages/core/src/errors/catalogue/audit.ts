import { defineErrors, EXIT } from "./define.ts";

export const auditErrors = defineErrors({
  AUDIT_FORKED: {
    exit: EXIT.failed,
    rpc: "data_loss",
    meaning: "The coordinator shows another audit log than this node has seen before, or one that ends earlier.",
    hint: "Do not go on: `nexus audit verify --heads FOLDER` names the events. Either the coordinator was set back to a backup, or its log was rewritten.",
  },
  AUDIT_BROKEN: {
    exit: EXIT.failed,
    rpc: "data_loss",
    meaning: "Events of the audit log were changed, are missing, or were rewritten.",
    hint: "Keep the database as it is and compare it with backups; export what is there with `nexus audit export`.",
  },
});
