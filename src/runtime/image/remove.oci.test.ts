/** `pinnace image rm` of images with several names. The rest of the image commands: `commands.oci.test.ts`. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '#base/clock.ts';
import { listImages, loadImages, removeImages } from '#runtime/image/commands.ts';
import type { Digest } from '#runtime/image/digest.ts';
import { ImageService } from '#runtime/image/image-service.ts';
import { needs } from '#testing/requirements.ts';
import { TemporaryFolder } from '#testing/temporary-folder.ts';
import { testImage, writeImages } from '../../../test/images/build.ts';

const signal = new AbortController().signal;

test('a used image loses names, but not the last one', needs('root', 'compiler'), async () => {
  using folder = new TemporaryFolder();
  await writeImages(folder.at('images.tar'), [testImage('test/app:1', ['test/app:1', 'test/app:latest'])]);
  await using service = await ImageService.open({ root: folder.at('images'), clock: systemClock });
  await loadImages(service, folder.at('images.tar'), {}, signal);
  const used = new Set([await service.resolveDigest('test/app:1', {}, signal)]);
  const remove = (names: readonly string[], inUse: ReadonlySet<Digest> = used) =>
    removeImages(service, names, { inUse, force: 'unless in use' }, signal);
  const names = async () => (await listImages(service)).map(({ name }) => name);
  const refusal = { message: 'image "test/app:1" is in use by a container, remove it with --force', code: 'InUse' };

  await assert.rejects(remove(['test/app:1', 'test/app:latest']), refusal);
  assert.deepEqual(await names(), ['test/app:1', 'test/app:latest'], 'nothing, where one may not go');
  assert.equal((await remove(['test/app:latest'])).bytes, 0);
  assert.deepEqual(await names(), ['test/app:1']);
  await assert.rejects(remove(['test/app:1']), refusal);
  assert.ok((await remove(['test/app:1'], new Set())).bytes > 0);
  assert.deepEqual(await names(), []);
});
