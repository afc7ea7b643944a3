/** `/healthz`, `/livez` and `/readyz`: plain, `?verbose`, `?exclude=NAME`, and one path per check. */
import type { Exchange } from '#apiserver/http/exchange.ts';
import { PageNotFound } from '#apiserver/http/plain-failure.ts';
import { sendPlain } from '#apiserver/http/reply.ts';
import type { HttpApi } from '#apiserver/http/server.ts';

export interface HealthCheck {
  readonly name: string;
  /** False while it fails. A check that says so is looked at by `/readyz` only. */
  isHealthy(): boolean;
  readonly isReadinessOnly?: boolean;
}

const ENDPOINTS = ['healthz', 'livez', 'readyz'];

export function isHealthPath([first = '']: readonly string[]): boolean {
  return ENDPOINTS.includes(first);
}

interface Outcome {
  readonly name: string;
  readonly result: 'ok' | 'failed' | 'excluded';
}

export async function handleHealth(http: HttpApi, exchange: Exchange, segments: readonly string[]): Promise<void> {
  const [endpoint = '', ...rest] = segments;
  const checks = checksFor(http, endpoint);
  if (rest.length > 0) return one(exchange, checks, rest.join('/'));
  const excluded = exchange.query.all('exclude');
  const outcomes = checks.map((check): Outcome => {
    if (excluded.includes(check.name)) return { name: check.name, result: 'excluded' };
    return { name: check.name, result: check.isHealthy() ? 'ok' : 'failed' };
  });
  const isHealthy = outcomes.every(({ result }) => result !== 'failed');
  const verdict = `${endpoint} check ${isHealthy ? 'passed' : 'failed'}\n`;
  if (isHealthy && !exchange.query.has('verbose')) return sendPlain(exchange, 200, 'ok');
  await sendPlain(exchange, isHealthy ? 200 : 500, outcomes.map(line).join('') + verdict);
}

function line({ name, result }: Outcome): string {
  if (result === 'excluded') return `[+]${name} excluded: ok\n`;
  return result === 'ok' ? `[+]${name} ok\n` : `[-]${name} failed: reason withheld\n`;
}

async function one(exchange: Exchange, checks: readonly HealthCheck[], name: string): Promise<void> {
  const check = checks.find((other) => other.name === name);
  if (!check) throw new PageNotFound();
  if (check.isHealthy()) await sendPlain(exchange, 200, 'ok', 'sniffable');
  else await sendPlain(exchange, 500, `internal server error: ${name} failed\n`);
}

function checksFor({ checks, stopping }: HttpApi, endpoint: string): HealthCheck[] {
  const own: HealthCheck[] = [{ name: 'ping', isHealthy: () => true }];
  const shutdown: HealthCheck = { name: 'shutdown', isReadinessOnly: true, isHealthy: () => !stopping.aborted };
  return [...own, ...checks, shutdown].filter((check) => endpoint === 'readyz' || !check.isReadinessOnly);
}
