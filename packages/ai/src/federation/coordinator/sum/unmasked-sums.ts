/** Sums of masked vectors, from what their parties handed in. @module */
import { fromBinary } from "@bufbuild/protobuf";
import type { BlobStore, Sha256 } from "@ciphernx/core/blobs";
import type { Store } from "@ciphernx/core/store";
import {
  type Directory,
  type MaskStream,
  recover,
  secAggParameters,
  type SecAggPrimitives,
  SecAggViolation,
  unmaskSum,
} from "@ciphernx/crypto/secagg";
import { KeyAdvertisementSchema, UnmaskAnswerSchema } from "@ciphernx/protocol/proto";
import { decodeExtras, type SumTile, type UpdateExtras } from "../../../aggregation/index.ts";
import type { Phase } from "../../round/run-round.ts";
import { uploadLayout } from "../../round/upload-layout.ts";
import { keysOf, revealedShare } from "../../sum/messages.ts";
import { ringOf, sumContext, sumRules } from "../../sum/sum-terms.ts";
import type { AcceptedBlob } from "../aggregate.ts";
import type { HostedRun } from "../hosted-run.ts";
import type { PhaseSums } from "../plain-sums.ts";
import { implausibleSum } from "./implausible-sum.ts";
import { closedSteps, contributionsTo, identityKeys, placesOfBitmap, type SumPhase } from "./sum-store.ts";

/** Attempts whose masks are kept in memory: those at work. */
const KEPT = 2;

/** The sums of a run's protected phases. */
export interface UnmaskedSums {
  /** Whether a sum can be unmasked and is one that updates can add up to. @throws SecAggViolation */
  check(phase: Phase): Promise<void>;
  of(phase: Phase): PhaseSums;
}

interface Recovered {
  readonly streams: readonly MaskStream[];
  readonly sources: readonly AcceptedBlob[];
}

export interface UnmaskedSumsOptions {
  readonly store: Store;
  readonly primitives: SecAggPrimitives;
  readonly run: HostedRun;
  /** The model that a phase's tasks name. */
  baseModelOf(phase: Phase): Promise<string>;
  /** The vectors that were accepted. */
  acceptedBlobs(phase: Phase, accepted: readonly string[]): Promise<readonly AcceptedBlob[]>;
}

export function unmaskedSums({ store, primitives, run, baseModelOf, acceptedBlobs }: UnmaskedSumsOptions): UnmaskedSums {
  const { runId, plan } = run;
  const ring = ringOf(plan);
  const kept = new Map<string, Promise<Recovered>>();

  function recovered(phase: Phase): Promise<Recovered> {
    const key = `${phase.kind}/${phase.round}.${phase.attempt}`;
    const known = kept.get(key) ?? recoverMasks(phase);
    kept.set(key, known);
    known.catch(() => kept.delete(key)); // whoever waits for it gets the error; the next one tries again
    for (const oldest of kept.keys()) {
      if (kept.size <= KEPT) break;
      kept.delete(oldest);
    }
    return known;
  }

  async function recoverMasks(phase: Phase): Promise<Recovered> {
    const sum: SumPhase = { ...phase, runId };
    const steps = await closedSteps(store, sum, plan);
    const [members, dealers, survivors] = [steps.get("keys") ?? [], steps.get("shares") ?? [], steps.get("vector") ?? []];
    const keys = await identityKeys(store, sum, plan);
    const directory: Directory = {
      size: plan.parties.length,
      of: (place) => {
        const key = keys.get(place);
        return key && { key, organisation: "" };
      },
    };
    const { graph, threshold } = secAggParameters(members.length, sumRules(plan, phase.kind).assumptions);
    const isDealer = new Set(dealers);
    const advertisements = (await contributionsTo(store, sum, plan, "keys"))
      .filter(({ party }) => isDealer.has(party))
      .map(({ message }) => keysOf(fromBinary(KeyAdvertisementSchema, message)));
    const everybody = new Set(members);
    const drawn = new Map<number, ReadonlySet<number>>(
      graph === "complete"
        ? []
        : (await contributionsTo(store, sum, plan, "holders")).map(({ party, message }) => [party, new Set(placesOfBitmap(message, plan))]),
    );
    const answers = (await contributionsTo(store, sum, plan, "unmask")).map(({ party, message }) => ({
      holder: party,
      shares: fromBinary(UnmaskAnswerSchema, message).shares.map(revealedShare),
    }));
    const context = sumContext({ ...sum, planHash: plan.planHash, baseModelHash: await baseModelOf(phase) });
    const { streams } = await recover({
      ...{ context, threshold, directory, primitives, advertisements, survivors, answers },
      holdersOf: (dealer) => (graph === "complete" ? everybody : (drawn.get(dealer) ?? new Set())),
    });
    return {
      streams,
      sources: await acceptedBlobs(
        phase,
        survivors.map((place) => plan.parties[place]!.name),
      ),
    };
  }

  async function* tiles(phase: Phase, range: { readonly start: number; readonly length: number; readonly tileLength: number }) {
    const { streams, sources } = await recovered(phase);
    const { kernel, keystream } = primitives;
    const sums = unmaskSum({ kernel, keystream, ring, streams, sources: sources.map((source) => packedSource(store.blobs, source)), ...range });
    yield* wholeTiles(sums, range);
  }

  async function extras(phase: Phase): Promise<UpdateExtras> {
    const layout = uploadLayout(plan, phase.kind);
    const tail = new BigInt64Array(layout.extras);
    for await (const { offset, sum } of tiles(phase, { start: layout.parameters, length: layout.extras, tileLength: layout.extras }))
      tail.set(sum, offset - layout.parameters);
    return decodeExtras(tail, layout);
  }

  return {
    of: (phase) => ({ extras: () => extras(phase), tiles: (range) => tiles(phase, range) }),
    async check(phase) {
      const { sources } = await recovered(phase);
      const problem = implausibleSum(plan, phase.kind, sources.length, await extras(phase));
      if (problem !== undefined)
        throw new SecAggViolation("malformed", `The sum of ${sources.length} updates is none that updates add up to: ${problem}`);
    },
  };
}

/** Tiles of one length but for the last: those of an unmasked sum also end where its masks' chunks do. */
async function* wholeTiles(
  sums: AsyncIterable<SumTile>,
  { start, length, tileLength }: { readonly start: number; readonly length: number; readonly tileLength: number },
): AsyncGenerator<SumTile, void, undefined> {
  const end = start + length;
  const whole = new BigInt64Array(Math.min(tileLength, length));
  let [begun, filled] = [start, 0];
  for await (const { offset, sum } of sums) {
    const isWhole = filled === 0 && sum.length === Math.min(tileLength, end - begun);
    for (let read = 0; read < sum.length;) {
      const wanted = Math.min(tileLength, end - begun);
      const length = Math.min(wanted - filled, sum.length - read);
      if (!isWhole) whole.set(sum.subarray(read, read + length), filled);
      read += length;
      filled += length;
      if (filled < wanted) continue;
      yield isWhole ? { offset, sum } : { offset: begun, sum: whole.subarray(0, wanted) };
      [begun, filled] = [begun + wanted, 0];
    }
  }
}

function packedSource(blobs: BlobStore, { party, hash }: { readonly party: string; readonly hash: Sha256 }) {
  return { name: party, read: (offset: number, length: number, into?: Uint8Array<ArrayBuffer>) => blobs.read(hash, offset, length, into) };
}
