/**
 * Split by time: every party gets the rows of one period, so that parties differ as a practice changes over the years. Parts are of equal
 * size; rows of one moment keep their order.
 *
 * @module
 */
import { NexusError } from "@ciphernx/core/errors";
import { z } from "zod";
import { cutEvenly, definePartitioner, rowNumbers } from "./partitioner.ts";

export const time = definePartitioner({
  schema: z.strictObject({
    kind: z.literal("time").describe("Rows are sorted by time and dealt in periods"),
    column: z.string().min(1).max(256).describe("The column with the time, a number or an ISO 8601 date; of any role"),
    order: z.enum(["name", "random"]).default("name").describe("Which party gets which period: the first by name the earliest, or by the seed"),
  }),
  rowsNeeded: (_options, parties) => parties,
  partition({ parties, options, columns, stream }) {
    const values = columns(options.column);
    const moments = Float64Array.from({ length: values.length }, (_, row) => momentOf(values[row]!, row, options.column));
    const sorted = rowNumbers(values.length).sort((a, b) => moments[a]! - moments[b]! || a - b);
    const periods = cutEvenly(sorted, parties);
    return options.order === "name" ? periods : stream("periods").shuffle(periods);
  },
});

const DECIMAL = /^[+-]?\d+(?:\.\d+)?$/;
/** ISO 8601 dates, with a time of day or not; without a zone they are UTC. */
const DATE = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)(Z|[+-]\d{2}:?\d{2})?)?$/;

/** A time as a number that grows with it. */
function momentOf(value: string | number, row: number, column: string): number {
  const moment = typeof value === "number" ? value : textMoment(value.trim());
  if (Number.isFinite(moment)) return moment;
  throw new NexusError("DATA_INVALID", `Row ${row + 1} has neither a number nor a date in the column "${column}", by which the rows are split.`, {
    hint: "Write dates as 2024-03-31 or 2024-03-31T12:00:00Z.",
    details: { column, row: row + 1 },
  });
}

function textMoment(text: string): number {
  if (DECIMAL.test(text)) return Number(text);
  const [, day, clock = "00:00", zone = "Z"] = DATE.exec(text) ?? [];
  return day === undefined ? NaN : Date.parse(`${day}T${clock}${zone === "Z" || zone.includes(":") ? zone : `${zone.slice(0, 3)}:${zone.slice(3)}`}`);
}
