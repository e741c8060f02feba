import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { close, type Closing, type Standing } from "./close.ts";

const LETTERS = { p: "pending", b: "absent", a: "accepted", r: "refused" } as const;

/** One letter a party, which is named by its place: pending, aBsent, accepted, refused. */
function standingsOf(letters: string): readonly Standing[] {
  return Array.from(letters).map((letter, index) => ({ party: String(index + 1), state: LETTERS[letter as keyof typeof LETTERS] }));
}

function decide(letters: string, size: number, quorum: number, over: boolean): Closing {
  return close(standingsOf(letters), { size, quorum, deadlineUnixMs: 1000 }, over ? 1000 : 999);
}

/** A decision in one word: `wait`, `close:` or `abandon:` with the parties' places. */
function word(closing: Closing): string {
  if (closing.kind === "wait") return "wait";
  return `${closing.kind}:${(closing.kind === "close" ? closing.accepted : closing.missing).join("")}`;
}

describe("close", () => {
  it.each([
    // Everyone is wanted.
    ["ppp", 3, 3, false, "wait", "nobody has answered"],
    ["aap", 3, 3, false, "wait", "one is still at work"],
    ["aaa", 3, 3, false, "close:123", "all have answered"],
    ["aar", 3, 3, false, "abandon:3", "the quorum is out of reach: no need to wait for the deadline"],
    ["aap", 3, 3, true, "abandon:3", "the deadline passed"],
    ["aab", 3, 3, false, "wait", "an absent node may come back until the deadline"],
    ["aab", 3, 3, true, "abandon:3", "it did not"],
    ["prb", 3, 3, false, "abandon:2", "whoever was refused is the reason, not who is at work"],
    // A quorum below the size.
    ["aap", 3, 2, false, "wait", "who is at work is waited for"],
    ["aap", 3, 2, true, "close:12", "until the deadline"],
    ["aar", 3, 2, false, "close:12", "who was refused is not waited for"],
    ["aab", 3, 2, false, "close:12", "nor who is absent"],
    ["arp", 3, 2, false, "wait", "the quorum can still be reached"],
    ["arb", 3, 2, false, "wait", "also by a node that is absent now"],
    ["arr", 3, 2, false, "abandon:23", "it cannot"],
    ["brp", 3, 2, true, "abandon:312", "missing: at work, absent, refused"],
    // More are invited than wanted.
    ["aapp", 2, 2, false, "close:12", "enough have answered: the slow are not waited for"],
    ["aaap", 2, 2, false, "close:123", "whoever has answered by then is taken"],
    ["appr", 2, 2, false, "wait", "one more is wanted"],
    ["arrp", 2, 2, false, "wait", "and can come"],
    ["arrr", 2, 2, false, "abandon:234", "and cannot"],
    // Evaluations have no quorum.
    ["ppp", 3, 0, false, "wait", "judges are waited for"],
    ["ppp", 3, 0, true, "close:", "until the deadline, and then done without"],
    ["rbr", 3, 0, false, "close:", "nobody is left to wait for"],
    ["apb", 3, 0, true, "close:1", "who judged counts"],
    ["", 0, 0, false, "close:", "nobody was asked"],
    ["", 1, 1, true, "abandon:", "nobody could be asked"],
  ])("%s, size %i, quorum %i, deadline passed: %s → %s (%s)", (letters, size, quorum, over, expected) => {
    expect(word(decide(letters, size, quorum, over))).toBe(expected);
  });

  const letters = fc.array(fc.constantFrom("p", "b", "a", "r"), { maxLength: 8 }).map((all) => all.join(""));
  const bounds = fc.tuple(fc.nat({ max: 8 }), fc.nat({ max: 8 })).map(([a, b]) => ({ size: Math.max(a, b), quorum: Math.min(a, b) }));

  it("never closes below the quorum, never abandons with it, and never waits beyond the deadline", () => {
    fc.assert(
      fc.property(letters, bounds, fc.boolean(), (all, { size, quorum }, over) => {
        const accepted = all.split("a").length - 1;
        const decision = decide(all, size, quorum, over);
        if (decision.kind === "close") expect(accepted).toBeGreaterThanOrEqual(quorum);
        if (decision.kind === "abandon") expect(accepted).toBeLessThan(quorum);
        if (over) expect(decision.kind).not.toBe("wait");
      }),
    );
  });

  it("keeps a decision to close when one more answer comes", () => {
    fc.assert(
      fc.property(letters, bounds, fc.boolean(), (all, { size, quorum }, over) => {
        if (decide(all, size, quorum, over).kind !== "close") return;
        expect(decide(all.replace(/[pb]/, "a"), size, quorum, over).kind).toBe("close");
      }),
    );
  });
});
