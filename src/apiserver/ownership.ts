/** Which writer set which field: `managedFields`, kept up to date on every write. */
import { EMPTY_SET, type FieldSet, setOf } from '#kube/apply/field-set.ts';
import { trackUpdate } from '#kube/apply/track-update.ts';
import type { KubeObject } from '#kube/object.ts';
import type { WriteOptions } from '#client/transport.ts';
import type { Api, Target } from '#apiserver/api.ts';
import type { Caller } from '#apiserver/user.ts';

/** The longest name that is made from a User-Agent. */
const MAX_MANAGER_LENGTH = 128;

const STATUS = setOf(['f:status']);

/** Whose name the fields get: the one that was given, or the program's before the first slash. */
export function managerOf({ fieldManager }: WriteOptions, { userAgent }: Caller): string {
  return fieldManager ?? (userAgent.split('/')[0] ?? '').slice(0, MAX_MANAGER_LENGTH);
}

/** Fields that a write through this target resets, so that nobody comes to own them by it. */
export function resetFieldsOf({ served, subresource }: Target): FieldSet {
  return subresource === undefined && served.storedAs.hasStatus ? STATUS : EMPTY_SET;
}

export interface TrackedWrite {
  readonly before: KubeObject | undefined;
  /** Of our own; its managedFields are set. */
  readonly after: KubeObject;
  readonly options: WriteOptions;
}

export function trackOwnership(
  api: Api,
  target: Target,
  { before, after, options }: TrackedWrite,
  caller: Caller,
): void {
  const managedFields = trackUpdate({
    // Views are owned in the version that is stored; versions of a definition differ in no name of a field.
    kind: target.served.kind.definition ? target.served.kind : target.served.storedAs,
    before,
    after,
    manager: managerOf(options, caller),
    subresource: target.subresource ?? '',
    nowMs: api.clock.now(),
    resetFields: resetFieldsOf(target),
  });
  if (managedFields) after.metadata.managedFields = managedFields;
  else delete after.metadata.managedFields;
}
