import { describe, expect, it } from "vitest";
import { createSessions, HEARTBEAT_INTERVAL_MS } from "./sessions.ts";

const NODE = "node_a";
/** Long enough for a node to count as absent. */
const LONG_MS = 5 * HEARTBEAT_INTERVAL_MS;

/** Sessions whose clock stands still until it is moved on. */
function atRest() {
  let timeMs = 1_000;
  const sessions = createSessions(() => timeMs);
  const token = (): string => sessions.open({ nodeId: NODE, kernelBuild: "build", publicKey: new Uint8Array(32), signsRequests: false });
  return { sessions, token, pass: (ms: number) => (timeMs += ms) };
}

describe("a coordinator that has just started", () => {
  it("shows nobody whom it has not heard of, but gives its rounds' nodes time to come back", () => {
    const { sessions, pass } = atRest();
    expect(sessions.presence(NODE)).toEqual({ online: false, lastSeenAt: undefined });
    expect(sessions.absent(NODE)).toBe(false);
    pass(LONG_MS);
    expect(sessions.absent(NODE)).toBe(true);
  });
});

describe("a node", () => {
  it("is there while it waits, however long, and was seen just now", () => {
    const { sessions, token, pass } = atRest();
    token();
    const left = sessions.waiting(NODE);
    const before = Date.now();
    pass(LONG_MS);
    const { online, lastSeenAt } = sessions.presence(NODE);
    expect({ online, absent: sessions.absent(NODE) }).toEqual({ online: true, absent: false });
    expect(lastSeenAt!.getTime()).toBeGreaterThanOrEqual(before);
    left({ hungUp: false });
    expect(sessions.presence(NODE).online).toBe(true);
    pass(LONG_MS);
    expect(sessions.presence(NODE)).toMatchObject({ online: false });
    expect(sessions.presence(NODE).lastSeenAt!.getTime()).toBeLessThanOrEqual(Date.now() - LONG_MS);
    expect(sessions.absent(NODE)).toBe(true);
  });

  it("that hangs up is gone at once for people, and later for rounds", () => {
    const { sessions, token, pass } = atRest();
    const known = token();
    sessions.waiting(NODE)({ hungUp: true });
    expect(sessions.presence(NODE).online).toBe(false);
    expect(sessions.absent(NODE)).toBe(false);
    sessions.caller(known);
    expect(sessions.presence(NODE).online).toBe(true);
    pass(LONG_MS);
    expect(sessions.absent(NODE)).toBe(true);
  });

  it("that came back on another connection is not gone when the old one is noticed to be broken", () => {
    const { sessions, token, pass } = atRest();
    const known = token();
    const old = sessions.waiting(NODE);
    pass(1);
    sessions.caller(known);
    old({ hungUp: true });
    expect(sessions.presence(NODE).online).toBe(true);
    const [first, second] = [sessions.waiting(NODE), sessions.waiting(NODE)];
    first({ hungUp: true });
    expect(sessions.presence(NODE).online).toBe(true);
    second({ hungUp: true });
    expect(sessions.presence(NODE).online).toBe(false);
  });
});
