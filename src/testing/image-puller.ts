/** A process that pulls an image into a store and says how far it is, a line each: to be killed at any point. */
import { systemClock } from '#base/clock.ts';
import { ImageService } from '#runtime/image/image-service.ts';

const [root = '', image = ''] = process.argv.slice(2);
const service = await ImageService.open({ root, clock: systemClock });
await service.ensureImage(
  image,
  { pullPolicy: 'IfNotPresent', onProgress: ({ phase }) => process.stdout.write(`${phase}\n`) },
  new AbortController().signal,
);
process.stdout.write('done\n');
await service[Symbol.asyncDispose]();
