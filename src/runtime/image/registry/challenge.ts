/** Reads `WWW-Authenticate` (RFC 9110, section 11.6.1): one header may hold several challenges. */
export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  readonly parameters: Readonly<Record<string, string>>;
}

const MAX_HEADER_LENGTH = 8_192;
const TOKEN = /[!#$%&'*+.^_`|~0-9A-Za-z-]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const BARE = /[^\s,"]+/y;

export function parseChallenges(header: string): Challenge[] {
  const challenges: { scheme: string; parameters: Record<string, string> }[] = [];
  const text = header.slice(0, MAX_HEADER_LENGTH);
  let at = 0;
  const take = (pattern: RegExp) => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match) at = pattern.lastIndex;
    return match;
  };
  const skip = () => {
    while (at < text.length && /[\s,]/.test(text[at] ?? '')) at += 1;
  };
  for (skip(); at < text.length; skip()) {
    const word = take(TOKEN)?.[0];
    if (word === undefined) break;
    if (text[at] !== '=') {
      challenges.push({ scheme: word.toLowerCase(), parameters: {} });
      continue;
    }
    at += 1;
    const value = take(QUOTED)?.[1]?.replaceAll(/\\(.)/g, '$1') ?? take(BARE)?.[0] ?? '';
    const current = challenges.at(-1);
    if (current) current.parameters[word.toLowerCase()] = value;
  }
  return challenges;
}
