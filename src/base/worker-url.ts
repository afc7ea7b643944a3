/**
 * Where the code of a worker thread is: a source file when the product runs from source, a bundle of its own beside
 * the main bundles when it runs from `dist/` (see `scripts/build.mjs`, which makes one bundle per `*-worker.ts`).
 */
import path from 'node:path';

/** `entry` is the path below `src` without its suffix, such as `store/sqlite-worker`. */
export function workerUrl(entry: string): URL {
  const runsFromSource = import.meta.url.endsWith('.ts');
  return runsFromSource
    ? new URL(`../${entry}.ts`, import.meta.url)
    : new URL(`./${path.basename(entry)}.js`, import.meta.url);
}
