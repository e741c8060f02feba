import { join } from "node:path";
import { connect, type Nexus } from "@ciphernx/ai/client";
import type { RunSpecInput } from "@ciphernx/ai/spec";
import COORDINATOR_FLAGS from "../../apps/cli/bin/coordinator-flags.json" with { type: "json" };
import { type Child, startChild } from "./child.ts";
import type { CoordinatorOptions, CoordinatorStarted, RoundTimes } from "./coordinator.ts";
import type { PartyOptions, PartyOrder, PartyWord } from "./party.ts";

type StartOptions = NonNullable<Parameters<Nexus["runs"]["start"]>[1]>;

/** A coordinator in a process of its own, and its owner's connection. */
export interface CoordinatorProcess extends AsyncDisposable {
  readonly pid: number;
  readonly url: string;
  /** Where nodes find it. */
  readonly nodeUrl: string;
  readonly nexus: Nexus;
  /** A sample of `/metrics` by its name, as Prometheus scrapes it. */
  metric(name: string): Promise<number>;
  /** Join tokens whose nodes need no approval. */
  tokens(count: number): Promise<readonly string[]>;
  roundTimes(runId: string): Promise<readonly RoundTimes[]>;
}

export async function startCoordinatorProcess(folder: string, { tls = false } = {}): Promise<CoordinatorProcess> {
  const child = startChild("./coordinator.ts", { home: join(folder, "coordinator"), tls } satisfies CoordinatorOptions, COORDINATOR_FLAGS);
  const { url, nodeUrl, ownerToken } = await child.next<CoordinatorStarted>();
  const nexus = connect({ url, token: ownerToken });
  return {
    pid: child.pid,
    url,
    nodeUrl,
    nexus,
    async metric(wanted) {
      const answer = await fetch(new URL("/metrics", url), { headers: { authorization: `Bearer ${ownerToken}` } });
      return Number(new RegExp(`^${wanted} (\\S+)$`, "m").exec(await answer.text())?.[1] ?? Number.NaN);
    },
    async tokens(count) {
      const made: string[] = [];
      while (made.length < count) made.push((await nexus.nodes.createJoinToken({ approved: true })).token);
      return made;
    },
    roundTimes(runId) {
      child.say(runId);
      return child.next();
    },
    async [Symbol.asyncDispose]() {
      await nexus.close();
      await child[Symbol.asyncDispose]();
    },
  };
}

/** Runs a spec and says how long each round took from the commit before it, in milliseconds; the first has none. */
export async function roundDurations(coordinator: CoordinatorProcess, spec: RunSpecInput, options: StartOptions = {}): Promise<readonly number[]> {
  const started = await coordinator.nexus.runs.start(spec, options);
  await started.result();
  const times = await coordinator.roundTimes(started.id);
  return times.slice(1).map((round, index) => round.committedAt - times[index]!.committedAt);
}

/** Parties in a process each, not joined yet. */
export function startParties(folder: string, names: readonly string[]): readonly Child[] {
  return names.map((name) => startChild("./party.ts", { name, folder: join(folder, name) } satisfies PartyOptions));
}

/** Has the parties join and waits until they serve. Each adds another number to the parameters, so that no two updates are alike. */
export async function joinParties(coordinator: CoordinatorProcess, parties: readonly Child[], { tellsTasks = false } = {}): Promise<void> {
  const tokens = await coordinator.tokens(parties.length);
  await Promise.all(
    parties.map(async (party, index) => {
      party.say({ kind: "serve", url: coordinator.nodeUrl, token: tokens[index]!, step: (index + 1) / 1024, tellsTasks } satisfies PartyOrder);
      await party.next<PartyWord>();
    }),
  );
}

/** Names of so many parties. */
export function partyNames(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `party-${String(index + 1).padStart(3, "0")}`);
}
