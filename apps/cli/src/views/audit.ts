import type { AuditEvent } from "@ciphernx/core/audit";
import { formatTable } from "../output/index.ts";

/** The table of audit events for people. */
export function formatAuditEvents(events: readonly AuditEvent[]): string {
  return formatTable(
    [
      { title: "EVENT", align: "right", cell: ({ number }: AuditEvent) => String(number) },
      { title: "AT", cell: ({ at }) => at.slice(0, 19).replace("T", " ") },
      { title: "WHO", cell: ({ actor }) => actor },
      { title: "DECIDED", cell: ({ action }) => action },
      { title: "ABOUT", cell: ({ subject }) => (subject.length > 40 ? `${subject.slice(0, 12)}…` : subject) },
      { title: "DETAILS", cell: ({ details }) => formatDetails(details) },
    ],
    events,
    "Nothing has been decided yet.",
  );
}

function formatDetails(details: AuditEvent["details"]): string {
  const parts = Object.entries(details).map(([name, value]) => `${name} ${typeof value === "string" ? value : JSON.stringify(value)}`);
  const text = parts.join(", ");
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
