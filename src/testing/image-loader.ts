/** A process that loads an archive from its standard input into a store and says what it found, a line each. */
import { systemClock } from '#base/clock.ts';
import { loadImages } from '#runtime/image/commands.ts';
import { ImageService } from '#runtime/image/image-service.ts';

const [root = ''] = process.argv.slice(2);
await using service = await ImageService.open({ root, clock: systemClock });
try {
  const loaded = await loadImages(service, 0, {}, new AbortController().signal);
  for (const { name } of loaded) process.stdout.write(`${name}\n`);
} catch (error) {
  process.stdout.write(`${error instanceof Error ? error.message : String(error)}\n`);
}
