/**
 * What one kind adds to the verbs: defaults, checks, and what a write may change. All of it is optional; a kind
 * without a strategy is stored as its schema lets it in.
 *
 * Methods that prepare change the new object in place; it belongs to the write. Old objects are frozen.
 */
import type { Clock } from '#base/clock.ts';
import type { FieldError } from '#kube/field-error.ts';
import type { Kind } from '#kube/kind.ts';
import type { KubeObject } from '#kube/object.ts';
import type { User } from '#apiserver/user.ts';

export interface WriteContext {
  readonly clock: Clock;
  readonly user: User;
  readonly isDryRun: boolean;
  warn(text: string): void;
}

/** A write whose rules ask more of the caller than the right to write. */
export interface RightsCheck<T extends KubeObject = KubeObject> {
  readonly object: T;
  readonly old: T | undefined;
  readonly user: User;
  readonly namespace: string | undefined;
  /** As the URL has it: empty where the body names the object. */
  readonly name: string;
}

export type DefaultPropagation = 'Background' | 'Orphan' | 'Unsupported';

/** Part of a strategy that a write through one subresource follows. */
export interface SubresourceStrategy<T extends KubeObject = KubeObject> {
  /** Takes back what this subresource may not change. */
  prepareForUpdate(object: T, old: T, context: WriteContext): void;
  validateUpdate?(object: T, old: T, context: WriteContext): readonly FieldError[];
}

export interface Strategy<T extends KubeObject = KubeObject> {
  /** Throws while nothing new of the kind may be made. */
  checkCreate?(): void;
  /** Fills in what the object leaves open; runs on whatever a client sent or a patch made. */
  setDefaults?(object: T): void;
  /** Throws a StatusError for what the caller may not write. The object is as it was sent, decoded and admitted. */
  checkRights?(check: RightsCheck<T>): void;
  /** Drops what a create may not set. The status is gone by then. */
  prepareForCreate?(object: T, context: WriteContext): void;
  validate?(object: T, context: WriteContext): readonly FieldError[];
  /** Takes back what an update may not change. The status is the old one by then. */
  prepareForUpdate?(object: T, old: T, context: WriteContext): void;
  validateUpdate?(object: T, old: T, context: WriteContext): readonly FieldError[];
  /** What the client is told of an object that is accepted all the same. */
  warnings?(object: T, old: T | undefined): readonly string[];
  /** Other subresources than `scale`, by name; `status` has a default for kinds with one. */
  readonly subresources?: Readonly<Record<string, SubresourceStrategy<T>>>;

  /** Whether a write of the object itself counts its generation up; false where the kind counts none. */
  isNewGeneration?(object: T, old: T): boolean;
  /** What a name may look like; a prefix for generated names may also end in a dash. */
  readonly nameProblems?: (name: string) => string[];
  /** Whoever creates an object says how it is. */
  readonly keepsStatusOnCreate?: boolean;
  /** An update of an absent object creates it. */
  readonly allowsCreateOnUpdate?: boolean;
  /** An update must say which version it replaces. */
  readonly requiresVersionOnUpdate?: boolean;

  /** Seconds that the object may take to end once it is deleted; undefined when it goes at once. */
  gracePeriodSeconds?(object: T, asked: number | undefined): number | undefined;
  readonly defaultPropagation?: DefaultPropagation;
  /** Whether DELETE answers with the object even when it is gone. */
  readonly answersDeletedObject?: boolean;
  /** Added to every object whose deletion begins, for whoever has to do something first. */
  readonly deletionFinalizers?: readonly string[];
  /** Changes what a deletion leaves standing: a namespace becomes Terminating. */
  prepareForDeletion?(object: T): void;
  /** Whether the object is held by more than its finalizers. */
  isHeld?(object: T): boolean;

  /** Reserves addresses, ports and the like for a write; disposed of when the write is decided. */
  allocate?(object: T, old: T | undefined, context: WriteContext): Disposable;
}

/** Types a strategy by its kind; the registry keeps strategies of all kinds together. */
export function strategyOf<T extends KubeObject>(_kind: Kind<T>, strategy: Strategy<NoInfer<T>>): Strategy {
  return strategy;
}
