export { auditEvents } from "./audit.ts";
export { apiTokens } from "./identity.ts";
export { datasets, NODE_STATUSES, nodes } from "./nodes.ts";
export { blobs, models } from "./models.ts";
export { invitations, members, userAccounts, userPasskeys, users, userSessions } from "./people.ts";
export { joinTokens, projects, settings } from "./projects.ts";
export { rosterEntries } from "./roster.ts";
export { ROUND_STATES, rounds, TASK_KINDS, TASK_STATES, tasks } from "./rounds.ts";
export { events, RUN_OUTCOMES, RUN_STATES, runs, type StartedBy } from "./runs.ts";
