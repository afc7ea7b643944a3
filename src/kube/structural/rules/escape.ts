/** Names of members as rules write them: `namespace` is `__namespace__`, `a-b` is `a__dash__b`. */

const RESERVED: ReadonlySet<string> = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);
const ESCAPES: Readonly<Record<string, string>> = { __: 'underscores', '.': 'dot', '-': 'dash', '/': 'slash' };

/** Undefined for names that rules cannot write. */
export function escapeName(name: string): string | undefined {
  if (!/^[-A-Za-z_./][-A-Za-z0-9_./]*$/.test(name)) return undefined;
  if (RESERVED.has(name)) return `__${name}__`;
  return name.replaceAll(/__|[-./]/g, (part) => `__${ESCAPES[part] ?? ''}__`);
}
