/** How places in a blob are written in HTTP fields. @module */

/** A number of bytes in digits, as in `Content-Length`, `Upload-Offset`, `Upload-Length`; undefined for everything else, and for more than 2⁵³. */
export function byteCount(field: string | readonly string[] | undefined): number | undefined {
  if (typeof field !== "string" || !/^\d{1,16}$/.test(field)) return undefined;
  const count = Number(field);
  return Number.isSafeInteger(count) ? count : undefined;
}

/** Where a `Range: bytes=<n>-` begins (RFC 9110 §14.1.2); undefined for other forms, which are answered with the whole. */
export function rangeStart(field: string | undefined): number | undefined {
  return byteCount(/^bytes=(\d+)-$/i.exec(field ?? "")?.[1]);
}

/** What a `Content-Range: bytes <from>-<to>/<size>` says (RFC 9110 §14.4); undefined when it is none or contradicts itself. */
export function contentRange(field: string | undefined): { readonly from: number; readonly sizeBytes: number } | undefined {
  const [, first, last, whole] = /^bytes (\d+)-(\d+)\/(\d+)$/i.exec(field ?? "") ?? [];
  const [from, to, sizeBytes] = [byteCount(first), byteCount(last), byteCount(whole)];
  if (from === undefined || to === undefined || sizeBytes === undefined || from > to || to !== sizeBytes - 1) return undefined;
  return { from, sizeBytes };
}
