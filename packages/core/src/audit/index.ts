/** The audit log of a project: events, each linked to the one before, and what is wrong with a log. Runs in browsers. @module */
export { AUDIT_ACTIONS, type AuditAction, type AuditEvent, auditEventHash, auditEventSchema, type AuditHead, auditHeadBytes } from "./event.ts";
export { type AuditFinding, type AuditVerdict, type KeptHead, verifyAudit } from "./verify.ts";
