const BYTE_UNITS = ["B", "kB", "MB", "GB", "TB"];

/** Bytes for people, in decimal units: 1,254,000 → `1.3 MB`. */
export function formatBytes(bytes: number | bigint): string {
  let value = Number(bytes);
  let unit = 0;
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 || value >= 99.5 ? Math.round(value) : value.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/** Seconds for people: `0.42 s`, `12.3 s`, `4 min 10 s`, `2 h 5 min`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 99.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** A share of one as a percentage: 0.9431 → `94.31%`. */
export function formatShare(share: number): string {
  return `${(share * 100).toFixed(2)}%`;
}

/** An ISO time in the reader's own time zone without fractions, or a dash when there is none. */
export function formatTime(iso: string | undefined): string {
  if (iso === undefined || iso === "") return "-";
  return new Date(iso).toLocaleString("sv-SE", { dateStyle: "short", timeStyle: "medium" });
}
