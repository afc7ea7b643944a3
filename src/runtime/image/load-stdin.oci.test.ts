/** `pinnace image load -`: an archive from whatever standard input is. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { loadImages } from '#runtime/image/commands.ts';
import { ImageService } from '#runtime/image/image-service.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { testImage, writeImages } from '../../../test/images/build.ts';

describe('image load from standard input', needs('root', 'compiler'), () => {
  let folder: TemporaryFolder;
  let stores = 0;

  before(async () => {
    folder = new TemporaryFolder();
    const images = [testImage('test/app:1'), testImage('dev.local/hello:1')];
    await writeImages(folder.at('ours.docker.tar'), images, 'docker-archive');
  });

  after(() => folder[Symbol.dispose]());

  for (const [what, command] of [
    ['a pipe', 'cat "$1" | exec "$0" "$2"'],
    ['a pipe that is slow', '(head -c 300000 "$1"; sleep 0.3; tail -c +300001 "$1") | exec "$0" "$2"'],
    ['a file', 'exec "$0" "$2" < "$1"'],
    ['nothing', 'exec "$0" "$2" < /dev/null'],
  ] as const) {
    test(`from ${what}`, () => {
      const root = folder.at(`store-${(stores += 1)}`);
      const script = path.join(import.meta.dirname, '..', '..', 'testing', 'image-loader.ts');
      const node = `${process.execPath} --disable-warning=ExperimentalWarning ${script}`;
      const shell = command.replaceAll('"$0"', node);
      const said = execFileSync('sh', ['-c', shell, 'sh', folder.at('ours.docker.tar'), root], { encoding: 'utf8' });
      if (what === 'nothing') assert.match(said, /^failed to load image archive: unrecognized archive/);
      else assert.equal(said, 'docker.io/test/app:1\ndev.local/hello:1\n');
    });
  }

  test('from a socket', async () => {
    const script = path.join(import.meta.dirname, '..', '..', 'testing', 'image-loader.ts');
    const args = ['--disable-warning=ExperimentalWarning', script, folder.at(`store-${(stores += 1)}`)];
    // What Node gives its children as a pipe is a pair of sockets.
    const child = spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    child.stdin.end(readFileSync(folder.at('ours.docker.tar')));
    let said = '';
    for await (const chunk of child.stdout) said += String(chunk);
    assert.equal(said, 'docker.io/test/app:1\ndev.local/hello:1\n');
  });

  test('an abort does not wait for standard input', async () => {
    await using service = await ImageService.open({ root: folder.at('aborted'), clock: systemClock });
    const [reader, writer] = execPipe();
    const controller = new AbortController();
    const reason = new Error('enough');
    const loading = loadImages(service, reader, {}, controller.signal).catch((error: unknown) => error);
    controller.abort(reason);
    assert.equal(await loading, reason);
    for (const fd of [reader, writer]) closeSync(fd);
  });
});

/** A FIFO open at both ends, so that reading waits. */
function execPipe(): [reader: number, writer: number] {
  using folder = new TemporaryFolder();
  execFileSync('mkfifo', [folder.at('fifo')]);
  const writer = openSync(folder.at('fifo'), 'r+');
  return [openSync(folder.at('fifo'), 'r'), writer];
}
