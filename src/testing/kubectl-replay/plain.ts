/**
 * What a command printed, without what differs between two runs by nature. Where something was replaced columns may
 * have shifted, so runs of blanks count as two. What a case says itself is never replaced.
 */
export interface Surroundings {
  readonly namespace: string;
  readonly folder: string;
  readonly literals: string;
}

const RULES: readonly (readonly [RegExp, string])[] = [
  [/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g, '<uid>'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)/g, '<time>'],
  [/(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}/g, '<date>'],
  [/(resourceVersion\\*"?: *\\*")(\d+)/g, '$1<rv>'],
  [/(Resource Version: +)(\d+)/g, '$1<rv>'],
  [/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '<jwt>'],
  [/(containerd:\/\/|sha256:)[0-9a-f]{64}/g, '$1<hash>'],
  [/\b[0-9a-f]{64}\b/g, '<hash>'],
  [/kube-api-access-[a-z0-9]{5}\b/g, 'kube-api-access-<suffix>'],
  [/(\bpod-template-hash[=:] ?"?)[a-z0-9]{8,10}\b/g, '$1<hash>'],
  [
    /\b([a-z][a-z0-9-]*?)-[bcdf0-9][bcdfghjklmnpqrstvwxz0-9]{6,9}-[bcdfghjklmnpqrstvwxz2456789]{5}\b/g,
    '$1-<hash>-<suffix>',
  ],
  [/\b([a-z][a-z0-9-]*?)-(?=[bcdfghjklmnpqrstvwxz]*\d)[bcdfghjklmnpqrstvwxz0-9]{8,10}\b/g, '$1-<hash>'],
  [/\b10\.\d{1,3}\.\d{1,3}\.\d{1,3}\b/g, '<ip>'],
  [/((^|\s)|\(|x\d+ over |back-off )((?<!:)\d+(ms|[smhd]))(\d+[smh])?(?=( ago| \(|\s*$|\)|\s{2,}|$))/gm, '$1<age>'],
  [/(:)(3[0-2]\d{3})(\/TCP|\/UDP)/g, '$1<nodePort>$3'],
  [/(in )\d+(\.\d+)?m?s\b/g, '$1<duration>'],
  [/(Forwarding from \S+:)\d+/g, '$1<port>'],
  [/https:\/\/[\d.]+:\d+/g, '<server>'],
  [/[EIW]\d{4} [\d:.]+ +\d+ /g, '<klog> '],
];

/** Shorter words of the case may well be in what was printed by chance. */
const MIN_LITERAL_LENGTH = 4;

export function plain(text: string, { namespace, folder, literals }: Surroundings): string {
  let result = text
    .replaceAll(folder, '<dir>')
    .replaceAll(namespace, '{{ns}}')
    .replaceAll(/\/tmp\/(\w+-)\d+/g, '/tmp/$1<n>');
  const isOwn = (found: string) => found.trim().length >= MIN_LITERAL_LENGTH && literals.includes(found.trim());
  for (const [pattern, token] of RULES) {
    result = result.replaceAll(pattern, (found, ...groups: unknown[]) => {
      if (isOwn(found)) return found;
      return token.replaceAll(/\$(\d)/g, (_, position: string) => textOf(groups[Number(position) - 1]));
    });
  }
  if (result === text) return text;
  return result.replaceAll(/(\S) {2,}(?=\S)/g, '$1  ').replaceAll(/ +$/gm, '');
}

function textOf(group: unknown): string {
  return typeof group === 'string' ? group : '';
}
