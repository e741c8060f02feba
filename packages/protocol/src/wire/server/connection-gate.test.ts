import { describe, expect, it } from "vitest";
import { createConnectionGate } from "./connection-gate.ts";

describe("a connection gate", () => {
  it("bounds the connections that an address has open, IPv6 by the /64", () => {
    const gate = createConnectionGate({ maxConnections: 2, perSecond: 100, burst: 100 });
    const leave = gate.enter("2001:db8::1");
    expect([leave, gate.enter("2001:db8::2"), gate.enter("2001:db8::3"), gate.enter("2001:db8:0:1::1"), gate.enter("192.0.2.1")]).toEqual([
      expect.any(Function),
      expect.any(Function),
      undefined,
      expect.any(Function),
      expect.any(Function),
    ]);
    leave!();
    expect(gate.enter("2001:db8::4")).toBeDefined();
    expect(gate.enter("2001:db8::5")).toBeUndefined();
  });

  it("gives a burst, then so many a second; what is refused is not charged", () => {
    let nowMs = 0;
    const gate = createConnectionGate({ maxConnections: 1_000, perSecond: 10, burst: 5, now: () => nowMs });
    const entered = (tries: number): number => Array.from({ length: tries }, () => gate.enter("::ffff:192.0.2.1")).filter(Boolean).length;
    expect(entered(50)).toBe(5);
    nowMs = 99;
    expect(entered(50)).toBe(0);
    nowMs = 300;
    expect(entered(50)).toBe(3);
    nowMs = 100_000;
    expect(entered(50)).toBe(5);
  });

  it("remembers a bounded number of addresses, and none that has connections is forgotten", () => {
    let nowMs = 0;
    const gate = createConnectionGate({ maxConnections: 1, perSecond: 1, burst: 1, maxAddresses: 100, now: () => nowMs });
    expect(gate.enter("198.51.100.1")).toBeDefined();
    for (let index = 0; index < 1_000; index += 1) gate.enter(`10.0.${index >> 8}.${index & 255}`)!();
    expect(gate.size).toBeLessThanOrEqual(101);
    expect(gate.enter("198.51.100.1")).toBeUndefined();
    nowMs = 10_000;
    gate.enter("10.1.0.1")!();
    expect(gate.size).toBe(2);
    expect(gate.enter("198.51.100.1")).toBeUndefined();
  });
});
