// Draws terminal output as a picture: reads text with SGR styles from standard input, writes SVG to standard output.
//
//   FORCE_COLOR=1 npm run --silent demo | node scripts/terminal-picture.mjs "npm run demo" > docs/demo.svg
import { text } from "node:stream/consumers";

const CELL = { width: 7.83, height: 18 };
const MARGIN = 18;
const BAR = 34;
const COLOURS = { 31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 36: "#79c0ff" };

// Viewers collapse runs of plain spaces.
const escape = (part) => part.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(" ", "\u00A0");

/** A line as styled runs. Styles end with their line, as the commands of this project write them. */
function runs(line) {
  const parts = [];
  let style = {};
  for (const [index, piece] of line.split(/\u001B\[([\d;]+)m/).entries()) {
    if (index % 2 === 0) {
      if (piece !== "") parts.push({ piece, style });
    } else if (piece === "1") style = { ...style, "font-weight": "bold" };
    else if (piece === "2") style = { ...style, fill: "#8b949e" };
    else if (COLOURS[piece] !== undefined) style = { ...style, fill: COLOURS[piece] };
    else style = {};
  }
  return parts;
}

const title = process.argv[2] ?? "";
const lines = `$ ${title}\n${await text(process.stdin)}`.trimEnd().split("\n");
const plain = lines.map((line) =>
  runs(line)
    .map(({ piece }) => piece)
    .join(""),
);
const width = Math.ceil(Math.max(...plain.map((line) => line.length)) * CELL.width + 2 * MARGIN);
const height = lines.length * CELL.height + 2 * MARGIN + BAR;
const rows = lines.map((line, index) => {
  const y = BAR + MARGIN + (index + 0.75) * CELL.height;
  const spans = runs(line).map(
    ({ piece, style }) =>
      `<tspan${Object.entries(style)
        .map(([key, value]) => ` ${key}="${value}"`)
        .join("")}>${escape(piece)}</tspan>`,
  );
  return `<text x="${MARGIN}" y="${y}">${spans.join("")}</text>`;
});
process.stdout
  .write(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="Output of ${escape(title)}">
<rect width="100%" height="100%" rx="10" fill="#0d1117"/>
${["#ff5f57", "#febc2e", "#28c840"].map((fill, index) => `<circle cx="${MARGIN + 6 + index * 20}" cy="${BAR / 2 + 4}" r="6" fill="${fill}"/>`).join("")}
<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="13" fill="#e6edf3">
${rows.join("\n")}
</g>
</svg>
`);
