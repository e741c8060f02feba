import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type AuditEvent, auditEventHash } from "./event.ts";
import { type KeptHead, verifyAudit } from "./verify.ts";

/** A log of so many events, with a subject of its own. */
function logOf(count: number, subject = "run"): AuditEvent[] {
  const events: AuditEvent[] = [];
  for (let number = 1; number <= count; number += 1) {
    const content = {
      ...{ number, at: new Date(1_800_000_000_000 + number).toISOString(), actor: "owner", action: "run-started" },
      ...{ subject: `${subject}_${number}`, details: { b: 1, a: [null, "x"] }, previous: events.at(-1)?.hash ?? "" },
    };
    events.push({ ...content, hash: auditEventHash(content) });
  }
  return events;
}

const headOf = (events: readonly AuditEvent[], number: number, keeper = "ash"): KeptHead => ({ number, hash: events[number - 1]!.hash, keeper });
const kinds = (events: readonly AuditEvent[], heads: readonly KeptHead[] = []) =>
  verifyAudit(events, heads).findings.map(({ kind, from, to }) => [kind, from, to]);

describe("an event's hash", () => {
  it("is what another program makes of the same fields", () => {
    const event = {
      number: 1,
      at: "2029-01-01T00:00:00.000Z",
      actor: "owner",
      action: "run-started",
      subject: "run_1",
      details: { b: 1, a: "ü" },
      previous: "",
    };
    expect(auditEventHash(event)).toBe("eb6d9b0dd651fe66c5ec92e0c87443e19599fa30ed0de27e0b88829d241ca6e8");
  });

  it("covers every field", () => {
    const [event] = logOf(1) as [AuditEvent];
    const changes: Partial<AuditEvent>[] = [
      ...[{ number: 2 }, { at: "2029-01-01T00:00:00.000Z" }, { actor: "x" }, { action: "x" }, { subject: "x" }],
      ...[{ details: {} }, { previous: "ab".repeat(32) }],
    ];
    for (const change of changes) expect(auditEventHash({ ...event, ...change })).not.toBe(event.hash);
  });
});

describe("a log", () => {
  it("that is whole, is found whole", () => {
    expect(verifyAudit([], [])).toEqual({ findings: [], vouchedFor: 0, last: 0 });
    const log = logOf(20);
    expect(verifyAudit(log, [headOf(log, 5), headOf(log, 17, "elm")])).toEqual({ findings: [], vouchedFor: 17, last: 20 });
  });

  it("with an event changed names it", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 20 }), fc.constantFrom("actor", "action", "subject", "at"), (number, field) => {
        const log = logOf(20);
        log[number - 1] = { ...log[number - 1]!, [field]: "2030-01-01T00:00:00.000Z" };
        expect(kinds(log)).toEqual([["changed", number, number]]);
      }),
    );
  });

  it("with an event changed and its hash set right names the place", () => {
    const log = logOf(20);
    const changed = { ...log[6]!, subject: "run_other" };
    log[6] = { ...changed, hash: auditEventHash(changed) };
    expect(kinds(log)).toEqual([["unlinked", 7, 8]]);
    // The last one is followed by nothing: a head tells.
    const end = logOf(20);
    const last = { ...end[19]!, subject: "run_other" };
    expect(kinds([...end.slice(0, 19), { ...last, hash: auditEventHash(last) }], [headOf(end, 10), headOf(end, 20)])).toEqual([
      ["rewritten", 11, 20],
    ]);
  });

  it("with events missing names them, swapped ones too", () => {
    const log = logOf(20);
    expect(kinds(log.toSpliced(6, 3))).toEqual([["missing", 7, 9]]);
    expect(kinds(log.toSpliced(0, 1))).toEqual([["missing", 1, 1]]);
    expect(kinds(log.toSpliced(4, 2, log[5]!, log[4]!)).length).toBeGreaterThan(0);
    expect(kinds([...log, log[3]!]).length).toBeGreaterThan(0);
  });

  it("that was cut off names what is gone", () => {
    const log = logOf(20);
    expect(verifyAudit(log.slice(0, 15), [headOf(log, 12), headOf(log, 18)])).toMatchObject({
      findings: [{ kind: "truncated", from: 16, to: 18, text: expect.stringContaining("ash has seen 18 events") as string }],
      vouchedFor: 12,
    });
    expect(kinds([], [headOf(log, 3)])).toEqual([["truncated", 1, 3]]);
  });

  it("that was made anew from some event on, sound in itself, is told from the one that nodes saw", () => {
    const seen = logOf(20);
    const heads = [4, 9, 13, 20].map((number) => headOf(seen, number));
    const anew = logOf(20, "other");
    expect(kinds(anew)).toEqual([]);
    expect(kinds(anew, heads)).toEqual([["rewritten", 1, 4]]);
    const partly = [...seen.slice(0, 10)];
    for (const { hash: _, ...event } of seen.slice(10)) {
      const content = { ...event, subject: "other", previous: partly.at(-1)!.hash };
      partly.push({ ...content, hash: auditEventHash(content) });
    }
    expect(verifyAudit(partly, heads)).toMatchObject({ findings: [{ kind: "rewritten", from: 10, to: 13 }], vouchedFor: 9 });
  });
});
