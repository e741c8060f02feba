import type { CommandDefinition, CommandGroup } from "../command.ts";
import { auditExport } from "./audit/export.ts";
import { auditList } from "./audit/list.ts";
import { auditVerify } from "./audit/verify.ts";
import { completion } from "./completion/completion.ts";
import { coordinatorInstall } from "./coordinator/install.ts";
import { down } from "./coordinator/down.ts";
import { up } from "./coordinator/up.ts";
import { demo } from "./demo/demo.ts";
import { doctor } from "./doctor/doctor.ts";
import { datasetAdd } from "./dataset/add.ts";
import { datasetApprovals } from "./dataset/approvals.ts";
import { datasetApprove } from "./dataset/approve.ts";
import { datasetFetch } from "./dataset/fetch.ts";
import { datasetList } from "./dataset/list.ts";
import { datasetRevoke } from "./dataset/revoke.ts";
import { datasetShow } from "./dataset/show.ts";
import { datasetSplit } from "./dataset/split.ts";
import { datasetTerms } from "./dataset/terms.ts";
import { logs } from "./logs/logs.ts";
import { memberInvite } from "./member/invite.ts";
import { memberLink } from "./member/link.ts";
import { memberList } from "./member/list.ts";
import { memberRemove } from "./member/remove.ts";
import { memberRole } from "./member/role.ts";
import { modelExport } from "./model/export.ts";
import { modelList } from "./model/list.ts";
import { modelPull } from "./model/pull.ts";
import { modelShow } from "./model/show.ts";
import { nodeApprove } from "./node/approve.ts";
import { nodeInstall } from "./node/install.ts";
import { nodeJoin } from "./node/join.ts";
import { nodeList } from "./node/list.ts";
import { nodeOwner } from "./node/owner.ts";
import { nodeRemove } from "./node/remove.ts";
import { nodeRun } from "./node/run.ts";
import { nodeToken } from "./node/token.ts";
import { orgInit } from "./org/init.ts";
import { orgInvite } from "./org/invite.ts";
import { orgJoin } from "./org/join.ts";
import { orgList } from "./org/list.ts";
import { orgRemove } from "./org/remove.ts";
import { orgRotate } from "./org/rotate.ts";
import { predict } from "./predict/predict.ts";
import { runCompare } from "./run/compare.ts";
import { runExport } from "./run/export.ts";
import { runList } from "./run/list.ts";
import { runLogs } from "./run/logs.ts";
import { runPlan } from "./run/plan.ts";
import { runPull } from "./run/pull.ts";
import { runResume } from "./run/resume.ts";
import { runShow } from "./run/show.ts";
import { runStart } from "./run/start.ts";
import { runStop } from "./run/stop.ts";
import { runWatch } from "./run/watch.ts";
import { sim } from "./sim/sim.ts";
import { tokenCreate } from "./token/create.ts";
import { tokenList } from "./token/list.ts";
import { tokenRevoke } from "./token/revoke.ts";

/** Commands without a group, in the order of the help. */
export const COMMANDS: readonly CommandDefinition[] = [up, down, sim, predict, logs, doctor, completion, demo];

/** Commands under a word, in the order of the help. */
export const GROUPS: readonly CommandGroup[] = [
  {
    name: "node",
    summary: "The parties' machines",
    commands: [nodeToken, nodeJoin, nodeRun, nodeInstall, nodeList, nodeApprove, nodeOwner, nodeRemove],
  },
  {
    name: "org",
    summary: "Organisations: who belongs to the project, by signed entries",
    commands: [orgInit, orgInvite, orgJoin, orgList, orgRotate, orgRemove],
  },
  {
    name: "dataset",
    summary: "Datasets, by reference",
    commands: [
      ...[datasetAdd, datasetList, datasetShow, datasetTerms, datasetApprove, datasetRevoke, datasetApprovals],
      ...[datasetSplit, datasetFetch],
    ],
  },
  {
    name: "run",
    summary: "Plan, start and follow runs",
    commands: [runPlan, runStart, runList, runShow, runWatch, runLogs, runStop, runResume, runCompare, runExport, runPull],
  },
  { name: "model", summary: "Models that runs have made", commands: [modelList, modelShow, modelPull, modelExport] },
  { name: "member", summary: "People of the project, each with a role", commands: [memberInvite, memberLink, memberList, memberRole, memberRemove] },
  { name: "coordinator", summary: "The coordinator of this machine, as a service", commands: [coordinatorInstall] },
  { name: "token", summary: "API tokens for programs, each with a role", commands: [tokenCreate, tokenList, tokenRevoke] },
  { name: "audit", summary: "What was decided, and whether that is still what the log says", commands: [auditList, auditVerify, auditExport] },
];
