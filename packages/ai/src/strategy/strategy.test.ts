import { describe, expect, it } from "vitest";
import { localWork } from "./fed-nova.ts";
import { createStrategy } from "./index.ts";
import { STRATEGY_SCHEMAS } from "./registry.ts";
import { strategySection } from "./section.ts";
import { initialState, stepTile, strategyCompliance } from "./strategy.compliance.ts";
import type { Strategy } from "./strategy.ts";

describe.each(STRATEGY_SCHEMAS.map((schema) => schema.shape.kind.value))("%s", (kind) => {
  strategyCompliance(() => createStrategy({ kind }));

  it("bears its own name", () => {
    expect(createStrategy({ kind }).kind).toBe(kind);
  });
});

/** One parameter through rounds of mean changes; the parameter after each. */
function follow(strategy: Strategy, start: number, deltas: readonly number[]): number[] {
  const state = initialState(strategy, 1);
  let parameter = Float32Array.of(start);
  return deltas.map((delta, index) => {
    parameter = Float32Array.from(stepTile(strategy, index + 1, parameter, Float32Array.of(delta), state));
    return parameter[0]!;
  });
}

describe("FedAvg", () => {
  it("adds the mean change", () => {
    expect(follow(createStrategy({ kind: "fedavg" }), 1, [0.5, -2, 0.25])).toEqual([1.5, -0.5, -0.25]);
  });

  it("rounds the exact sum to f32 once", () => {
    // 1 + 3·2^−25 lies above the middle between 1 and 1 + 2^−23, 1 + 2^−24 exactly in it: half to even.
    expect(follow(createStrategy({ kind: "fedavg" }), 1, [3 * 2 ** -25])).toEqual([1 + 2 ** -23]);
    expect(follow(createStrategy({ kind: "fedavg" }), 1, [2 ** -24])).toEqual([1]);
  });
});

describe("FedProx", () => {
  it("tells the parties mu and averages", () => {
    const strategy = createStrategy({ kind: "fedprox", mu: 0.25 });
    expect(strategy.configureFit({ round: 1, parties: ["a"] })).toEqual({ parties: ["a"], config: { proximalMu: 0.25 } });
    expect(strategy.configureEvaluate({ round: 1, parties: ["a"] })).toEqual({ parties: ["a"], config: {} });
    expect(follow(strategy, 1, [0.5, -2])).toEqual([1.5, -0.5]);
  });
});

describe("FedAvgM", () => {
  it("goes on with half of the last step, worked out by hand", () => {
    // v: 1, 1.5, 1.75, −0.125; w: 1, 2.5, 4.25, 4.125.
    const strategy = createStrategy({ kind: "fedavgm", momentum: 0.5 });
    expect(follow(strategy, 0, [1, 1, 1, -1])).toEqual([1, 2.5, 4.25, 4.125]);
  });

  it("scales the step, not the momentum, by the server's learning rate", () => {
    const strategy = createStrategy({ kind: "fedavgm", momentum: 0.5, serverLearningRate: 0.5 });
    expect(follow(strategy, 0, [1, 1, 1, -1])).toEqual([0.5, 1.25, 2.125, 2.0625]);
  });

  it("follows the closed form Σ β^(t−s) Δ_s over many rounds", () => {
    const deltas = Array.from({ length: 12 }, (_, t) => Math.fround(Math.cos(t)));
    const states = initialState(createStrategy({ kind: "fedavgm" }), 1);
    let parameter = new Float32Array(1);
    for (const [t, delta] of deltas.entries())
      parameter = Float32Array.from(stepTile(createStrategy({ kind: "fedavgm" }), t + 1, parameter, Float32Array.of(delta), states));
    const velocity = deltas.reduce((sum, delta, s) => sum + 0.9 ** (11 - s) * delta, 0);
    expect(states["momentum"]![0]).toBeCloseTo(velocity, 12);
  });
});

describe("FedAdam", () => {
  const options = { kind: "fedadam", serverLearningRate: 1, beta1: 0.5, beta2: 0.75, tau: 0.5 };

  it("gives the fractions worked out by hand", () => {
    // v₋₁ = τ² = 1/4.  Δ = 11/8: m = 11/16, v = 3/16 + 121/256 = 169/256, step = (11/16) / (13/16 + 1/2) = 11/21.
    // Δ = −83/16: m = 11/32 − 83/32 = −9/4, v = 507/1024 + 6889/1024 = (86/32)², step = −(9/4) / (43/16 + 8/16) = −12/17.
    const first = Math.fround(11 / 21);
    expect(follow(createStrategy(options), 0, [11 / 8, -83 / 16])).toEqual([first, Math.fround(first - 12 / 17)]);
    // Δ = 1/2 keeps v at 1/4, so that √v + τ = 1 and the step is m: 1/4, 3/8, 7/16.
    expect(follow(createStrategy(options), 0, [0.5, 0.5, 0.5])).toEqual([0.25, 0.625, 1.0625]);
  });

  it("equals the paper's formulas in plain f64 over many rounds at its defaults", () => {
    const [eta, beta1, beta2, tau] = [0.01, 0.9, 0.99, 0.001];
    const deltas = Array.from({ length: 20 }, (_, t) => Math.fround(Math.sin(t * 1.7) / 50));
    let [m, v, w] = [0, tau * tau, 0.3];
    w = Math.fround(w);
    const wanted = deltas.map((delta) => {
      m = beta1 * m + (1 - beta1) * delta;
      v = beta2 * v + (1 - beta2) * delta ** 2;
      w = Math.fround(w + (eta * m) / (Math.sqrt(v) + tau));
      return w;
    });
    expect(follow(createStrategy({ kind: "fedadam" }), 0.3, deltas)).toEqual(wanted);
  });

  it("moves parameters of any size of change alike, about as far as its learning rate, when tau is small", () => {
    const strategy = createStrategy({ kind: "fedadam", beta1: 0, beta2: 0, tau: 1e-12 });
    const moved = stepTile(strategy, 1, new Float32Array(3), Float32Array.of(100, 1e-4, -1), initialState(strategy, 3));
    for (const [i, sign] of [1, 1, -1].entries()) expect(moved[i]! * sign).toBeCloseTo(0.01, 8);
  });
});

describe("FedAdagrad", () => {
  it("gives the fractions worked out by hand", () => {
    // Two right triangles, in eighths: v₋₁ = τ² = 3², then 3² + 4² = 5², then 5² + 12² = 13².
    // m = 1/4, step = (1/4) / (5/8 + 3/8) = 1/4;  m = 1/8 + 3/4 = 7/8, step = (7/8) / (13/8 + 3/8) = 7/16.
    const strategy = createStrategy({ kind: "fedadagrad", serverLearningRate: 1, beta1: 0.5, tau: 3 / 8 });
    expect(follow(strategy, 0, [4 / 8, 12 / 8])).toEqual([1 / 4, 1 / 4 + 7 / 16]);
  });

  it("equals the paper's formulas in plain f64 over many rounds at its defaults", () => {
    const deltas = Array.from({ length: 20 }, (_, t) => Math.fround(Math.sin(t * 1.7) / 50));
    let w = Math.fround(0.3);
    const wanted = deltas.map((delta, t) => {
      const v = deltas.slice(0, t + 1).reduce((sum, one) => sum + one ** 2, 0.001 * 0.001);
      return (w = Math.fround(w + (0.1 * delta) / (Math.sqrt(v) + 0.001)));
    });
    expect(follow(createStrategy({ kind: "fedadagrad" }), 0.3, deltas)).toEqual(wanted);
  });
});

describe("FedYogi", () => {
  it("gives the fractions worked out by hand, whether the second moment is below, at or above the squared change", () => {
    const strategy = createStrategy({ kind: "fedyogi", serverLearningRate: 1, beta1: 0.5, beta2: 0.75, tau: 0.5 });
    const state = initialState(strategy, 1);
    const step = (delta: number) => stepTile(strategy, 1, new Float32Array(1), Float32Array.of(delta), state)[0];
    // v₋₁ = 1/4 < (3/4)²: v = 16/64 + 9/64 = (5/8)²; m = 3/8; step = (3/8) / (5/8 + 4/8) = 1/3.
    expect([step(3 / 4), state["secondMoment"]![0]]).toEqual([Math.fround(1 / 3), 25 / 64]);
    // v = (5/8)² stays; m = 3/16 − 5/16 = −1/8; step = −(1/8) / (9/8) = −1/9.
    expect([step(-5 / 8), state["secondMoment"]![0]]).toEqual([Math.fround(-1 / 9), 25 / 64]);
    // v > (1/4)²: v = 25/64 − (1/4)·(1/16) = 24/64; m = −1/16 + 1/8 = 1/16.
    expect([step(1 / 4), state["secondMoment"]![0]]).toEqual([Math.fround(1 / 16 / (Math.sqrt(3 / 8) + 1 / 2)), 24 / 64]);
  });

  it("equals the paper's formulas in plain f64 over many rounds at its defaults, and is not FedAdam", () => {
    const [eta, beta1, beta2, tau] = [0.01, 0.9, 0.99, 0.001];
    const deltas = Array.from({ length: 20 }, (_, t) => Math.fround(Math.sin(t * 1.7) / 50));
    let [m, v, w] = [0, tau * tau, Math.fround(0.3)];
    const wanted = deltas.map((delta) => {
      m = beta1 * m + (1 - beta1) * delta;
      v = v - (1 - beta2) * delta ** 2 * Math.sign(v - delta ** 2);
      w = Math.fround(w + (eta * m) / (Math.sqrt(v) + tau));
      return w;
    });
    const found = follow(createStrategy({ kind: "fedyogi" }), 0.3, deltas);
    for (const [t, value] of found.entries()) expect(value).toBeCloseTo(wanted[t]!, 6);
    expect(found).not.toEqual(follow(createStrategy({ kind: "fedadam" }), 0.3, deltas));
  });
});

describe("FedNova", () => {
  const trainWith = (momentum: number, epochs = 1) =>
    ({ optimiser: { kind: "sgd", learningRate: 0.1, momentum, weightDecay: 0 }, batchSize: 10, epochs }) as const;

  it("counts the work of local steps as the paper's closed form does", () => {
    expect(localWork(7, 0)).toBe(7);
    // 1 + (1 + 1/2) + (1 + 1/2 + 1/4).
    expect(localWork(3, 0.5)).toBe(4.25);
    for (const [steps, rho] of [
      [1, 0.9],
      [5, 0.9],
      [40, 0.9],
      [200, 0.99],
    ] as const) {
      expect(localWork(steps, rho)).toBeCloseTo((steps - (rho * (1 - rho ** steps)) / (1 - rho)) / (1 - rho), 8);
    }
  });

  it("is what SGD with momentum moves under a gradient of −1, in learning rates", () => {
    let [velocity, moved] = [0, 0];
    for (let step = 0; step < 9; step += 1) {
      velocity = 0.75 * velocity + 1;
      moved += velocity;
    }
    expect(localWork(9, 0.75)).toBe(moved);
  });

  /** A round by hand: each party prepares its change of one parameter, the server gets sums alone. */
  function round(
    parties: readonly { readonly delta: number; readonly weight: number; readonly steps?: number }[],
    momentum: number,
    epochs = 1,
  ): number {
    const strategy = createStrategy({ kind: "fednova" });
    const facts = { train: trainWith(momentum, epochs), mostTrainExamples: Math.max(...parties.map(({ weight }) => weight)) };
    let [weights, work, weighted] = [0, 0, 0];
    for (const { delta, ...party } of parties) {
      const change = Float32Array.of(delta);
      const { sums } = strategy.party!.prepare({ delta: change, ...party, given: { server: {}, kept: {} } }, facts);
      weights += party.weight;
      work += sums!["fednova.localWork"]!;
      weighted += party.weight * change[0]!;
    }
    const totals = { round: 1, weight: weights, planned: weights, metrics: { "fednova.localWork": work } };
    const parameters = new Float32Array(1);
    strategy
      .aggregateFit(totals)
      .step({ base: new Float32Array(1), meanDelta: Float32Array.of(weighted / weights), vectors: {}, state: {}, parameters });
    return parameters[0]!;
  }

  it("gives the fraction worked out by hand, without momentum", () => {
    // Two batches and six: p = 1/4 and 3/4, directions 2/2 and 3/6, τ_eff = 2/4 + 18/4 = 5: 5 · (1/4 + 3/8). FedAvg has 2/4 + 9/4.
    expect(
      round(
        [
          { delta: 2, weight: 20 },
          { delta: 3, weight: 60 },
        ],
        0,
      ),
    ).toBe(3.125);
    // The same when the trainers say how many steps they took, however many rows they have.
    expect(
      round(
        [
          { delta: 2, weight: 20, steps: 1 },
          { delta: 3, weight: 60, steps: 3 },
        ],
        0,
        1,
      ),
    ).toBe(3.125);
  });

  it("gives the fraction worked out by hand, with momentum", () => {
    // a = 1 + 3/2 = 5/2 of two steps, 1 + 3/2 + 7/4 = 17/4 of three. p = 2/5, 3/5.
    const wanted = ((2 / 5) * (5 / 2) + (3 / 5) * (17 / 4)) * ((2 / 5) * (2 / (5 / 2)) + (3 / 5) * (3 / (17 / 4)));
    expect(
      round(
        [
          { delta: 2, weight: 20 },
          { delta: 3, weight: 30 },
        ],
        0.5,
      ),
    ).toBeCloseTo(wanted, 6);
  });

  it("is FedAvg, to the bit, where all parties take as many steps", () => {
    expect(
      round(
        [
          { delta: 0.3, weight: 31 },
          { delta: -0.7, weight: 39 },
        ],
        0.9,
      ),
    ).toBe(Math.fround(Math.fround((31 * Math.fround(0.3) - 39 * Math.fround(0.7)) / 70)));
  });

  it("finds the optimum of the common objective where FedAvg does not", () => {
    // Party i minimises n_i/2 · (w − c_i)²/n_i by steps of η: Δ = (1 − (1 − η)^τ)(c_i − w). The optimum of the weighted sum is the mean of c.
    const eta = 0.01;
    const parties = [
      { centre: 0, weight: 10 },
      { centre: 1, weight: 90 },
    ];
    let [nova, average] = [0.5, 0.5];
    const change = (w: number, { centre, weight }: { centre: number; weight: number }) => (1 - (1 - eta) ** (weight / 10)) * (centre - w);
    for (let t = 0; t < 400; t += 1) {
      nova += round(
        parties.map((party) => ({ delta: change(nova, party), weight: party.weight })),
        0,
      );
      average += parties.reduce((sum, party) => sum + (party.weight / 100) * change(average, party), 0);
    }
    expect(Math.abs(nova - 0.9)).toBeLessThan(0.01);
    expect(Math.abs(average - 0.9)).toBeGreaterThan(0.05);
  });

  it("refuses more steps than the run's largest party may take, and optimisers whose work it does not know", () => {
    expect(() =>
      round(
        [
          { delta: 1, weight: 20, steps: 7 },
          { delta: 1, weight: 60 },
        ],
        0,
      ),
    ).toThrow(expect.objectContaining({ code: "TRAINER_FAILED" }));
    const strategy = createStrategy({ kind: "fednova" });
    expect(strategy.check!({ train: trainWith(0.9), untrained: ["layer1.runningMean"] })).toBeUndefined();
    const adam = { kind: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
    expect(strategy.check!({ train: { ...trainWith(0), optimiser: adam }, untrained: [] })).toMatchObject({ path: "train.optimiser" });
  });
});

describe("SCAFFOLD", () => {
  const train = (learningRate: number, momentum = 0) =>
    ({ optimiser: { kind: "sgd", learningRate, momentum, weightDecay: 0 }, batchSize: 10, epochs: 1 }) as const;
  const givenOf = (c: number, own: number) => ({ server: { control: Float64Array.of(c) }, kept: { "scaffold:control": Float32Array.of(own) } });

  it("corrects gradients by c − c_i", () => {
    const { party } = createStrategy({ kind: "scaffold" });
    expect(party!.correction!(givenOf(0.25, 0.5))).toEqual(Float32Array.of(-0.25));
  });

  it("gives the control variates of option II, worked out by hand", () => {
    // Four steps of 1/2: c_i⁺ = 1/2 − 1/4 + 3/2 = 7/4, which is 5/4 more than c_i.
    const { party } = createStrategy({ kind: "scaffold" });
    const update = { delta: Float32Array.of(-3), weight: 40, given: givenOf(0.25, 0.5) };
    expect(party!.prepare(update, { train: train(0.5), mostTrainExamples: 0 })).toEqual({
      vectors: [Float32Array.of(1.25)],
      kept: [Float32Array.of(1.75)],
    });
    expect(update.delta).toEqual(Float32Array.of(-3));
    // Two steps that the trainer counted, with momentum 1/2: 1 + 3/2 = 5/2 gradients of 1/2 each, so 3/(5/4) = 12/5.
    const { vectors } = party!.prepare({ ...update, steps: 2 }, { train: train(0.5, 0.5), mostTrainExamples: 0 });
    expect(vectors![0]![0]).toBeCloseTo(2.4 - 0.25, 6);
  });

  it("steps the model by the mean change and c by the share of rows that took part, worked out by hand", () => {
    const strategy = createStrategy({ kind: "scaffold", serverLearningRate: 0.5 });
    const state = { control: Float64Array.of(0.25) };
    const parameters = new Float32Array(1);
    const { step } = strategy.aggregateFit({ round: 1, weight: 30, planned: 120, metrics: {} });
    step({ base: Float32Array.of(1), meanDelta: Float32Array.of(3), vectors: { "scaffold:change": Float32Array.of(2) }, state, parameters });
    expect([parameters[0], state.control[0]]).toEqual([2.5, 0.75]);
  });

  /** Parties that minimise a/2 · (w − b)² by ten steps of 1/20 each, some of them a round; the model after every round, and the control variates. */
  function follow(cohorts: readonly (readonly number[])[], corrected: boolean) {
    const parties = [
      { a: 1, b: 0, weight: 100 },
      { a: 4, b: 1, weight: 100 },
      { a: 0.5, b: -2, weight: 50 },
    ];
    const strategy = createStrategy({ kind: "scaffold" });
    const state = initialState(strategy, 1);
    const kept = parties.map(() => new Float32Array(1));
    let w = Float32Array.of(0.5);
    for (const cohort of cohorts) {
      let [weight, change, control] = [0, 0, 0];
      for (const index of cohort) {
        const { a, b, weight: rows } = parties[index]!;
        const given = { server: { control: state["control"]! }, kept: { "scaffold:control": kept[index]! } };
        const correction = corrected ? strategy.party!.correction!(given)[0]! : 0;
        let y = w[0]!;
        for (let step = 0; step < 10; step += 1) y -= 0.05 * (a * (y - b) + correction);
        const update = { delta: Float32Array.of(y - w[0]!), weight: rows, steps: 10, given };
        const { vectors, kept: next } = strategy.party!.prepare(update, { train: train(0.05), mostTrainExamples: 0 });
        [weight, change, control] = [weight + rows, change + rows * update.delta[0]!, control + rows * vectors![0]![0]!];
        kept[index] = Float32Array.from(next![0]!);
      }
      const next = new Float32Array(1);
      const tile = { meanDelta: Float32Array.of(change / weight), vectors: { "scaffold:change": Float32Array.of(control / weight) } };
      strategy.aggregateFit({ round: 1, weight, planned: 250, metrics: {} }).step({ base: w, ...tile, state, parameters: next });
      w = next;
    }
    return { w: w[0]!, common: state["control"]![0]!, mean: (100 * kept[0]![0]! + 100 * kept[1]![0]! + 50 * kept[2]![0]!) / 250 };
  }

  // (100·1·0 + 100·4·1 − 50·0.5·2) / (100·1 + 100·4 + 50·0.5)
  const OPTIMUM = 350 / 525;

  it("finds the optimum of the common objective, where parties that drift do not", () => {
    const everyone = Array.from({ length: 150 }, () => [0, 1, 2]);
    expect(follow(everyone, true).w).toBeCloseTo(OPTIMUM, 5);
    expect(Math.abs(follow(everyone, false).w - OPTIMUM)).toBeGreaterThan(0.03);
  });

  it("finds it with some of the parties a round too, and c stays the mean of the parties' own", () => {
    const some = Array.from({ length: 900 }, (_, round) => [[0, 1], [1, 2], [2, 0], [1]][round % 4]!);
    const { w, common, mean } = follow(some, true);
    expect(w).toBeCloseTo(OPTIMUM, 2);
    expect(common).toBeCloseTo(mean, 4);
  });

  it("refuses optimisers whose steps it cannot read, and tensors without gradients", () => {
    const { check } = createStrategy({ kind: "scaffold" });
    expect(check!({ train: train(0.1, 0.9), untrained: [] })).toBeUndefined();
    expect(check!({ train: train(0.1), untrained: ["layer1.runningMean"] })).toMatchObject({ path: "strategy.local" });
    const adam = { kind: "adam", learningRate: 0.1, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0 } as const;
    expect(check!({ train: { ...train(0.1), optimiser: adam }, untrained: [] })).toMatchObject({ path: "train.optimiser" });
  });
});

describe("the strategy section of a run spec", () => {
  it("is FedAvg unless told, and fills in defaults", () => {
    expect(strategySection.schema.parse(undefined)).toEqual({ kind: "fedavg" });
    expect(strategySection.schema.parse({ kind: "fedadam" })).toEqual({
      kind: "fedadam",
      serverLearningRate: 0.01,
      beta1: 0.9,
      beta2: 0.99,
      tau: 0.001,
    });
  });

  it.each([
    { kind: "fedsgd" },
    { kind: "fedavg", mu: 1 },
    { kind: "fedprox", mu: -1 },
    { kind: "fedavgm", momentum: 1 },
    { kind: "fedadam", tau: 0 },
    { kind: "fedadam", serverLearningRate: Infinity },
    { kind: "fedadagrad", beta2: 0.9 },
    { kind: "fedyogi", beta2: 1 },
  ])("refuses %o", (section) => {
    expect(strategySection.schema.safeParse(section).success).toBe(false);
  });

  it("knows every strategy that can be made, and no other", () => {
    expect(() => createStrategy({ kind: "fedsgd" })).toThrow(expect.objectContaining({ code: "SPEC_INVALID" }));
    expect(() => createStrategy({ kind: "fedprox", mu: -1 })).toThrow(expect.objectContaining({ code: "SPEC_INVALID" }));
    const options = strategySection.schema.parse({ kind: "fedprox" });
    expect(createStrategy(options).configureFit({ round: 1, parties: [] }).config).toEqual({ proximalMu: 0.01 });
  });
});
