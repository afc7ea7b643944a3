/** What commands print: lines and aligned tables on standard output, notes and errors on standard error. */
import { styleText } from 'node:util';

export interface Output {
  line(text?: string): void;
  /** Columns padded to their widest cell, three blanks apart, as kubectl does. */
  table(header: readonly string[], rows: readonly (readonly string[])[]): void;
  json(value: unknown): void;
  /** To standard error: progress and remarks, so that standard output stays clean for scripts. */
  note(text: string): void;
  good(text: string): string;
  bad(text: string): string;
  faint(text: string): string;
}

export interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  readonly hasColour: boolean;
}

const GAP = 3;

export function createOutput({ stdout, stderr, hasColour }: Streams): Output {
  const style = (format: 'green' | 'red' | 'dim') => (text: string) => (hasColour ? styleText(format, text) : text);
  return {
    line: (text = '') => stdout(`${text}\n`),
    table: (header, rows) => stdout(renderTable(header, rows)),
    json: (value) => stdout(`${JSON.stringify(value, null, 2)}\n`),
    note: (text) => stderr(`${text}\n`),
    good: style('green'),
    bad: style('red'),
    faint: style('dim'),
  };
}

export function renderTable(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const render = (line: readonly string[]) =>
    line.map((cell, column) => (column === line.length - 1 ? cell : cell.padEnd((widths[column] ?? 0) + GAP))).join('');
  return lines.map((line) => `${render(line).trimEnd()}\n`).join('');
}

/** `1.2 s`, `340 ms`, `5m12s`. */
export function renderDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1)} s`;
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 60) return `${minutes}m${Math.floor((ms % 60_000) / 1_000)}s`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours}h${minutes % 60}m` : `${Math.floor(hours / 24)}d${hours % 24}h`;
}

/** `1.5 MiB`, `820 B`. */
export function renderBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = 0;
  while (value >= 1_024 && unit < units.length - 1) {
    value /= 1_024;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit] ?? ''}`;
}
