// Draws the picture in the README from what the demo really printed (a light or a dark page may be behind it):
//   npm run --silent demo | tee demo.txt; node scripts/demo-picture.mjs <demo.txt >docs/demo.svg
// Plain JavaScript for the machine's own Node. It changes no text; it leaves out whole steps, and says so.
import { readFileSync } from 'node:fs';

/** The way of a manifest; what comes before and after is in the output itself. */
const STEPS = ['4', '5', '6', '7', '9'];
const COLUMNS = 104;
const CHARACTER = 8;
const LINE = 18;
const MARGIN = 20;

const STYLE = `
  .page { fill: #11161d; stroke: #3d444d; }
  text { font: 13px ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace; fill: #d1d7e0; }
  .step { font-weight: bold; fill: #ffffff; }
  .command { fill: #79c0ff; }
  .ok { fill: #56d364; }
  .bar { fill: #e3b341; }`;

/** The lines of the chosen steps: a step begins with its number at the edge and ends before the next one's. */
function chosenLines(output) {
  const lines = output.split('\n').map((line) => line.trimEnd());
  let step;
  return lines.filter((line) => {
    step = /^ ?(\d+) {2}\S/.exec(line)?.[1] ?? (/^\S/.test(line) ? undefined : step);
    return STEPS.includes(step);
  });
}

function classOf(line) {
  if (/^ ?\d+ {2}\S/.test(line)) return 'step';
  if (/^ {4}(?:\$ | {4}-p )/.test(line)) return 'command';
  if (/^ {4}ok {2}/.test(line)) return 'ok';
  return /█/.test(line) ? 'bar' : 'plain';
}

function escapeXml(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

/** Each line is given its width, so that columns stand below each other whatever font there is. */
function drawLine(line, index) {
  const indent = line.length - line.trimStart().length;
  const text = line.slice(indent);
  const x = MARGIN + indent * CHARACTER;
  const y = MARGIN + (index + 1) * LINE - 5;
  const width = [...text].length * CHARACTER;
  return `  <text class="${classOf(line)}" x="${x}" y="${y}" textLength="${width}">${escapeXml(text)}</text>`;
}

function draw(output) {
  const lines = chosenLines(output);
  while (lines.at(-1) === '') lines.pop();
  if (lines.length === 0) throw new Error('this is no output of the demo');
  const width = COLUMNS * CHARACTER + 2 * MARGIN;
  const height = lines.length * LINE + 2 * MARGIN;
  const drawn = lines.flatMap((line, index) => (line === '' ? [] : [drawLine(line, index)]));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" xml:space="preserve">`,
    `  <title>Output of npm run demo, steps ${STEPS.join(', ')}</title>`,
    `  <style>${STYLE}\n  </style>`,
    `  <rect class="page" x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8"/>`,
    ...drawn,
    '</svg>',
    '',
  ].join('\n');
}

process.stdout.write(draw(readFileSync(0, 'utf8')));
