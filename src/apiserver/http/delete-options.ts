/** DeleteOptions: from the body when there is one, else from the query. */
import { isObject } from '#base/json.ts';
import { type FieldError, invalidField, notSupportedField } from '#kube/field-error.ts';
import { invalid, plainError } from '#kube/status.ts';
import type { DeleteOptions, PropagationPolicy } from '#client/transport.ts';
import type { Exchange } from '#apiserver/http/exchange.ts';
import { bodyTypeOf, isProtobuf } from '#apiserver/http/media-types.ts';
import { dryRunProblems } from '#apiserver/http/query.ts';
import { jsonSyntaxError } from '#apiserver/go-json.ts';
import { decodeProtobuf } from '#apiserver/protobuf/decode.ts';
import { WireError } from '#apiserver/protobuf/wire.ts';
import type { ServedKind } from '#apiserver/registry.ts';
import { parse } from 'yaml';

const POLICIES: readonly PropagationPolicy[] = ['Foreground', 'Background', 'Orphan'];
const DELETE_OPTIONS = { group: 'meta.k8s.io', kind: 'DeleteOptions' };

interface Sent {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagationPolicy?: string | undefined;
  readonly orphanDependents?: boolean | undefined;
  readonly dryRun: readonly string[];
  readonly preconditions?: Record<string, unknown> | undefined;
}

export function deleteOptionsOf(exchange: Exchange, body: Buffer, served: ServedKind): DeleteOptions {
  const sent = body.length === 0 ? fromQuery(exchange) : fromBody(exchange, body, served);
  const errors = problems(sent);
  if (errors.length > 0) throw invalid(DELETE_OPTIONS, '', errors);
  const { uid, resourceVersion } = sent.preconditions ?? {};
  return {
    gracePeriodSeconds: sent.gracePeriodSeconds,
    propagationPolicy: policyOf(sent),
    preconditions: {
      uid: typeof uid === 'string' ? uid : undefined,
      resourceVersion: typeof resourceVersion === 'string' ? resourceVersion : undefined,
    },
    dryRun: sent.dryRun.length > 0,
  };
}

function policyOf({ propagationPolicy, orphanDependents }: Sent): PropagationPolicy | undefined {
  if (orphanDependents !== undefined) return orphanDependents ? 'Orphan' : 'Background';
  return POLICIES.find((one) => one === propagationPolicy);
}

function fromQuery({ query }: Exchange): Sent {
  return {
    gracePeriodSeconds: query.integer('gracePeriodSeconds'),
    propagationPolicy: query.get('propagationPolicy'),
    orphanDependents: query.flag('orphanDependents'),
    dryRun: query.all('dryRun'),
  };
}

function fromBody(exchange: Exchange, body: Buffer, served: ServedKind): Sent {
  const value = parseBody(exchange, body, served);
  const { apiVersion, kind, gracePeriodSeconds, propagationPolicy, orphanDependents, dryRun, preconditions } = value;
  if (kind !== undefined && kind !== '' && kind !== 'DeleteOptions') {
    const version = JSON.stringify(apiVersion ?? '');
    throw plainError(
      `no kind ${JSON.stringify(kind)} is registered for version ${version} in scheme "pkg/runtime/scheme.go:110"`,
    );
  }
  return {
    gracePeriodSeconds: typeof gracePeriodSeconds === 'number' ? gracePeriodSeconds : undefined,
    propagationPolicy: typeof propagationPolicy === 'string' ? propagationPolicy : undefined,
    orphanDependents: typeof orphanDependents === 'boolean' ? orphanDependents : undefined,
    dryRun: Array.isArray(dryRun) ? dryRun.map(String) : [],
    preconditions: isObject(preconditions) ? preconditions : undefined,
  };
}

function parseBody(exchange: Exchange, body: Buffer, served: ServedKind): Record<string, unknown> {
  const contentType = exchange.header('content-type');
  // Whatever the object's own kind can be sent in: the options are a kind of their own.
  if (isProtobuf(contentType)) return fromProtobuf(body);
  const type = bodyTypeOf(served, contentType);
  const text = body.toString('utf8');
  try {
    const value: unknown = type === 'yaml' ? parse(text) : JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    throw plainError(`couldn't get version/kind; json parse error: ${jsonSyntaxError(body.toString('latin1'))}`);
  }
}

function fromProtobuf(body: Buffer): Record<string, unknown> {
  try {
    return decodeProtobuf(body, { apiVersion: 'v1', kind: 'DeleteOptions' });
  } catch (error) {
    if (error instanceof WireError) throw plainError(error.message);
    throw error;
  }
}

function problems({ propagationPolicy, orphanDependents, dryRun }: Sent): FieldError[] {
  const errors: FieldError[] = [];
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    const detail = 'orphanDependents and deletionPropagation cannot be both set';
    errors.push(invalidField('propagationPolicy', propagationPolicy, detail));
  } else if (propagationPolicy !== undefined && !POLICIES.some((one) => one === propagationPolicy)) {
    errors.push(notSupportedField('propagationPolicy', propagationPolicy, [...POLICIES, 'nil']));
  }
  return [...errors, ...dryRunProblems(dryRun)];
}
