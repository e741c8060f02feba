import { describe, expect, it } from "vitest";
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
