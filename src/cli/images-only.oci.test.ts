/** State directories in which no platform ever ran: what the image commands and `down --purge` leave there. */
import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import type { CliContext } from '#cli/context.ts';
import { createOutput } from '#cli/output.ts';
import { runProgram } from '#cli/program.ts';
import { ImageService } from '#runtime/image/image-service.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';

async function pinnace(stateDir: string, ...args: string[]): Promise<{ code: number; printed: string }> {
  let printed = '';
  const write = (text: string) => void (printed += text);
  const context: CliContext = {
    clock: systemClock,
    logger: silentLogger,
    out: createOutput({ stdout: write, stderr: write, hasColour: false }),
    version: '0.0.0',
    env: {},
    supervisorCommand: () => assert.fail('nothing is started here'),
    signal: new AbortController().signal,
  };
  const code = await runProgram(context, [...args, '--state-dir', stateDir]);
  return { code, printed };
}

describe('without a platform', needs('root'), () => {
  for (const [args, code, expected] of [
    [['image', 'ls'], 0, /^IMAGE +DIGEST +SIZE +AGE\n$/],
    [['image', 'ls', '-o', 'json'], 0, /^\[\]\n$/],
    [['image', 'rm', 'test/app:1'], 1, /error: there are no images in /],
    [['image', 'load', '/no/such.tar'], 1, /error: there is no file \/no\/such\.tar/],
    [['status'], 1, /./],
    [['down', '--purge'], 0, /^there is no platform in /],
  ] as const) {
    test(`${args.join(' ')} makes nothing`, async () => {
      using folder = new TemporaryFolder();
      for (const stateDir of [folder.at('none'), folder.path]) {
        const { code: exitCode, printed } = await pinnace(stateDir, ...args);
        assert.equal(exitCode, code, printed);
        assert.match(printed, expected);
        assert.deepEqual(readdirSync(folder.path), []);
      }
    });
  }

  test('down keeps images, down --purge removes them and the directory', async () => {
    using folder = new TemporaryFolder();
    const stateDir = folder.at('state');
    await using service = await ImageService.open({ root: path.join(stateDir, 'images'), clock: systemClock });
    const down = await pinnace(stateDir, 'down');
    assert.match(down.printed, /^there is no platform in /);
    assert.ok(existsSync(service.layout.refs));
    const purge = await pinnace(stateDir, 'down', '--purge');
    assert.equal(purge.code, 0, purge.printed);
    assert.match(purge.printed, /removed\n$/);
    assert.deepEqual(readdirSync(folder.path), []);
  });

  test('down --purge removes what was half written, and says what is not ours', async () => {
    using folder = new TemporaryFolder();
    const stateDir = folder.at('state');
    await using _ = await ImageService.open({ root: path.join(stateDir, 'images'), clock: systemClock });
    const halfWritten = ['kubeconfig.new', 'config.json.17.tmp'];
    for (const name of [...halfWritten, 'notes.txt']) writeFileSync(path.join(stateDir, name), '');
    mkdirSync(path.join(stateDir, 'skeleton.new', 'etc'), { recursive: true });
    const { code, printed } = await pinnace(stateDir, 'down', '--purge');
    assert.equal(code, 0, printed);
    assert.match(printed, /^stopped, and removed; .*state stays: it holds files that are not pinnace's: notes\.txt\n$/);
    assert.deepEqual(readdirSync(stateDir), ['notes.txt']);
  });

  test('down --purge leaves folders of others that are called like ours', async () => {
    using folder = new TemporaryFolder();
    const names = ['images', 'log', 'pods', 'run', 'store'];
    for (const name of names) mkdirSync(folder.at(name));
    writeFileSync(folder.at('config.json'), '{"auths":{}}');
    const { code, printed } = await pinnace(folder.path, 'down', '--purge');
    assert.equal(code, 0, printed);
    assert.match(printed, /^there is no platform in /);
    assert.deepEqual(readdirSync(folder.path).sort(), ['config.json', ...names]);
  });
});
