/** The command line as data: what every flag has beside itself. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import type { Command } from 'commander';
import type { CliContext } from '#cli/context.ts';
import { createOutput } from '#cli/output.ts';
import { createProgram, runProgram } from '#cli/program.ts';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';

function contextWith(env: CliContext['env'] = {}) {
  const printed: string[] = [];
  const write = (text: string) => void printed.push(text);
  const context: CliContext = {
    clock: systemClock,
    logger: silentLogger,
    out: createOutput({ stdout: write, stderr: write, hasColour: false }),
    version: '0.0.0',
    env,
    supervisorCommand: () => assert.fail('nothing is started here'),
    signal: new AbortController().signal,
  };
  return { context, printed };
}

function commandsBelow(command: Command): Command[] {
  return [command, ...command.commands.flatMap(commandsBelow)];
}

function flags() {
  const program = createProgram(contextWith().context, () => undefined);
  return commandsBelow(program).flatMap((command) =>
    command.options.map(({ long, envVar, description }) => ({
      name: `${command.name()} ${long}`,
      long: long ?? '',
      variable: envVar ?? /\(env: (\w+), 1 or 0\)$/.exec(description)?.[1],
    })),
  );
}

describe('every flag has an environment variable, which README.md lists', () => {
  const readme = readFileSync(path.join(import.meta.dirname, '..', '..', 'README.md'), 'utf8');
  const rows = readme.split('\n').filter((line) => line.startsWith('|'));
  for (const { name, long, variable } of flags()) {
    test(name, () => {
      assert.match(variable ?? '', /^PINNACE_[A-Z_]+$/);
      const row = rows.find((line) => line.includes(`\`${variable}\``));
      assert.ok(row?.includes(long), `README.md has no row for ${long} with ${variable}`);
    });
  }
});

test('a variable stands for one meaning', () => {
  const flagsOf = Map.groupBy(flags(), ({ variable }) => variable);
  for (const [variable, users] of flagsOf) {
    assert.equal(new Set(users.map(({ long }) => long)).size, 1, String(variable));
  }
});

test('a variable of an on-off flag says 1 or 0, and nothing else', async () => {
  const { context, printed } = contextWith({ PINNACE_KUBECONFIG_PATH: 'perhaps' });
  assert.equal(await runProgram(context, ['kubeconfig']), 2);
  assert.match(printed.join(''), /error: PINNACE_KUBECONFIG_PATH is "perhaps"\n.*1 or 0/);
});
