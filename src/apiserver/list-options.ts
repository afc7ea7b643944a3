/** The rules of `resourceVersion`, `resourceVersionMatch`, `continue` and `sendInitialEvents`, in Kubernetes' words. */
import { type FieldError, forbiddenField, notSupportedField } from '#kube/field-error.ts';
import { badRequest, invalid } from '#kube/status.ts';
import type { ListOptions } from '#client/transport.ts';
import { badVersionNumber } from '#apiserver/errors.ts';

const LIST_OPTIONS = { group: 'meta.k8s.io', kind: 'ListOptions' };
const MATCH = 'resourceVersionMatch';
const INITIAL = 'sendInitialEvents';

export interface StreamOptions extends Pick<ListOptions, 'resourceVersion' | 'resourceVersionMatch' | 'continue'> {
  readonly sendInitialEvents?: boolean | undefined;
}

export function checkListOptions(options: StreamOptions): void {
  const errors = listErrors(options);
  if (errors.length > 0) throw invalid(LIST_OPTIONS, '', errors);
  if (options.continue && options.resourceVersion && options.resourceVersion !== '0') {
    throw badRequest('specifying resource version is not allowed when using continue');
  }
  const version = options.resourceVersion ?? '';
  if (version !== '' && !/^\d+$/.test(version)) throw badRequest(`invalid resource version: ${versionError(version)}`);
}

function listErrors({ resourceVersion: version = '', sendInitialEvents, ...options }: StreamOptions): FieldError[] {
  const { resourceVersionMatch: match = '' } = options;
  const errors: FieldError[] = [];
  if (match !== '' && version === '') {
    if (!options.continue)
      errors.push(forbiddenField(MATCH, `${MATCH} is forbidden unless resourceVersion is provided`));
  }
  if (match !== '' && options.continue) {
    return [forbiddenField(MATCH, `${MATCH} is forbidden when continue is provided`)];
  }
  if (sendInitialEvents !== undefined) errors.push(forbiddenField(INITIAL, `${INITIAL} is forbidden for list`));
  if (match !== '' && match !== 'Exact' && match !== 'NotOlderThan') {
    errors.push(notSupportedField(MATCH, match, ['Exact', 'NotOlderThan', '']));
  }
  if (match === 'Exact' && version === '0') {
    errors.push(forbiddenField(MATCH, `${MATCH} "exact" is forbidden for resourceVersion "0"`));
  }
  return errors;
}

/** Initial events as a stream are refused, as by a Kubernetes whose WatchList gate is off; clients list instead. */
export function checkWatchOptions({ resourceVersionMatch: match = '', sendInitialEvents }: StreamOptions): void {
  const errors: FieldError[] = [];
  if (sendInitialEvents !== undefined) {
    if (match !== 'NotOlderThan') {
      errors.push(forbiddenField(MATCH, `${INITIAL} requires setting ${MATCH} to NotOlderThan`));
    }
    const gate = `${INITIAL} is forbidden for watch unless the WatchList feature gate is enabled`;
    errors.push(forbiddenField(INITIAL, gate));
  } else if (match !== '') {
    errors.push(forbiddenField(MATCH, `${MATCH} is forbidden for watch unless ${INITIAL} is provided`));
  }
  if (match !== '' && match !== 'NotOlderThan') errors.push(notSupportedField(MATCH, match, ['NotOlderThan']));
  if (errors.length > 0) throw invalid(LIST_OPTIONS, '', errors);
}

/** What is wrong with a version that is not a number. */
export function versionError(version: string): string {
  return `resourceVersion: Invalid value: ${JSON.stringify(version)}: ${badVersionNumber(version)}`;
}

/** The one version that a list must be of, if there is one. */
export function exactRevision(options: ListOptions): number | undefined {
  const version = Number(options.resourceVersion ?? '0');
  if (version === 0) return undefined;
  const isExact = options.resourceVersionMatch === 'Exact';
  const isPaged = !options.resourceVersionMatch && (options.limit ?? 0) > 0;
  return isExact || isPaged ? version : undefined;
}
