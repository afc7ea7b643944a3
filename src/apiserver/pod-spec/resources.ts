/** Requests and limits, and the quality of service that follows from them. */
import { child, entry, type FieldError, invalidField } from '#kube/field-error.ts';
import type { Container } from '#kube/kinds/core/container.ts';
import type { PodSpec } from '#kube/kinds/core/pod-spec.ts';
import type { ResourceRequirements } from '#kube/kinds/core/resources.ts';
import { qualifiedNameProblems } from '#kube/names.ts';
import { ParseError } from '#kube/parse-error.ts';
import { compareQuantities, formatQuantity, parseQuantity, type Quantity, roundUpToMilli } from '#kube/quantity.ts';
import { listOf } from '#apiserver/lists.ts';
import { problemsAt } from '#apiserver/pod-spec/checks.ts';

const COMPUTE = ['cpu', 'memory'] as const;
const FOR_CONTAINERS = ['cpu', 'memory', 'ephemeral-storage'];
const FOR_OTHERS = ['pods', 'services', 'replicationcontrollers', 'resourcequotas', 'secrets', 'configmaps', 'storage'];

const NANOS_PER_MILLI = 1_000_000n;

const ZERO = parseQuantity('0') as Quantity;

export function requirementErrors(requirements: ResourceRequirements | undefined, path: string): FieldError[] {
  const { limits = {}, requests = {} } = requirements ?? {};
  return [
    ...amountErrors(limits, child(path, 'limits')),
    ...Object.keys(requests).flatMap((name) => [
      ...amountErrors({ [name]: requests[name] ?? '' }, child(path, 'requests')),
      ...limitErrors(name, { request: requests[name] ?? '', limit: limits[name] }, path),
    ]),
  ];
}

function amountErrors(amounts: Readonly<Record<string, string>>, path: string): FieldError[] {
  return Object.entries(amounts).flatMap(([name, amount]) => {
    const here = entry(path, name);
    return [...resourceNameErrors(name, here), ...quantityErrors(name, amount, here)];
  });
}

export function resourceNameErrors(name: string, path: string): FieldError[] {
  const problems = qualifiedNameProblems(name);
  if (problems.length > 0) return problemsAt(path, name, problems);
  if (name.includes('/')) {
    const isExtended = !name.includes('kubernetes.io/') && !name.startsWith('requests.');
    return isExtended || isNative(name)
      ? []
      : problemsAt(path, name, ["doesn't follow extended resource name standard"]);
  }
  if (FOR_CONTAINERS.includes(name) || isHugePages(name)) return [];
  const notForContainers = 'must be a standard resource for containers';
  if (FOR_OTHERS.includes(name)) return problemsAt(path, name, [notForContainers]);
  return problemsAt(path, name, ['must be a standard resource type or fully qualified', notForContainers]);
}

function quantityErrors(name: string, amount: string, path: string): FieldError[] {
  const quantity = parseQuantity(amount);
  if (quantity instanceof ParseError) return [invalidField(path, amount, quantity.message)];
  if (compareQuantities(quantity, ZERO) < 0) {
    return [invalidField(path, amount, 'must be greater than or equal to 0')];
  }
  const isWhole = quantity.nanos % 1_000_000_000n === 0n;
  return isWhole || isNative(name) ? [] : [invalidField(path, amount, 'must be an integer')];
}

interface Pair {
  readonly request: string;
  readonly limit: string | undefined;
}

/** A request is at most the limit; what cannot be shared is asked for exactly. */
function limitErrors(name: string, { request, limit }: Pair, path: string): FieldError[] {
  const isShared = isNative(name) && !isHugePages(name);
  if (limit === undefined) {
    if (isShared) return [];
    const message = 'Required value: Limit must be set for non overcommitable resources';
    return [{ field: child(path, 'limits'), reason: 'FieldValueRequired', message }];
  }
  const order = compare(request, limit);
  const where = child(path, 'requests');
  if (order !== 0 && !isShared) return [invalidField(where, request, `must be equal to ${name} limit of ${limit}`)];
  if (order > 0) return [invalidField(where, request, `must be less than or equal to ${name} limit of ${limit}`)];
  return [];
}

function compare(left: string, right: string): number {
  const [a, b] = [parseQuantity(left), parseQuantity(right)];
  return a instanceof ParseError || b instanceof ParseError ? 0 : compareQuantities(a, b);
}

function isNative(name: string): boolean {
  return !name.includes('/') || name.includes('kubernetes.io/');
}

function isHugePages(name: string): boolean {
  return name.startsWith('hugepages-');
}

/** Fractions of a byte are let in, with a warning. */
export function fractionWarnings(containers: readonly Container[], path: string): string[] {
  return containers.flatMap(({ resources }, position) =>
    (['limits', 'requests'] as const).flatMap((kind) =>
      ['memory', 'ephemeral-storage'].flatMap((name) => {
        const amount = resources?.[kind]?.[name];
        const quantity = amount === undefined ? undefined : parseQuantity(amount);
        if (!quantity || quantity instanceof ParseError || quantity.nanos % 1_000_000_000n === 0n) return [];
        const where = `${path}[${position}].resources.${kind}[${name}]`;
        return [`${where}: fractional byte value ${JSON.stringify(amount)} is invalid, must be an integer`];
      }),
    ),
  );
}

/** Amounts finer than a thousandth are taken as the next thousandth. */
export function roundAmounts(requirements: ResourceRequirements | undefined): void {
  for (const amounts of [requirements?.limits, requirements?.requests]) {
    for (const [name, amount] of Object.entries(amounts ?? {})) {
      const quantity = parseQuantity(amount);
      if (quantity instanceof ParseError || quantity.nanos % NANOS_PER_MILLI === 0n) continue;
      if (amounts) amounts[name] = formatQuantity(roundUpToMilli(quantity));
    }
  }
}

export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort';

/** Guaranteed: every container limits both compute resources and asks for as much. BestEffort: none asks for any. */
export function qosClassOf({ containers, initContainers = [] }: PodSpec): QosClass {
  const all = [...listOf(containers), ...initContainers].map(({ resources }) => resources ?? {});
  const asks = (amounts: Readonly<Record<string, string>> = {}) =>
    COMPUTE.some((name) => amounts[name] !== undefined && compare(amounts[name] ?? '', '0') > 0);
  if (!all.some(({ limits, requests }) => asks(limits) || asks(requests))) return 'BestEffort';
  const isExact = all.every(({ limits = {}, requests = {} }) =>
    COMPUTE.every((name) => {
      const limit = limits[name];
      return limit !== undefined && compare(limit, '0') > 0 && compare(requests[name] ?? limit, limit) === 0;
    }),
  );
  return isExact ? 'Guaranteed' : 'Burstable';
}
