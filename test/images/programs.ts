/** Programs of this machine as files of an image, with the libraries that they are linked to. */
import { execFileSync } from 'node:child_process';
import { realpathSync } from 'node:fs';
import type { BuildEntry } from '#runtime/image/builder.ts';
import { findProgram } from '#testing/requirements.ts';

/** `bin/NAME` for each program, and each library where the programs look for it. */
export function programEntries(names: readonly string[]): BuildEntry[] {
  const programs = names.map((name) => ({ path: `bin/${name}`, source: locate(name) }));
  const libraries = new Set(programs.flatMap(({ source }) => librariesOf(source)));
  const files = [...programs, ...[...libraries].map((file) => ({ path: file.slice(1), source: file }))];
  return files.map(({ path: at, source }) => ({ kind: 'copy', path: at, source: realpathSync(source), mode: 0o755 }));
}

function locate(name: string): string {
  const found = findProgram(name);
  if (found === undefined) throw new Error(`this machine has no program ${name}`);
  return found;
}

function librariesOf(program: string): string[] {
  const text = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...text.matchAll(/(\/\S+) \(0x/g)].map(([, file = '']) => file);
}
