/** Points in time as texts (RFC 3339) and as parts of a date, in UTC or a named time zone. */
import { type Overload, overload } from '#kube/cel/declarations.ts';
import { CelFailure } from '#kube/cel/errors.ts';
import type { CelDuration, CelTimestamp } from '#kube/cel/values.ts';
import { goTimeError } from '#kube/go-time.ts';

const NANOS_PER_MS = 1_000_000n;
const NANOS_PER_SECOND = 1_000_000_000n;
const MS_PER_DAY = 86_400_000;

/** Nanoseconds since 1970; undefined when the text is no time. */
export function parseTimestamp(text: string): bigint | undefined {
  if (text.length > 64 || goTimeError(text, 'seconds') !== undefined) return undefined;
  const [, whole = '', fraction = '', zone = ''] = /^(.{19})(?:[.,](\d+))?(.*)$/.exec(text.toUpperCase()) ?? [];
  const ms = Date.parse(`${whole}${zone}`);
  if (Number.isNaN(ms)) return undefined;
  return BigInt(ms) * NANOS_PER_MS + BigInt(fraction.padEnd(9, '0').slice(0, 9));
}

export function formatTimestamp(nanos: bigint): string {
  const rest = ((nanos % NANOS_PER_SECOND) + NANOS_PER_SECOND) % NANOS_PER_SECOND;
  const text = new Date(Number((nanos - rest) / NANOS_PER_MS)).toISOString().slice(0, 19);
  const fraction = rest === 0n ? '' : `.${String(rest).padStart(9, '0').replace(/0+$/, '')}`;
  return `${text}${fraction}Z`;
}

/** The moment as if its time zone were UTC, so that the UTC getters of a date give its parts there. */
function localDate(time: CelTimestamp, zone: string): Date {
  const rest = ((time.nanos % NANOS_PER_MS) + NANOS_PER_MS) % NANOS_PER_MS;
  const ms = Number((time.nanos - rest) / NANOS_PER_MS);
  return new Date(ms + offsetMs(ms, zone));
}

function offsetMs(ms: number, zone: string): number {
  if (zone === '' || zone === 'UTC') return 0;
  const [, sign = '', hours = '', minutes = ''] = /^([-+]?)(\d{1,2}):(\d{2})$/.exec(zone) ?? [];
  if (hours !== '') return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes)) * 60_000;
  return namedOffsetMs(ms, zone);
}

function namedOffsetMs(ms: number, timeZone: string): number {
  try {
    const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
    const name = format.formatToParts(ms).find(({ type }) => type === 'timeZoneName')?.value ?? 'GMT';
    return offsetMs(ms, name === 'GMT' ? '' : name.slice(3, 9));
  } catch (error) {
    if (error instanceof RangeError) throw new CelFailure(`unknown time zone ${timeZone}`);
    throw error;
  }
}

type Part = (date: Date) => number;

function dayOfYear(date: Date): number {
  return Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0, 1)) / MS_PER_DAY);
}

const PARTS: readonly (readonly [name: string, id: string, part: Part])[] = [
  ['getFullYear', 'timestamp_to_year', (date) => date.getUTCFullYear()],
  ['getMonth', 'timestamp_to_month', (date) => date.getUTCMonth()],
  ['getDayOfYear', 'timestamp_to_day_of_year', dayOfYear],
  ['getDayOfMonth', 'timestamp_to_day_of_month', (date) => date.getUTCDate() - 1],
  ['getDate', 'timestamp_to_day_of_month_1_based', (date) => date.getUTCDate()],
  ['getDayOfWeek', 'timestamp_to_day_of_week', (date) => date.getUTCDay()],
  ['getHours', 'timestamp_to_hours', (date) => date.getUTCHours()],
  ['getMinutes', 'timestamp_to_minutes', (date) => date.getUTCMinutes()],
  ['getSeconds', 'timestamp_to_seconds', (date) => date.getUTCSeconds()],
  ['getMilliseconds', 'timestamp_to_milliseconds', (date) => date.getUTCMilliseconds()],
];

const SPANS: readonly (readonly [name: string, id: string, nanosPerUnit: bigint])[] = [
  ['getHours', 'duration_to_hours', 3600n * NANOS_PER_SECOND],
  ['getMinutes', 'duration_to_minutes', 60n * NANOS_PER_SECOND],
  ['getSeconds', 'duration_to_seconds', NANOS_PER_SECOND],
];

export const TIMESTAMPS: readonly Overload[] = [
  ...PARTS.flatMap(([name, id, part]) => [
    overload(id, `.${name}(timestamp): int`, ([time]) => BigInt(part(localDate(time as CelTimestamp, '')))),
    overload(`${id}_with_tz`, `.${name}(timestamp, string): int`, ([time, zone]) => {
      return BigInt(part(localDate(time as CelTimestamp, zone as string)));
    }),
  ]),
  ...SPANS.map(([name, id, unit]) => {
    return overload(id, `.${name}(duration): int`, ([span]) => (span as CelDuration).nanos / unit);
  }),
  overload('duration_to_milliseconds', '.getMilliseconds(duration): int', ([span]) => {
    return ((span as CelDuration).nanos / NANOS_PER_MS) % 1000n;
  }),
];
