/** Every program that tests start is one that they ask for, so that a machine without it is told what to install. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ALWAYS_THERE, isDeclared } from '#testing/requirements.ts';

const ROOT = path.join(import.meta.dirname, '..', '..');

/** A call that starts a program by its name. */
const START = /(?<![.\w])(?:spawn|spawnSync|execFile|execFileSync|run|runProgram|curl)\(\s*'([a-z][\w-]*)'/g;
const NEEDS = /\bneeds\(([^)]*)\)/g;

interface Started {
  readonly file: string;
  readonly text: string;
  readonly program: string;
}

const started: Started[] = globSync(
  ['src/**/*.test.ts', 'test/**/*.ts', 'src/testing/**/*.ts', 'src/**/fixtures/*.ts'],
  { cwd: ROOT, exclude: ['**/node_modules/**'] },
).flatMap((file) => {
  const text = readFileSync(path.join(ROOT, file), 'utf8');
  if (!text.includes('node:child_process') && !text.includes('runProgram')) return [];
  const programs = [...text.matchAll(START)].map(([, program = '']) => program);
  return programs.filter((program) => !ALWAYS_THERE.includes(program)).map((program) => ({ file, text, program }));
});

test('what is started is declared, with the package that has it', () => {
  assert.ok(started.some(({ program }) => program === 'nsenter'));
  assert.deepEqual(
    started.filter(({ program }) => !isDeclared(program)).map(({ file, program }) => `${file}: ${program}`),
    [],
  );
});

test('a test file asks for what it starts itself', () => {
  const silent = started.filter(({ file, text, program }) => {
    const asked = [...text.matchAll(NEEDS)].map(([, names = '']) => names).join();
    return file.endsWith('.test.ts') && !new RegExp(`'${program}[' ]`).test(asked);
  });
  assert.deepEqual(
    silent.map(({ file, program }) => `${file}: ${program}`),
    [],
  );
});
