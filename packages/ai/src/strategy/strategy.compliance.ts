import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PartyGiven, RoundTotals, StepTile, Strategy } from "./strategy.ts";

const ROUNDS = 3;

type State = Record<string, Float64Array>;

/** The sums of a round in which all parties trained alike. */
function totalsOf({ party }: Strategy, round: number, weight: number, metrics: RoundTotals["metrics"] = {}): RoundTotals {
  return { round, weight, planned: 2 * weight, metrics: { ...metrics, ...Object.fromEntries((party?.sums ?? []).map((name) => [name, weight])) } };
}

/** Means of the further vectors of a tile: as the change, for want of others. */
function vectorsOf({ party }: Strategy, mean: Float32Array): StepTile["vectors"] {
  return Object.fromEntries((party?.vectors ?? []).map((name) => [name, mean]));
}

/** What a party of the strategy is given, all of one length. */
function givenOf({ state, party }: Strategy, length: number): PartyGiven {
  return {
    server: Object.fromEntries(state.map(({ name }) => [name, new Float64Array(length)])),
    kept: Object.fromEntries((party?.keeps ?? []).map((name) => [name, new Float32Array(length)])),
  };
}

/** A state as it is before the first round. */
export function initialState(strategy: Strategy, length: number): State {
  return Object.fromEntries(strategy.state.map(({ name, initial }) => [name, new Float64Array(length).fill(initial)]));
}

/** Steps one tile of a model and gives the new parameters; the state changes in place. */
export function stepTile(strategy: Strategy, round: number, base: Float32Array, meanDelta: Float32Array, state: State): Float32Array {
  const parameters = new Float32Array(base.length);
  strategy.aggregateFit(totalsOf(strategy, round, 1)).step({ base, meanDelta, vectors: vectorsOf(strategy, meanDelta), state, parameters });
  return parameters;
}

/** Several rounds of a model that is cut at the given places. */
function rounds(
  strategy: Strategy,
  start: Float32Array,
  deltas: readonly Float32Array[],
  cuts: readonly number[],
): { parameters: Float32Array; state: State } {
  const state = initialState(strategy, start.length);
  let parameters = start;
  for (const [index, delta] of deltas.entries()) {
    const { step } = strategy.aggregateFit(totalsOf(strategy, index + 1, 1));
    const next = new Float32Array(start.length);
    const edges = [0, ...cuts, start.length];
    for (const [place, begin] of edges.slice(0, -1).entries()) {
      const end = edges[place + 1]!;
      const tile: StepTile = {
        base: parameters.subarray(begin, end),
        meanDelta: delta.subarray(begin, end),
        vectors: vectorsOf(strategy, delta.subarray(begin, end)),
        state: Object.fromEntries(Object.entries(state).map(([name, vector]) => [name, vector.subarray(begin, end)])),
        parameters: next.subarray(begin, end),
      };
      step(tile);
    }
    parameters = next;
  }
  return { parameters, state };
}

/** What every strategy must do, whatever it learns. */
export function strategyCompliance(create: () => Strategy): void {
  describe("as every strategy", () => {
    const length = 24;
    const vector = fc.float32Array({ minLength: length, maxLength: length, min: -10, max: 10, noNaN: true });
    const deltas = fc.array(vector, { minLength: ROUNDS, maxLength: ROUNDS });

    it("gives the same bits wherever the model is cut into tiles, in one run as in the next", () => {
      const cuts = fc.uniqueArray(fc.integer({ min: 1, max: length - 1 }), { maxLength: 5 }).map((places) => places.toSorted((a, b) => a - b));
      const strategy = create();
      fc.assert(
        fc.property(vector, deltas, cuts, (start, changes, places) => {
          expect(rounds(strategy, start, changes, places)).toEqual(rounds(create(), start, changes, []));
        }),
        { numRuns: 30 },
      );
    });

    it("may write the new parameters over the old ones, and writes over nothing else", () => {
      fc.assert(
        fc.property(vector, vector, (base, meanDelta) => {
          const strategy = create();
          const [baseBefore, deltaBefore] = [base.slice(), meanDelta.slice()];
          const parameters = stepTile(strategy, 1, base, meanDelta, initialState(strategy, length));
          expect([base, meanDelta]).toEqual([baseBefore, deltaBefore]);
          const { step } = strategy.aggregateFit(totalsOf(strategy, 1, 1));
          step({ base, meanDelta, vectors: vectorsOf(strategy, meanDelta), state: initialState(strategy, length), parameters: base });
          expect(base).toEqual(parameters);
        }),
        { numRuns: 20 },
      );
    });

    it("leaves the model as it is when no party changed it", () => {
      const strategy = create();
      const base = Float32Array.of(1, -2, 3.5, 0);
      const state = initialState(strategy, 4);
      for (let round = 1; round <= ROUNDS; round += 1) expect(stepTile(strategy, round, base, new Float32Array(4), state)).toEqual(base);
    });

    it("goes the way the parties went in the first round", () => {
      const strategy = create();
      const moved = stepTile(strategy, 1, new Float32Array(2), Float32Array.of(0.5, -0.5), initialState(strategy, 2));
      expect(moved[0]).toBeGreaterThan(0);
      expect(moved[1]).toBe(-moved[0]!);
    });

    it("has state vectors of different names and finite beginnings", () => {
      const { state } = create();
      expect(new Set(state.map(({ name }) => name)).size).toBe(state.length);
      for (const { name, initial } of state) {
        expect(name).toMatch(/^[a-z][a-zA-Z0-9]*$/);
        expect(initial).toSatisfy(Number.isFinite);
      }
    });

    it("names sums and vectors that nothing else is called, once each, and parties give exactly these", () => {
      const strategy = create();
      const { party } = strategy;
      if (party === undefined) return;
      const { sums, vectors = [], keeps = [] } = party;
      for (const names of [sums, vectors, keeps]) expect(new Set(names).size).toBe(names.length);
      for (const name of [...sums, ...vectors, ...keeps]) expect(name).toMatch(/^[a-z]+[.:][a-zA-Z]+$/);

      const train = { optimiser: { kind: "sgd", learningRate: 0.1, momentum: 0.5, weightDecay: 0 }, batchSize: 8, epochs: 2 } as const;
      const given = givenOf(strategy, 2);
      const outcome = party.prepare({ delta: Float32Array.of(1, -2), weight: 20, given }, { train, mostTrainExamples: 50 });
      expect(Object.keys(outcome.sums ?? {}).toSorted()).toEqual([...sums].toSorted());
      for (const sum of Object.values(outcome.sums ?? {})) {
        expect(sum).toBeGreaterThanOrEqual(0);
        expect(sum).toBeLessThanOrEqual(20);
      }
      expect((outcome.vectors ?? []).map(({ length: values }) => values)).toEqual(vectors.map(() => 2));
      expect((outcome.kept ?? []).map(({ length: values }) => values)).toEqual(keeps.map(() => 2));
      expect(given).toEqual(givenOf(strategy, 2));
    });

    it("asks only parties of the cohort, and says the same of the same round", () => {
      const parties = ["anna", "bert", "carl"];
      for (const ask of ["configureFit", "configureEvaluate"] as const) {
        const instruction = create()[ask]({ round: 2, parties });
        expect(parties).toEqual(expect.arrayContaining([...instruction.parties]));
        expect(new Set(instruction.parties).size).toBe(instruction.parties.length);
        for (const value of Object.values(instruction.config)) expect(value).toSatisfy(Number.isFinite);
        expect(create()[ask]({ round: 2, parties })).toEqual(instruction);
      }
    });

    it("turns the sums of a round into means", () => {
      const totals = { round: 1, weight: 8, metrics: { loss: 4, correct: 6 } };
      expect(create().aggregateEvaluate(totals)).toEqual({ loss: 0.5, accuracy: 0.75 });
      expect(create().aggregateFit(totalsOf(create(), 1, 8, totals.metrics)).metrics).toEqual({ loss: 0.5, accuracy: 0.75 });
      expect(create().aggregateEvaluate({ round: 1, weight: 0, metrics: { loss: 0 } })).toEqual({});
    });
  });
}
