import { readFile } from "node:fs/promises";

/**
 * Headers of whatever the site answers: nothing but its own script and style runs, no other page frames it, and no cache keeps it.
 * Sources: W3C Content Security Policy Level 3, Trusted Types; OWASP HTTP Headers Cheat Sheet.
 */
export const PAGE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": [
    "default-src 'none'",
    ...["script-src 'self'", "style-src 'self'", "connect-src 'self'", "img-src 'self'"],
    ...["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'", "require-trusted-types-for 'script'", "trusted-types 'none'"],
  ].join("; "),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "x-frame-options": "DENY",
} as const;

/** Files of the page, beside the sources and beside what is built of them. */
const FOLDER = new URL("../../page/", import.meta.url);
const FILES = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/page.css": ["page.css", "text/css; charset=utf-8"],
  "/page.js": ["page.js", "text/javascript; charset=utf-8"],
  "/favicon.svg": ["favicon.svg", "image/svg+xml"],
} as const;

/** What answers a request for a file of the page; undefined for any other path. */
export function pageFile(path: string): (() => Promise<Response>) | undefined {
  if (!Object.hasOwn(FILES, path)) return undefined;
  const [name, type] = FILES[path as keyof typeof FILES];
  return async () => new Response(await readFile(new URL(name, FOLDER)), { headers: { ...PAGE_HEADERS, "content-type": type } });
}
