/** A record of CSV as RFC 4180 has it, but with a line feed alone. */
export function csvRecord(cells: readonly string[]): string {
  return `${cells.map(quoted).join(",")}\n`;
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
