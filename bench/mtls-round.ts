/**
 * What mutual TLS costs: rounds of ten node processes with a million parameters and a trainer that does next to nothing, with a coordinator
 * that the nodes reach over TLS 1.3 with certificates of its CA, and with one that they reach over plain loopback, in turns. Reports are signed in
 * both. From commit to commit; medians.
 *
 * @module
 */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import { median, type Outcome } from "./figures/figure.ts";
import { temporaryFolder } from "./processes/child.ts";
import { type CoordinatorProcess, joinParties, partyNames, roundDurations, startCoordinatorProcess, startParties } from "./processes/federation.ts";

export const name = "mtls-round";

const PARTIES = 10;
const PARAMETERS = 1_000_000;
const TURNS = 5;
/** Of each turn; the first is not counted, since it has no commit before it. */
const ROUNDS = 6;

const SPEC: RunSpecInput = {
  version: 1,
  name: "mtls-round",
  seed: 1,
  data: { dataset: "rows", parties: "all" },
  model: { kind: "tensors", tensors: { weights: [PARAMETERS] } },
  train: { optimiser: { kind: "sgd", learningRate: 0.1 } },
  strategy: { kind: "fedavg" },
  protection: { kind: "none" },
  rounds: ROUNDS,
  encoding: { bits: 32 },
  evaluate: { every: 0 },
};

export async function run(): Promise<Outcome> {
  await using folder = await temporaryFolder(name);
  await using stack = new AsyncDisposableStack();
  const federation = async (kind: "plain" | "tls"): Promise<CoordinatorProcess> => {
    const home = join(folder.path, kind);
    await mkdir(home, { mode: 0o711 });
    const coordinator = stack.use(await startCoordinatorProcess(home, { tls: kind === "tls" }));
    const parties = startParties(home, partyNames(PARTIES)).map((party) => stack.use(party));
    await joinParties(coordinator, parties);
    return coordinator;
  };
  const [plain, tls] = [await federation("plain"), await federation("tls")];
  const plainMs: number[] = [];
  const tlsMs: number[] = [];
  for (let turn = 0; turn <= TURNS; turn += 1) {
    const [without, over] = [await roundDurations(plain, SPEC), await roundDurations(tls, SPEC)];
    // The first turn warms up.
    if (turn === 0) continue;
    plainMs.push(...without);
    tlsMs.push(...over);
  }
  const [plainMedian, tlsMedian] = [median(plainMs), median(tlsMs)];
  return {
    figures: [
      { name: "round over plain loopback", value: plainMedian, unit: "ms" },
      { name: "round over mutual TLS", value: tlsMedian, unit: "ms" },
      { name: "mutual TLS to plain", value: tlsMedian / plainMedian, unit: "×", atMost: 1.2 },
    ],
  };
}

if (import.meta.main) console.table((await run()).figures);
