/** What Go's time package says to a text that is no time in the layout that the API expects. */

const LAYOUTS = {
  seconds: '2006-01-02T15:04:05Z07:00',
  microseconds: '2006-01-02T15:04:05.000000Z07:00',
} as const;

interface Part {
  /** As the layout writes it. */
  readonly layout: string;
  readonly expression: RegExp;
  readonly range?: readonly [name: string, least: number, most: number];
}

const PARTS: readonly Part[] = [
  { layout: '2006', expression: /^\d{4}/ },
  { layout: '-', expression: /^-/ },
  { layout: '01', expression: /^\d{2}/, range: ['month', 1, 12] },
  { layout: '-', expression: /^-/ },
  { layout: '02', expression: /^\d{2}/, range: ['day', 1, 31] },
  { layout: 'T', expression: /^T/ },
  { layout: '15', expression: /^\d{1,2}/, range: ['hour', 0, 23] },
  { layout: ':', expression: /^:/ },
  { layout: '04', expression: /^\d{2}/, range: ['minute', 0, 59] },
  { layout: ':', expression: /^:/ },
  { layout: '05', expression: /^\d{2}/, range: ['second', 0, 59] },
];
const SECONDS_FRACTION: Part = { layout: '', expression: /^(?:[.,]\d+)?/ };
const MICROSECONDS: Part = { layout: '.000000', expression: /^[.,]\d{6}(?!\d)/ };
const ZONE: Part = { layout: 'Z07:00', expression: /^(?:Z|[+-]\d{2}:\d{2})/ };

export type TimePrecision = keyof typeof LAYOUTS;

/** Undefined for a time in RFC 3339; microseconds want exactly six digits. */
export function goTimeError(text: string, precision: TimePrecision): string | undefined {
  const parsing = `parsing time ${JSON.stringify(text)}`;
  const fraction = precision === 'microseconds' ? MICROSECONDS : SECONDS_FRACTION;
  let rest = text;
  for (const { layout, expression, range } of [...PARTS, fraction, ZONE]) {
    const matched = expression.exec(rest)?.[0];
    if (matched === undefined) {
      const failure = `cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(layout)}`;
      return `${parsing} as ${JSON.stringify(LAYOUTS[precision])}: ${failure}`;
    }
    if (range && (Number(matched) < range[1] || Number(matched) > range[2]))
      return `${parsing}: ${range[0]} out of range`;
    rest = rest.slice(matched.length);
  }
  if (rest !== '') return `${parsing}: extra text: ${JSON.stringify(rest)}`;
  return isRealDay(text) ? undefined : `${parsing}: day out of range`;
}

/** 31 April is none. */
function isRealDay(text: string): boolean {
  const [year, month, day] = text.slice(0, 10).split('-').map(Number);
  return new Date(Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1)).getUTCDate() === day;
}
