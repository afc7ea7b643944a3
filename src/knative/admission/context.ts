/** What defaulting and validation know beside the object. */
import type { KubeObject, ObjectMeta } from '#kube/object.ts';
import type { FieldErrors } from '#knative/field-error.ts';
import type { KnativeConfig } from '#knative/config/all.ts';
import type { Struct } from '#knative/admission/wire/shape.ts';

export interface AdmissionContext {
  readonly config: KnativeConfig;
  readonly operation: 'CREATE' | 'UPDATE';
  /** `status` when that is what is written; absent for the object itself. */
  readonly subresource?: string | undefined;
  /** The stored object, for an update. */
  readonly old?: KubeObject | undefined;
  /** Name of who asks. */
  readonly user: string;
}

/** Context below the object: which parent the template or spec belongs to. */
export interface SpecContext extends AdmissionContext {
  readonly parent: ObjectMeta;
}

export function within(context: AdmissionContext, { metadata }: KubeObject): SpecContext {
  return { ...context, parent: metadata };
}

export function isUpdate({ operation }: AdmissionContext): boolean {
  return operation === 'UPDATE';
}

export function isStatusUpdate(context: AdmissionContext): boolean {
  return isUpdate(context) && context.subresource === 'status';
}

/** The rules of one kind. */
export interface KindRules<T extends KubeObject = KubeObject> {
  /** How Go writes the spec. */
  readonly spec: Struct;
  /** Whether creator and lastModifier are written on the object. */
  readonly stampsUser: boolean;
  /** Fills in what the object leaves open, in place. */
  setDefaults(object: T, context: AdmissionContext): void;
  validate(object: T, context: AdmissionContext): FieldErrors;
}

/** Types the rules of a kind; the table of all kinds keeps them together. */
export function rulesOf<T extends KubeObject>(rules: KindRules<T>): KindRules {
  return rules;
}
