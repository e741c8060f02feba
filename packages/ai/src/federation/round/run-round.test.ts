import { describe, expect, it } from "vitest";
import { type CompileFacts, compileOrThrow, parseRunSpec, type RunSpecInput } from "../../spec/index.ts";
import { createStrategy } from "../../strategy/index.ts";
import { close, type Standing } from "./close.ts";
import { type Phase, type RoundCommit, type RoundHost, type RoundOutcome, runRound } from "./run-round.ts";
import { select } from "./select.ts";

const FACTS: CompileFacts = {
  kernelBuild: "build",
  parties: ["ash", "birch", "cedar", "dogwood"].map((name, index) => ({
    name,
    kernelBuild: "build",
    dataset: {
      schema: { kind: "tensor", shape: [2], element: "f32", scale: 1, task: "classification", classes: 2 },
      trainExamples: 10,
      testExamples: index, // ash has none
      contentHash: "0".repeat(64),
    },
  })),
};

/** How a party answers a phase; `stop`: somebody stops the run while it is waited for. */
type Behaviour = (phase: Phase, party: string) => Standing["state"] | "stop";

/**
 * A host in memory whose parties behave as told. Steps are recorded by name, as the durable host does: a host that is given the journal
 * of another goes on where that one was.
 */
function memoryHost(behaviour: Behaviour, options: { readonly journal?: Map<string, unknown>; readonly breakAt?: string } = {}) {
  const journal = options.journal ?? new Map<string, unknown>();
  const done: string[] = [];
  const commits: RoundCommit[] = [];
  const said = ({ kind, round, attempt }: Phase): string => `${kind} ${round}.${attempt}`;
  const host: RoundHost = {
    async durably<T>(step: string, action: () => Promise<T>): Promise<T> {
      if (step === options.breakAt) throw new Error(`The process ends before ${step}.`);
      if (!journal.has(step)) journal.set(step, await action());
      return structuredClone(journal.get(step)) as T;
    },
    async invite(phase, { parties }, modelHash) {
      done.push(`invite ${said(phase)}: ${parties.join(" ")}${modelHash === undefined ? "" : ` with ${modelHash}`}`);
    },
    async collect(phase, parties, rule) {
      const answers = parties.map((party) => ({ party, state: behaviour(phase, party) }));
      if (answers.some(({ state }) => state === "stop")) return { kind: "stopped" };
      const standings = answers.filter((answer): answer is Standing => answer.state !== "stop");
      const early = close(standings, { ...rule, deadlineUnixMs: 1 }, 0);
      const decision = early.kind === "wait" ? close(standings, { ...rule, deadlineUnixMs: 1 }, 1) : early;
      if (decision.kind === "wait") throw new Error("A phase waits beyond its deadline.");
      if (decision.kind === "close") done.push(`close ${said(phase)}`);
      return decision;
    },
    async aggregate(phase, accepted) {
      done.push(`aggregate ${said(phase)}: ${accepted.join(" ")}`);
      return { modelHash: `model-${accepted.join("-")}`, stateHash: null, saturated: 0, fit: { loss: 1 } };
    },
    async prepare(phase, accepted) {
      done.push(`prepare ${said(phase)}: ${accepted.join(" ")}`);
    },
    async total(phase, accepted) {
      done.push(`total ${said(phase)}: ${accepted.join(" ")}`);
      return { weight: 10 * accepted.length, metrics: { loss: 5 * accepted.length, correct: 9 * accepted.length }, saturated: 0 };
    },
    async abandon(phase, reason, missing) {
      done.push(`abandon ${said(phase)} (${reason}): ${missing.join(" ")}`);
    },
    async commit(commit) {
      commits.push(commit);
      done.push(`commit ${commit.round}.${commit.attempt}`);
    },
  };
  return { host, done, commits, journal };
}

function inputOf(
  changes: Partial<RunSpecInput> = {},
  at: { readonly round?: number; readonly firstAttempt?: number; readonly abandoned?: number } = {},
) {
  const spec = parseRunSpec({
    version: 1,
    name: "small",
    seed: 5,
    data: { dataset: "rows" },
    model: { kind: "mlp", hidden: [] },
    train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
    protection: { kind: "none" },
    rounds: 3,
    ...changes,
  });
  return { spec, plan: compileOrThrow(spec, FACTS), strategy: createStrategy(spec.strategy), round: 1, firstAttempt: 1, abandoned: 0, ...at };
}

const everyone: Behaviour = () => "accepted";

describe("a round", () => {
  it("goes from select to commit; whoever holds out rows judges the new model", async () => {
    const { host, done, commits } = memoryHost(everyone);
    const outcome = await runRound(host, inputOf());
    expect(done).toEqual([
      "invite fit 1.1: ash birch cedar dogwood",
      "close fit 1.1",
      "aggregate fit 1.1: ash birch cedar dogwood",
      "invite evaluate 1.1: birch cedar dogwood with model-ash-birch-cedar-dogwood",
      "close evaluate 1.1",
      "total evaluate 1.1: birch cedar dogwood",
      "commit 1.1",
    ]);
    expect(outcome).toEqual({ kind: "committed", commit: commits[0] });
    expect(commits).toEqual([
      {
        round: 1,
        attempt: 1,
        accepted: ["ash", "birch", "cedar", "dogwood"],
        stepped: { modelHash: "model-ash-birch-cedar-dogwood", stateHash: null, saturated: 0, fit: { loss: 1 } },
        evaluated: { loss: 0.5, accuracy: 0.9 },
        judgedBase: null,
      },
    ]);
  });

  it("is tried again with a new draw while attempts have no quorum", async () => {
    const input = inputOf({ cohort: { size: 2, attempts: 3 } });
    const draws = [0, 1, 2].map((draw) => select(input.plan, 5, 1, draw));
    const { host, done } = memoryHost(({ kind, attempt }, party) =>
      kind === "fit" && attempt < 3 && party === draws[attempt - 1]![0] ? "refused" : "accepted",
    );
    const outcome = await runRound(host, input);
    expect(outcome).toMatchObject({ kind: "committed", commit: { attempt: 3, accepted: draws[2] } });
    expect(done.filter((line) => line.startsWith("invite fit"))).toEqual(
      draws.map((parties, index) => `invite fit 1.${index + 1}: ${parties.join(" ")}`),
    );
    expect(done.filter((line) => line.startsWith("abandon"))).toEqual([
      `abandon fit 1.1 (quorum): ${draws[0]![0]}`,
      `abandon fit 1.2 (quorum): ${draws[1]![0]}`,
    ]);
  });

  it("fails when no attempt has a quorum, and says who was missing last", async () => {
    const { host, done } = memoryHost((_phase, party) => (party === "cedar" ? "pending" : "accepted"));
    expect(await runRound(host, inputOf({ cohort: { attempts: 2 } }))).toEqual({ kind: "failed", missing: ["cedar"] });
    expect(done.filter((line) => line.startsWith("abandon"))).toEqual(["abandon fit 1.1 (quorum): cedar", "abandon fit 1.2 (quorum): cedar"]);
    expect(done.some((line) => /aggregate|commit/.test(line))).toBe(false);
  });

  it("goes on without those who are missing when the quorum allows", async () => {
    const { host } = memoryHost((_phase, party) => (party === "cedar" ? "refused" : party === "ash" ? "absent" : "accepted"));
    expect(await runRound(host, inputOf({ cohort: { quorum: 2 } }))).toMatchObject({
      kind: "committed",
      commit: { attempt: 1, accepted: ["birch", "dogwood"] },
    });
  });

  it("invites more than it wants and takes the first", async () => {
    const { host, done } = memoryHost((phase, party) => (phase.kind === "fit" && party === "ash" ? "pending" : "accepted"));
    const outcome = await runRound(host, inputOf({ cohort: { size: 3, overSelect: 1 } }));
    expect(outcome).toMatchObject({ kind: "committed", commit: { accepted: ["birch", "cedar", "dogwood"] } });
    expect(done[0]).toBe("invite fit 1.1: ash birch cedar dogwood");
  });

  it("stops while it waits for updates, and while it waits for evaluations", async () => {
    const early = memoryHost(() => "stop");
    expect(await runRound(early.host, inputOf())).toEqual({ kind: "stopped" });
    expect(early.done).toEqual(["invite fit 1.1: ash birch cedar dogwood", "abandon fit 1.1 (stopped): "]);

    const late = memoryHost(({ kind }) => (kind === "evaluate" ? "stop" : "accepted"));
    expect(await runRound(late.host, inputOf())).toEqual({ kind: "stopped" });
    expect(late.done.at(-1)).toBe("abandon fit 1.1 (stopped): ");
    expect(late.commits).toEqual([]);
  });

  it("goes on after a stop with the next attempt and the draw that the stopped one had", async () => {
    const input = inputOf({ cohort: { size: 2 } }, { round: 2, firstAttempt: 4, abandoned: 1 });
    const { host, done } = memoryHost(everyone);
    expect(await runRound(host, input)).toMatchObject({ kind: "committed", commit: { round: 2, attempt: 4 } });
    expect(done[0]).toBe(`invite fit 2.4: ${select(input.plan, 5, 2, 1).join(" ")}`);
  });

  it.each([
    [0, [false, false, false]],
    [1, [true, true, true]],
    [2, [false, true, true]],
    [3, [false, false, true]],
    [7, [false, false, true]],
  ])("is judged every %i rounds, the last one always", async (every, judged) => {
    for (const [index, due] of judged.entries()) {
      const { host, commits } = memoryHost(everyone);
      await runRound(host, inputOf({ evaluate: { every } }, { round: index + 1 }));
      expect(commits[0]!.evaluated !== null).toBe(due);
    }
  });

  it("is judged with the next round's updates where its figures ride with them, the last one by itself", async () => {
    const { plan, ...input } = inputOf();
    const protection = { metricsRide: true } as NonNullable<typeof plan.protection>;
    for (const round of [1, 2, 3]) {
      const { host, commits } = memoryHost(everyone);
      const base = { weight: 10, metrics: { loss: round, correct: 4 }, saturated: 0 };
      const stepping: RoundHost = {
        ...host,
        aggregate: async (phase, accepted) => ({ ...(await host.aggregate(phase, accepted)), ...(round === 1 ? {} : { base }) }),
      };
      await runRound(stepping, { ...input, plan: { ...plan, protection }, round });
      expect(commits[0]!.evaluated !== null).toBe(round === 3);
      expect(commits[0]!.judgedBase).toEqual(round === 1 ? null : { loss: round / 10, accuracy: 0.4 });
    }
    // A party may write there what it likes, also where nobody judges.
    for (const [every, round] of [
      [1, 1],
      [2, 2],
      [0, 2],
    ] as const) {
      const { host, commits } = memoryHost(everyone);
      const base = { weight: 10, metrics: { loss: 1, correct: 4 }, saturated: 0 };
      const stepping: RoundHost = { ...host, aggregate: async (phase, accepted) => ({ ...(await host.aggregate(phase, accepted)), base }) };
      const given = inputOf({ evaluate: { every } }, { round });
      await runRound(stepping, { ...given, plan: { ...given.plan, protection: { ...protection, metricsRide: every > 0 } } });
      expect(commits[0]!.judgedBase).toBeNull();
    }
  });

  it("is committed without figures when nobody judges it, and with those of the judges who answer", async () => {
    const silent = memoryHost(({ kind }) => (kind === "evaluate" ? "pending" : "accepted"));
    expect(await runRound(silent.host, inputOf())).toMatchObject({ kind: "committed", commit: { evaluated: null } });
    const one = memoryHost(({ kind }, party) => (kind === "evaluate" && party !== "cedar" ? "refused" : "accepted"));
    expect(await runRound(one.host, inputOf())).toMatchObject({ kind: "committed", commit: { evaluated: { loss: 0.5, accuracy: 0.9 } } });
    expect(one.done).toContain("total evaluate 1.1: cedar");
  });

  it("ends the same, each step once, wherever its process ended before", async () => {
    const undisturbed = memoryHost(everyone);
    const wanted: RoundOutcome = await runRound(undisturbed.host, inputOf());
    const steps = [...undisturbed.journal.keys()];
    expect(steps).toEqual(["invite 1", "collect 1", "aggregate", "invite to evaluate", "collect evaluations", "total", "commit"]);
    for (const breakAt of steps) {
      const first = memoryHost(everyone, { breakAt });
      await expect(runRound(first.host, inputOf())).rejects.toThrow(breakAt);
      const second = memoryHost(everyone, { journal: first.journal });
      expect(await runRound(second.host, inputOf())).toEqual(wanted);
      expect([...first.done, ...second.done]).toEqual(undisturbed.done);
    }
  });
});
