/**
 * Sessions of people in browsers, as the wire hands them on. A browser shows a session in a cookie, which it adds to requests by itself,
 * also to those that another site's page makes. So a cookie counts only for a request that says where it comes from, and that is a page of
 * the same origin: by `Sec-Fetch-Site` (W3C Fetch Metadata), which no page can forge, and by `Origin` where a browser is too old for that
 * (the port has compared it with the host before). Pages on another port of `localhost` are of another origin, though of the same "site",
 * so `SameSite` does not keep them out; this does.
 *
 * A cookie that counts travels on as a token: `nxs_` and the cookie's value.
 *
 * @module
 */

const PREFIX = "nxs_";
/** Longer ones are none of ours. */
const MAX_COOKIE = 256;

/** Headers of a request, as Node has them. */
export type RequestHeaders = Readonly<Record<string, string | readonly string[] | undefined>>;

/** Whether a text says of itself that it is a session out of a cookie. */
export function claimsSessionToken(token: string): boolean {
  return token.startsWith(PREFIX);
}

/** The value of the cookie that a token was made of. */
export function sessionCookieValue(token: string): string {
  return token.slice(PREFIX.length);
}

/** Whether a request comes from a page of the server's own origin. */
export function isFromOwnPage(headers: RequestHeaders): boolean {
  const site = headers["sec-fetch-site"];
  if (site !== undefined) return site === "same-origin";
  return headers["origin"] !== undefined;
}

/** The session that a request of the server's own page shows, as a token; undefined without one. @param name of the cookie */
export function sessionToken(headers: RequestHeaders, name: string): string | undefined {
  const value = cookieValue(headers["cookie"], name);
  return value === undefined || !isFromOwnPage(headers) ? undefined : `${PREFIX}${value}`;
}

/**
 * The session that a WebSocket's request shows, as a token; undefined without one. Stricter than for other requests, because a page of another
 * origin may open WebSockets and read what they answer (cross-site WebSocket hijacking): `Origin` has to be there, as it is for every browser's,
 * and to be the server's own, scheme and port included; `Sec-Fetch-Site`, where a browser sends it, may not contradict.
 * @param authority the host that the request is meant for
 */
export function socketSessionToken(headers: RequestHeaders, name: string, authority: string, isTls: boolean): string | undefined {
  const own = URL.parse(`${isTls ? "https" : "http"}://${authority}/`)?.origin;
  return own !== undefined && headers["origin"] === own ? sessionToken(headers, name) : undefined;
}

/** A cookie of a `cookie` header (RFC 6265 §4.2.1), decoded; undefined when it is missing, stands there twice, or is too long. */
export function cookieValue(header: string | readonly string[] | undefined, name: string): string | undefined {
  const pairs = (typeof header === "string" ? header : (header ?? []).join(";")).split(";");
  const found = pairs.map((pair) => pair.trim()).filter((pair) => pair.startsWith(`${name}=`));
  const value = found.length === 1 ? found[0]!.slice(name.length + 1) : "";
  if (value === "" || value.length > MAX_COOKIE) return undefined;
  try {
    return decodeURIComponent(value);
  } catch {
    // Not percent-encoded as every value of ours is: none of ours.
    return undefined;
  }
}
