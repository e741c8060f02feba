import { NexusError } from "@ciphernx/core/errors";
import { CSV_DELIMITERS, type CsvDelimiter } from "./csv-records.ts";

/** Delimiters as they are written in a command. */
const SPELT: Readonly<Record<CsvDelimiter, string>> = { ",": '","', ";": '";"', "|": '"|"', "\t": "tab" };

/**
 * Refuses a header that was not divided though another delimiter would divide it. A table has two columns at least, so that nothing is
 * refused here that could be read.
 * @throws NexusError DATA_INVALID naming the delimiter that was probably meant.
 */
export function checkDelimiter(header: readonly string[], delimiter: CsvDelimiter, source: string): void {
  const [only] = header;
  if (only === undefined || header.length > 1) return;
  const counts = CSV_DELIMITERS.filter((other) => other !== delimiter).map((other) => ({ other, count: only.split(other).length - 1 }));
  const meant = counts.reduce((most, one) => (one.count > most.count ? one : most));
  if (meant.count === 0) return;
  const spelt = SPELT[meant.other];
  throw new NexusError(
    "DATA_INVALID",
    `${source} is a single column when its cells are delimited by ${SPELT[delimiter]}; its header holds ${spelt}.`,
    {
      hint: `Read it with --delimiter ${spelt}.`,
      details: { file: source, delimiter: meant.other },
    },
  );
}
