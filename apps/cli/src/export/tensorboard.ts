import { create, toBinary } from "@bufbuild/protobuf";
import { SummaryEventSchema } from "@ciphernx/protocol/tensorboard";
import type { RoundRow } from "../runs/round-row.ts";
import { encodeTfRecords } from "./tf-record.ts";

/** What the first event of a file that TensorBoard reads says. */
const FILE_VERSION = "brain.Event:2";

/** The beginning of an event file's name, by which TensorBoard knows it. */
export const EVENT_FILE_PREFIX = "events.out.tfevents.";

/** The name of a run's event file: the same run on the same host has the same one, so that another export replaces it; no other run has. */
export function eventFileName(run: { readonly id: string; readonly startedAt: Date }, host: string): string {
  return `${EVENT_FILE_PREFIX}${Math.floor(run.startedAt.getTime() / 1000)}.${host}.${run.id}`;
}

/** Figures at a time, as one event of an event file. */
export interface ScalarEvent {
  readonly at: Date;
  readonly step: number;
  /** By tag; what stands before a slash is the chart's group. */
  readonly scalars: Readonly<Record<string, number>>;
}

/** An event file that TensorBoard reads. Values are 32-bit floats there. */
export function encodeEventFile(startedAt: Date, events: readonly ScalarEvent[]): Uint8Array<ArrayBuffer> {
  const version = create(SummaryEventSchema, { wallTime: seconds(startedAt), what: { case: "fileVersion", value: FILE_VERSION } });
  const summaries = events.map(({ at, step, scalars }) => {
    const value = Object.entries(scalars).map(([tag, simpleValue]) => ({ tag, value: { case: "simpleValue" as const, value: simpleValue } }));
    return create(SummaryEventSchema, { wallTime: seconds(at), step: BigInt(step), what: { case: "summary", value: { value } } });
  });
  return encodeTfRecords([version, ...summaries].map((event) => toBinary(SummaryEventSchema, event)));
}

/** A round as an event: its metrics by kind, what it moved, how long it took, and who took part. */
export function roundEvent(row: RoundRow): ScalarEvent {
  const metrics = Object.entries(row.figures).map(([name, value]) => [name.replace(".", "/"), value] as const);
  return {
    at: new Date(row.committedAt),
    step: row.round,
    scalars: {
      ...Object.fromEntries(metrics),
      "round/accepted": row.accepted,
      "round/missed": row.missed.length,
      "round/saturated": row.saturated,
      "round/seconds": row.seconds,
      "traffic/bytesUp": row.bytesUp,
      "traffic/bytesDown": row.bytesDown,
    },
  };
}

function seconds(at: Date): number {
  return at.getTime() / 1000;
}
