/** What the client processes of `bench/api.ts` are asked to do, and the objects they write. */

export type ClientTask =
  | {
      readonly type: 'write';
      readonly namespace: string;
      readonly prefix: string;
      readonly writers: number;
      readonly seconds: number;
      readonly bytes: number;
    }
  | { readonly type: 'fill'; readonly namespace: string; readonly count: number; readonly bytes: number }
  | { readonly type: 'list'; readonly namespace: string; readonly expected: number; readonly rounds: number }
  | {
      readonly type: 'watch';
      readonly namespace: string;
      readonly watchers: number;
      readonly rounds: number;
      readonly bytes: number;
    }
  | { readonly type: 'get'; readonly path: string; readonly pauseMs: number };

export function configMapsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/configmaps`;
}

/** A ConfigMap of about `bytes` bytes in JSON, whose text does not compress to nothing. */
export function objectOf(name: string, bytes: number): object {
  const words = Math.ceil(bytes / WORD.length);
  let seed = name.length;
  const data: Record<string, string> = {};
  for (let key = 0; key * WORDS_PER_KEY < words; key += 1) {
    let text = '';
    for (let word = 0; word < WORDS_PER_KEY; word += 1) {
      seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
      text += seed.toString(36).padStart(WORD.length, WORD);
    }
    data[`key-${key}`] = text;
  }
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { bench: 'api' } }, data };
}

const WORD = 'abcdefgh';
const WORDS_PER_KEY = 32;
